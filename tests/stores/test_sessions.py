from datetime import timedelta

import pytest
from msgspec import structs
from redis.asyncio import Redis

from tests.factories.database import SteppingClock
from tests.redis_server import redis_server
from virtool_gql.errors import UpstreamUnavailable
from virtool_gql.models.documents import Timestamp, now
from virtool_gql.stores.redis import connect
from virtool_gql.stores.sessions import MOST_SESSIONS, Session, Sessions

AT = Timestamp("2026-03-01T00:00:00.000Z")
SESSION = Session(
    id="session1",
    user_id="bob",
    credentials_version=3,
    created_at=AT,
    last_used_at=AT,
    address="192.0.2.1",
    agent="curl/8",
)
REMEMBERED = structs.replace(SESSION, id="session2", remember=True)


@pytest.fixture
def clock() -> SteppingClock:
    return SteppingClock()


@pytest.fixture
def sessions(redis: Redis, clock: SteppingClock) -> Sessions:
    return Sessions(redis, clock)


async def peeked(sessions: Sessions, token: str) -> Session | None:
    return (await sessions.peek_many([token])).get(token)


async def test_a_session_is_found_by_its_token_alone(sessions: Sessions) -> None:
    token = await sessions.create(SESSION)
    assert await peeked(sessions, token) == SESSION
    assert await sessions.get(token) == structs.replace(SESSION, last_used_at=Timestamp("2026-03-01T00:00:00.001Z"))
    for wrong in ("not a token", "\udcff\0", "", SESSION.id):
        assert await sessions.get(wrong) is None
        assert await peeked(sessions, wrong) is None


async def test_no_key_and_no_value_holds_the_token(sessions: Sessions, redis: Redis) -> None:
    token = await sessions.create(SESSION)
    keys = await redis.keys()
    values = [value for key in await redis.keys("session:*") for value in await redis.hvals(key)]
    members = [member for key in await redis.keys("sessions:*") for member in await redis.smembers(key)]
    assert keys
    assert values
    assert members
    assert all(token.encode() not in text for text in [*keys, *values, *members])


async def test_use_prolongs_a_session_and_peeking_does_not(
    sessions: Sessions, redis: Redis, clock: SteppingClock
) -> None:
    token = await sessions.create(SESSION)
    [key] = await redis.keys("session:*")
    assert 3598 <= await redis.ttl(key) <= 3600
    await redis.expire(key, 10)
    clock.moment += timedelta(minutes=20)
    assert await peeked(sessions, token) == SESSION
    assert await redis.ttl(key) <= 10
    used = await sessions.get(token)
    assert 3598 <= await redis.ttl(key) <= 3600
    assert used is not None
    assert used.last_used_at == "2026-03-01T00:20:00.001Z"
    assert used.expires_at == "2026-03-01T01:20:00.001Z"
    assert await peeked(sessions, token) == used


async def test_a_remembered_session_lasts_thirty_days_from_signing_in(
    sessions: Sessions, redis: Redis, clock: SteppingClock
) -> None:
    token = await sessions.create(REMEMBERED)
    [key] = await redis.keys("session:*")
    assert 30 * 24 * 3600 - 2 <= await redis.ttl(key) <= 30 * 24 * 3600
    await redis.expire(key, 10)
    clock.moment += timedelta(days=20)
    used = await sessions.get(token)
    assert await redis.ttl(key) <= 10
    assert used is not None
    assert used.last_used_at == "2026-03-21T00:00:00.001Z"
    assert used.expires_at == "2026-03-31T00:00:00.000Z"


async def test_a_deleted_session_is_gone_and_deleting_it_again_is_fine(sessions: Sessions, redis: Redis) -> None:
    token = await sessions.create(SESSION)
    await sessions.delete(token)
    await sessions.delete(token)
    assert await sessions.get(token) is None
    assert await redis.keys() == []


async def test_the_sessions_of_a_user_are_listed_and_some_of_them_ended(sessions: Sessions) -> None:
    first = await sessions.create(SESSION)
    second = await sessions.create(REMEMBERED)
    stranger = await sessions.create(structs.replace(SESSION, id="session3", user_id="eve"))
    await sessions.get(first)
    assert [session.id for session in await sessions.of("bob")] == ["session1", "session2"]
    await sessions.delete_many("bob", ["session1", "session3", "nothing"])
    assert [session.id for session in await sessions.of("bob")] == ["session2"]
    assert await peeked(sessions, first) is None
    assert await peeked(sessions, second) is not None
    assert await peeked(sessions, stranger) is not None


async def test_sessions_that_ran_out_leave_the_index_of_the_user(sessions: Sessions, redis: Redis) -> None:
    for _ in range(5):
        await sessions.create(SESSION)
    await redis.delete(*await redis.keys("session:*"))
    token = await sessions.create(SESSION)
    assert [session.id for session in await sessions.of("bob")] == [SESSION.id]
    assert await redis.scard("sessions:bob") == 1
    assert 0 < await redis.ttl("sessions:bob") <= 30 * 24 * 3600
    await sessions.delete(token)
    assert await redis.keys() == []


async def test_of_too_many_sessions_those_end_that_were_not_used_for_longest(sessions: Sessions) -> None:
    tokens = [await sessions.create(SESSION) for _ in range(MOST_SESSIONS)]
    for token in tokens[1:]:
        await sessions.get(token)
    newest = [await sessions.create(structs.replace(SESSION, last_used_at=now())) for _ in range(2)]
    assert len(await sessions.of("bob")) == MOST_SESSIONS
    assert await peeked(sessions, tokens[0]) is None
    assert len(await sessions.peek_many([*tokens[2:], *newest])) == MOST_SESSIONS


async def test_hundreds_of_sessions_are_peeked_at_together(sessions: Sessions) -> None:
    tokens = [await sessions.create(structs.replace(SESSION, id=str(number))) for number in range(450)]
    found = await sessions.peek_many([*tokens, "nothing"])
    assert [found[token].id for token in tokens] == [str(number) for number in range(450)]
    assert len(found) == len(await sessions.of("bob")) == 450


async def test_a_restart_of_redis_keeps_sessions() -> None:
    async with redis_server() as server, connect(server.url) as client:
        token = await Sessions(client).create(SESSION)
        await server.kill()
        await server.start()
        assert await peeked(Sessions(client), token) == SESSION


async def test_a_redis_that_is_not_there_is_a_sentence_of_ours() -> None:
    async with redis_server() as server, connect(server.url) as client:
        await server.kill()
        with pytest.raises(UpstreamUnavailable, match="Redis does not answer"):
            await Sessions(client).peek_many(["token"])
