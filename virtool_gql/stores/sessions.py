"""Sessions in Redis: who is signed in by a cookie, since when, and from where."""

import secrets
from collections.abc import Iterable, Sequence
from datetime import timedelta

import msgspec
from msgspec import structs
from redis.asyncio import Redis

from virtool_gql.events.connections import answering, text_of
from virtool_gql.models.documents import Clock, Timestamp, moment_of, now, timestamp
from virtool_gql.stores.digests import digest

SESSION_SECONDS = 60 * 60
REMEMBERED_SECONDS = 30 * 24 * 60 * 60

MOST_SESSIONS = 500
"""Of one user: a script that signs in again and again loses what it left behind."""

READ_AT_ONCE = 200
"""The driver takes 13 microseconds for each, in which the event loop does nothing else."""

_USE = """
local session = redis.call('HGET', KEYS[1], 'session')
if session then
  redis.call('HSET', KEYS[1], 'used_at', ARGV[1])
  if not cjson.decode(session).remember then redis.call('EXPIRE', KEYS[1], ARGV[2]) end
end
return session
"""

_READ = """
local found = {}
for number, key in ipairs(KEYS) do found[number] = redis.call('HMGET', key, 'session', 'used_at') end
return found
"""


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody's signing in. The token itself is never kept: its SHA-256 names the Redis key; `id` opens nothing.

    It works as long as `virtool_gql.db.credentials` says, whatever Redis still holds.
    """

    id: str
    user_id: str
    credentials_version: int
    created_at: Timestamp
    last_used_at: Timestamp
    address: str
    agent: str = ""
    remember: bool = False

    @property
    def expires_at(self) -> Timestamp:
        """When it ends by itself: 60 minutes after its last use, or 30 days after signing in."""
        if self.remember:
            return _later(self.created_at, REMEMBERED_SECONDS)
        return _later(self.last_used_at, SESSION_SECONDS)


class Sessions:
    """The sessions by their tokens, and those of each user."""

    def __init__(self, redis: Redis, clock: Clock = now) -> None:
        self._redis = redis
        self._clock = clock
        self._use = redis.register_script(_USE)
        self._look = redis.register_script(_READ)

    async def create(self, session: Session) -> str:
        """Start a session; give its token, which only the cookie holds."""
        token = secrets.token_urlsafe(32)
        key, index = _key(token), _index(session.user_id)
        seconds = REMEMBERED_SECONDS if session.remember else SESSION_SECONDS
        with answering("Redis"):
            async with self._redis.pipeline(transaction=True) as all_of_it:
                encoded = msgspec.json.encode(session)
                all_of_it.hset(key, mapping={"session": encoded, "used_at": session.last_used_at})
                all_of_it.expire(key, seconds)
                all_of_it.sadd(index, key)
                # The index outlives each of its sessions, and not by much.
                all_of_it.expire(index, REMEMBERED_SECONDS)
                all_of_it.scard(index)
                count = (await all_of_it.execute())[-1]
            if count > MOST_SESSIONS:
                await self._end_oldest(session.user_id)
        return token

    async def get(self, token: str) -> Session | None:
        """Give the session of the token and count it as used."""
        at = self._clock()
        with answering("Redis"):
            return _decoded(await self._use(keys=[_key(token)], args=[at, SESSION_SECONDS]), at.encode())

    async def peek_many(self, tokens: Sequence[str]) -> dict[str, Session]:
        """Give the sessions that there are, by their tokens, without counting them as used.

        For the connections that stay open, which are looked at again and again.
        """
        with answering("Redis"):
            found = await self._read([_key(token) for token in tokens])
        return {token: session for token in tokens if (session := found.get(_key(token))) is not None}

    async def of(self, user_id: str) -> list[Session]:
        """Give all sessions of a user, the one that was used last first."""
        with answering("Redis"):
            sessions = (await self._of(user_id)).values()
        return sorted(sessions, key=lambda session: (session.last_used_at, session.id), reverse=True)

    async def delete(self, token: str) -> None:
        with answering("Redis"):
            session = (await self._read([_key(token)])).get(_key(token))
            if session is not None:
                await self._delete(session.user_id, [_key(token)])

    async def delete_many(self, user_id: str, ids: Iterable[str]) -> None:
        """End those sessions of the user."""
        ended = set(ids)
        with answering("Redis"):
            keys = [key for key, session in (await self._of(user_id)).items() if session.id in ended]
            await self._delete(user_id, keys)

    async def _end_oldest(self, user_id: str) -> None:
        """End the sessions of a user that were not used for longest, when there are too many."""
        sessions = await self._of(user_id)
        keys = sorted(sessions, key=lambda key: sessions[key].last_used_at, reverse=True)
        await self._delete(user_id, keys[MOST_SESSIONS:])

    async def _of(self, user_id: str) -> dict[str, Session]:
        """Give a user's sessions by their keys; those that ran out leave the index here, so that it stays short."""
        keys = [text_of(key) for key in await self._redis.smembers(_index(user_id))]
        sessions = await self._read(keys)
        ended = [key for key in keys if key not in sessions]
        if ended:
            await self._redis.srem(_index(user_id), *ended)
        return sessions

    async def _read(self, keys: Sequence[str]) -> dict[str, Session]:
        sessions: dict[str, Session] = {}
        for first in range(0, len(keys), READ_AT_ONCE):
            some = keys[first : first + READ_AT_ONCE]
            for key, fields in zip(some, await self._look(keys=list(some)), strict=True):
                session = _decoded(*fields)
                if session is not None:
                    sessions[key] = session
        return sessions

    async def _delete(self, user_id: str, keys: Sequence[str]) -> None:
        if keys:
            await self._redis.delete(*keys)
            await self._redis.srem(_index(user_id), *keys)


def _key(token: str) -> str:
    return f"session:{digest(token)}"


def _index(user_id: str) -> str:
    return f"sessions:{user_id}"


def _decoded(encoded: bytes | None, used_at: bytes | None) -> Session | None:
    if encoded is None or used_at is None:
        return None
    session = msgspec.json.decode(encoded, type=Session)
    return structs.replace(session, last_used_at=Timestamp(used_at.decode()))


def _later(at: Timestamp, seconds: int) -> Timestamp:
    return timestamp(moment_of(at) + timedelta(seconds=seconds))
