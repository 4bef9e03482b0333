import asyncio
from datetime import timedelta

import pytest
from msgspec import structs
from redis.asyncio import Redis

from tests.factories.database import LIMITS, SteppingClock
from tests.factories.users import PASSWORD, stored_user
from virtool_gql.db.credentials import ended
from virtool_gql.db.database import Database
from virtool_gql.db.sign_in import ResetNeeded, SignedIn, Visitor
from virtool_gql.errors import BadUserInput, RateLimited
from virtool_gql.models.documents import timestamp
from virtool_gql.models.users import ApiKey, Permission, User
from virtool_gql.stores.documents import modify

VISITOR = Visitor(address="192.0.2.1", agent="curl/8")


async def logged_in(db: Database, handle: str, visitor: Visitor = VISITOR) -> str:
    outcome = await db.sign_in.login(handle, PASSWORD, visitor)
    assert isinstance(outcome, SignedIn)
    return outcome.token


async def test_a_user_signs_in_and_out(db: Database) -> None:
    _, viewer = await stored_user(db, "Alice")
    token = await logged_in(db, "\uff41LICE ")
    assert await db.sign_in.by_session(token) == viewer
    assert await db.sign_in.still_sessions([token]) == {token: viewer}
    await db.sign_in.logout(token)
    assert await db.sign_in.by_session(token) is None
    assert await db.sign_in.still_sessions([token]) == {}


@pytest.mark.parametrize(
    ("handle", "password"),
    [
        ("alice", "wrong password"),
        ("alice", ""),
        ("bob", PASSWORD),
        ("", ""),
        ("a\0", PASSWORD),
        ("\ud800", "\ud800"),
        ("alice", PASSWORD + "x" * 10_000),
        ("x" * 100_000, PASSWORD),
    ],
)
async def test_a_wrong_login_is_not_told_what_is_wrong(db: Database, handle: str, password: str) -> None:
    await stored_user(db, "alice")
    with pytest.raises(BadUserInput) as error:
        await db.sign_in.login(handle, password, VISITOR)
    assert (error.value.message, error.value.path) == ("Invalid username or password.", ())


async def test_a_deactivated_user_is_out_at_once(db: Database) -> None:
    user, viewer = await stored_user(db, "alice")
    token = await logged_in(db, "alice")
    _, secret = await db.keys.create(viewer, "Script")
    await db.store.replace(structs.replace(user, active=False))
    assert await db.sign_in.by_session(token) is None
    assert await db.sign_in.still_sessions([token]) == {}
    assert await db.sign_in.by_key(secret) is None


async def test_only_who_knows_the_password_is_told_that_the_user_is_deactivated(db: Database) -> None:
    user, _ = await stored_user(db, "alice")
    await db.store.replace(structs.replace(user, active=False, force_reset=True))
    with pytest.raises(BadUserInput, match=r"^User is deactivated\. Ask an administrator to activate you\.$"):
        await db.sign_in.login("alice", PASSWORD, VISITOR, remember=True)
    with pytest.raises(BadUserInput, match=r"^Invalid username or password\.$"):
        await db.sign_in.login("alice", "wrong password", VISITOR)


async def test_a_forced_reset_gives_a_code_and_no_session(db: Database, redis: Redis) -> None:
    user, _ = await stored_user(db, "alice")
    await db.store.replace(structs.replace(user, force_reset=True))
    outcome = await db.sign_in.login("alice", PASSWORD, VISITOR)
    assert isinstance(outcome, ResetNeeded)
    assert outcome.error is None
    assert await redis.keys("session*") == []
    [key] = await redis.keys("reset:*")
    assert 590 < await redis.ttl(key) <= 600
    assert outcome.code.encode() not in key + await redis.get(key)


async def test_a_session_that_was_verified_before_the_credentials_ended_never_works(db: Database) -> None:
    user, _ = await stored_user(db, "alice")
    await db.store.replace(ended(user))
    token = await db.sign_in.start_session(user, remember=False, address="192.0.2.1")
    assert await db.sign_in.by_session(token) is None
    assert await db.sign_in.still_sessions([token]) == {}


async def test_logins_beside_a_change_of_the_password_never_leave_a_session_of_the_old_one(db: Database) -> None:
    user, _ = await stored_user(db, "alice")

    async def change() -> None:
        await modify(db.store, User, user.id, lambda now: ended(structs.replace(now, password_hash="-")))

    logins = [db.sign_in.login("alice", PASSWORD, Visitor(address=f"192.0.2.{n}")) for n in range(20)]
    results = await asyncio.gather(*logins[:10], change(), *logins[10:], return_exceptions=True)
    tokens = [result.token for result in results if isinstance(result, SignedIn)]
    assert tokens
    assert await db.sign_in.still_sessions(tokens) == {}


async def test_a_key_that_expired_signs_nobody_in(db: Database, clock: SteppingClock) -> None:
    _, viewer = await stored_user(db, "alice")
    key, secret = await db.keys.create(viewer, "Script")
    expires_at = timestamp(clock.moment + timedelta(hours=1))
    await modify(db.store, ApiKey, key.id, lambda now: structs.replace(now, expires_at=expires_at))
    assert await db.sign_in.by_key(secret) is not None
    clock.moment += timedelta(hours=1)
    assert await db.sign_in.by_key(secret) is None


