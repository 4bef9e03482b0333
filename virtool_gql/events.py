"""From the outbox to the subscriber: relay, stream and hub.

A write puts its change into an outbox; the relay moves changes to one Redis stream, each exactly once; every server
process reads the stream once and its hub hands the changes to the subscriptions.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager

from redis.asyncio import Redis

from virtool_gql.models.changes import Change

STREAM = "events"


class Relay:
    """Moves changes from the outboxes to the stream. Of all the relays of an instance one is at work at a time."""

    def __init__(self, redis: Redis, outboxes: Sequence["Outbox"], *, stream_length: int = 50_000) -> None: ...

    def wake(self) -> None:
        """Say that an outbox has something; a relay that slept until then works at once. Cheap, never blocks."""

    def running(self) -> AbstractAsyncContextManager[None]:
        """Run the relay as a task while the block lasts."""


class Hub:
    """Reads the stream once for the whole process and hands each change to the subscriptions that ask for it."""

    def __init__(self, redis_url: str, *, queue_length: int = 1_000) -> None: ...

    def running(self) -> AbstractAsyncContextManager[None]:
        """Read the stream while the block lasts."""

    async def cursor(self) -> str:
        """Give the place of the newest change in the stream: what is subscribed after it misses nothing since."""

    def changes(self, collections: frozenset[str], after: str | None = None) -> AsyncIterator[Change]:
        """Give the changes of the collections: those after the cursor first, then live, without gap or duplicate.

        Raises CursorExpired when the log no longer reaches back to the cursor (BadUserInput when it is not a cursor),
        and SlowConsumer, with the last cursor that was given, when more than `queue_length` changes wait for the caller.
        """
