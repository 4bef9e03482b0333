"""What Redis keeps: sessions, rate limits, the lists of waiting jobs, and signals between processes."""

from collections.abc import AsyncIterator, Iterable

import msgspec
from redis.asyncio import Redis

from virtool_gql.models.documents import Timestamp
from virtool_gql.workflows import Workflow


def connect(url: str) -> Redis:
    """Open a client that reconnects by itself; `unix://` and `redis://` URLs alike. It decodes nothing."""


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody's signing in. The token itself is never kept: its SHA-256 names the Redis key."""

    user_id: str
    created_at: Timestamp
    address: str
    remember: bool = False


class Sessions:
    """The sessions: 60 minutes from their last use, or 30 days when the user wants to be remembered."""

    def __init__(self, redis: Redis) -> None: ...

    async def create(self, session: Session) -> str:
        """Start a session; give its token, which only the cookie holds."""

    async def get(self, token: str) -> Session | None:
        """Give the session of the token and count it as used."""

    async def peek(self, token: str) -> Session | None:
        """Give the session without counting it as used, for an open socket that is looked at again and again."""

    async def delete(self, token: str) -> None: ...

    async def delete_of(self, user_id: str, *, but: str | None = None) -> None:
        """End all sessions of the user, but the one of that token."""


class RateLimit:
    """At most `limit` takes a `seconds` window for one key, counted over all processes."""

    def __init__(self, redis: Redis, name: str, limit: int, seconds: int) -> None: ...

    async def take(self, key: str) -> None:
        """Count one take; raise RateLimited, which says how long to wait, when there are too many."""

    async def forget(self, key: str) -> None: ...


class JobQueues:
    """The lists of waiting jobs, one for each workflow."""

    def __init__(self, redis: Redis) -> None: ...

    async def push(self, workflow: Workflow, job_id: str) -> None: ...

    async def pop(self, workflows: Iterable[Workflow], timeout_seconds: float) -> str | None:
        """Take the id that waits longest in one of the lists; wait for one; None after the time."""

    async def put_back(self, workflow: Workflow, job_id: str) -> None:
        """Give an id back to the head of its list, when there is no room for the job here."""

    async def remove(self, job_id: str) -> bool:
        """Take the id out of every list; tell whether it was in one."""

    async def waiting(self) -> set[str]:
        """Give all ids that wait in the lists."""


class Signals:
    """Short messages to every process: cancelled jobs, grown logs, filled outboxes."""

    def __init__(self, redis: Redis) -> None: ...

    async def send(self, channel: str, message: str) -> None: ...

    def listen(self, channel: str) -> AsyncIterator[str]:
        """Give the messages from now on, over reconnections; what is sent while there is no connection is lost."""