async def test_ten_wrong_logins_a_minute_for_an_account_and_address(db: Database) -> None:
    await stored_user(db, "alice")
    await stored_user(db, "bob")
    for handle in ["alice", "ALICE", " alice", "alice\u3000", "\uff41lice  "] * 2:
        with pytest.raises(BadUserInput):
            await db.sign_in.login(handle, "wrong", VISITOR)
    with pytest.raises(RateLimited):
        await db.sign_in.login("Alice", PASSWORD, VISITOR)
    await db.sign_in.login("alice", PASSWORD, Visitor(address="192.0.2.2"))
    await db.sign_in.login("bob", PASSWORD, VISITOR)


async def test_another_address_of_the_same_site_gives_no_more_tries(db: Database) -> None:
    await stored_user(db, "alice")
    for number in range(10):
        with pytest.raises(BadUserInput):
            await db.sign_in.login("alice", "wrong", Visitor(address=f"2001:db8::{number}"))
    with pytest.raises(RateLimited):
        await db.sign_in.login("alice", PASSWORD, Visitor(address="2001:db8::ffff:1"))
    await db.sign_in.login("alice", PASSWORD, Visitor(address="2001:db8:0:1::1"))


async def test_logins_that_succeed_are_not_limited(db: Database) -> None:
    await stored_user(db, "alice")
    for _ in range(12):
        await db.sign_in.login("alice", PASSWORD, VISITOR)


async def test_a_login_gives_a_new_token_and_ends_the_session_that_it_replaces(db: Database) -> None:
    await stored_user(db, "alice")
    first = await logged_in(db, "alice")
    second = await logged_in(db, "alice", Visitor(address="192.0.2.1", session_token=first))
    assert first != second
    assert await db.sign_in.by_session(first) is None
    assert await db.sign_in.by_session(second) is not None


async def test_no_token_is_a_session_that_nobody_started(db: Database) -> None:
    assert await db.sign_in.by_session("") is None
    assert await db.sign_in.by_session("\ud800") is None
    await db.sign_in.logout("nothing")


async def test_a_key_signs_in_alone_or_with_its_owners_handle(db: Database) -> None:
    _, viewer = await stored_user(db, "Alice")
    await stored_user(db, "bob")
    key, secret = await db.keys.create(viewer, "Script", [Permission.UPLOAD_FILE])
    by_key = await db.sign_in.by_key(secret)
    assert by_key is not None
    assert (by_key.user_id, by_key.key_id) == (viewer.user_id, key.id)
    assert await db.sign_in.by_key(secret, "aLICE") == by_key
    for handle in ("bob", "", "alice" + "x" * 100, "alice\0", "\ud800"):
        assert await db.sign_in.by_key(secret, handle) is None
    for wrong in ("", secret[:-1], secret + "x", key.key_hash, "\ud800", "\0"):
        assert await db.sign_in.by_key(wrong) is None


async def test_who_signed_in_may_be_looked_up_again_until_that_has_ended(db: Database, clock: SteppingClock) -> None:
    _, viewer = await stored_user(db, "alice")
    token = await logged_in(db, "alice")
    assert await db.sign_in.again(viewer, token) == viewer
    await db.sign_in.logout(token)
    assert await db.sign_in.again(viewer, token) is None
    expires_at = timestamp(clock.moment + timedelta(hours=1))
    key, secret = await db.keys.create(viewer, "Script", [Permission.UPLOAD_FILE], expires_at=expires_at)
    by_key = await db.sign_in.by_key(secret)
    assert by_key is not None
    assert await db.sign_in.again(by_key, None) == by_key
    clock.moment += timedelta(hours=1)
    assert await db.sign_in.again(by_key, None) is None
    await db.keys.delete(viewer, key.id)
    assert await db.sign_in.again(by_key, None) is None


async def test_a_deleted_key_is_out_at_once(db: Database) -> None:
    _, viewer = await stored_user(db, "alice")
    key, secret = await db.keys.create(viewer, "Script")
    await db.keys.delete(viewer, key.id)
    assert await db.sign_in.by_key(secret) is None


async def test_the_use_of_a_key_is_noted_once_a_minute(db: Database, clock: SteppingClock) -> None:
    _, viewer = await stored_user(db, "alice")
    key, secret = await db.keys.create(viewer, "Script")
    assert all(await asyncio.gather(*(db.sign_in.by_key(secret) for _ in range(20))))
    first = await db.store.get(ApiKey, key.id)
    clock.moment += timedelta(seconds=50)
    await db.sign_in.by_key(secret)
    assert await db.store.get(ApiKey, key.id) == first
    clock.moment += timedelta(seconds=11)
    await db.sign_in.by_key(secret)
    second = await db.store.get(ApiKey, key.id)
    assert first is not None
    assert second is not None
    assert (first.version, second.version) == (2, 3)
    assert str(second.last_used_at) > str(first.last_used_at)


async def test_a_wrong_password_takes_as_long_for_everybody(db: Database, redis: Redis) -> None:
    slow = Database(db.store, redis, db.hub, db.places, job_limits=LIMITS, bcrypt_rounds=10)
    await stored_user(slow, "alice")
    gone, _ = await stored_user(slow, "gone")
    forced, _ = await stored_user(slow, "forced")
    await db.store.replace(structs.replace(gone, active=False), structs.replace(forced, force_reset=True))

    async def seconds(handle: str) -> float:
        started = asyncio.get_running_loop().time()
        with pytest.raises(BadUserInput, match=r"^Invalid username or password\.$"):
            await slow.sign_in.login(handle, "wrong password", VISITOR)
        return asyncio.get_running_loop().time() - started

    handles = ("alice", "gone", "forced", "nobody", "a:b")
    rounds = [[await seconds(handle) for handle in handles] for _ in range(8)]
    fastest = [min(of_one) for of_one in zip(*rounds, strict=True)]
    assert max(fastest) < 2 * min(fastest)
