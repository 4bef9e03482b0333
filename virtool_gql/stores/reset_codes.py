"""One-time codes in Redis, by which somebody who must choose a new password does so."""

import secrets

import msgspec
from redis.asyncio import Redis

from virtool_gql.events.connections import answering
from virtool_gql.stores.digests import digest

RESET_SECONDS = 10 * 60


class Reset(msgspec.Struct, frozen=True, kw_only=True):
    """Whose password may be set, and whether they wanted to be remembered. The code itself is never kept."""

    user_id: str
    credentials_version: int
    remember: bool = False


class ResetCodes:
    """Codes that last ten minutes and are taken once, over all processes."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def create(self, reset: Reset) -> str:
        """Give a new code, which cannot be guessed."""
        code = secrets.token_urlsafe(32)
        with answering("Redis"):
            await self._redis.set(_key(code), msgspec.json.encode(reset), ex=RESET_SECONDS)
        return code

    async def take(self, code: str) -> Reset | None:
        """Give what the code stands for, once; None when it is unknown, taken or too old."""
        with answering("Redis"):
            encoded = await self._redis.getdel(_key(code))
        return None if encoded is None else msgspec.json.decode(encoded, type=Reset)


def _key(code: str) -> str:
    return f"reset:{digest(code)}"
