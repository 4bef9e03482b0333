import asyncio
from datetime import timedelta

import pytest
from msgspec import structs

from tests.factories.database import SteppingClock
from tests.factories.users import PASSWORD, stored_user
from virtool_gql.db.database import Database
from virtool_gql.db.sign_in import Visitor
from virtool_gql.errors import BadUserInput, RateLimited
from virtool_gql.models.users import ApiKey, Permission

VISITOR = Visitor(address="192.0.2.1")


async def test_a_user_signs_in_and_out(db: Database) -> None:
    user, viewer = await stored_user(db, "Alice")
    signed_in, token = await db.sign_in.login("\uff41LICE ", PASSWORD, VISITOR)
    assert signed_in == user
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
    _, token = await db.sign_in.login("alice", PASSWORD, VISITOR, remember=True)
    _, secret = await db.keys.create(viewer, "Script")
    await db.store.replace(structs.replace(user, active=False))
    assert await db.sign_in.by_session(token) is None
    assert await db.sign_in.still_sessions([token]) == {}
    assert await db.sign_in.by_key(secret) is None
    with pytest.raises(BadUserInput, match=r"Invalid username or password\."):
        await db.sign_in.login("alice", PASSWORD, VISITOR, remember=True)


async def test_ten_wrong_logins_a_minute_for_an_account_and_address(db: Database) -> None:
    await stored_user(db, "alice")
    await stored_user(db, "bob")
    for handle in ["alice", "ALICE"] * 5:
        with pytest.raises(BadUserInput):
            await db.sign_in.login(handle, "wrong", VISITOR)
    with pytest.raises(RateLimited):
        await db.sign_in.login("Alice", PASSWORD, VISITOR)
    await db.sign_in.login("alice", PASSWORD, Visitor(address="192.0.2.2"))
    await db.sign_in.login("bob", PASSWORD, VISITOR)


async def test_logins_that_succeed_are_not_limited(db: Database) -> None:
    await stored_user(db, "alice")
    for _ in range(12):
        await db.sign_in.login("alice", PASSWORD, VISITOR)


async def test_a_login_gives_a_new_token_and_ends_the_session_that_it_replaces(db: Database) -> None:
    await stored_user(db, "alice")
    _, first = await db.sign_in.login("alice", PASSWORD, VISITOR)
    _, second = await db.sign_in.login("alice", PASSWORD, Visitor(address="192.0.2.1", session_token=first))
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
