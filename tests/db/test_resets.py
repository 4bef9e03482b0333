"""Setting a new password with a code: who may, once, and what a failure leaves."""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from msgspec import structs
from redis.asyncio import Redis

from tests.factories.database import SteppingClock, opened
from tests.factories.users import PASSWORD, stored_user
from virtool_gql.db.credentials import ended
from virtool_gql.db.database import Database
from virtool_gql.db.sign_in import ResetNeeded, SignedIn, Visitor
from virtool_gql.embedded import ServiceUrls
from virtool_gql.errors import BadUserInput, RateLimited
from virtool_gql.models.users import ApiKey, User
from virtool_gql.stores.documents import modify
from virtool_gql.stores.opening import StoreUrls
from virtool_gql.stores.redis import connect

NEW = "a better horse"
VISITOR = Visitor(address="192.0.2.1", agent="curl/8")


async def code_of(db: Database, handle: str, *, remember: bool = False) -> str:
    """Log in as a user who must choose a new password; give the code."""
    outcome = await db.sign_in.login(handle, PASSWORD, VISITOR, remember=remember)
    assert isinstance(outcome, ResetNeeded)
    return outcome.code


async def forced(db: Database, handle: str) -> User:
    user, _ = await stored_user(db, handle)
    return (await db.store.replace(structs.replace(user, force_reset=True)))[0]


async def stored(db: Database, user: User) -> User:
    now = await db.store.get(User, user.id)
    assert now is not None
    return now


@pytest.mark.parametrize("remember", [True, False])
async def test_a_code_sets_the_password_and_signs_in_anew(db: Database, *, remember: bool) -> None:
    user = await forced(db, "alice")
    outcome = await db.resets.reset(await code_of(db, "alice", remember=remember), NEW, VISITOR)
    assert isinstance(outcome, SignedIn)
    assert outcome.remember is remember
    viewer = await db.sign_in.by_session(outcome.token)
    assert viewer is not None
    assert viewer.user_id == user.id
    [session] = await db.account.sessions(viewer)
    assert (session.remember, session.address, session.agent) == (remember, "192.0.2.1", "curl/8")
    now = await stored(db, user)
    assert not now.force_reset
    assert now.last_password_change > user.last_password_change
    assert isinstance(await db.sign_in.login("alice", NEW, VISITOR), SignedIn)
    with pytest.raises(BadUserInput):
        await db.sign_in.login("alice", PASSWORD, VISITOR)


async def test_a_reset_ends_all_sessions_and_keys_and_the_session_of_the_visitor(db: Database, redis: Redis) -> None:
    user, viewer = await stored_user(db, "alice")
    _, secret = await db.keys.create(viewer, "Script")
    token = await db.sign_in.start_session(user, remember=False, address="192.0.2.1")
    await stored_user(db, "bob")
    bob = await db.sign_in.login("bob", PASSWORD, VISITOR)
    assert isinstance(bob, SignedIn)
    await db.store.replace(structs.replace(user, force_reset=True))
    visitor = structs.replace(VISITOR, session_token=bob.token)
    outcome = await db.resets.reset(await code_of(db, "alice"), NEW, visitor)
    assert isinstance(outcome, SignedIn)
    assert await db.sign_in.by_session(token) is None
    assert await db.sign_in.by_session(bob.token) is None
    assert await db.sign_in.by_key(secret) is None
    assert await db.store.count(ApiKey) == 0
    assert len(await redis.keys("session:*")) == 1


@pytest.mark.parametrize("password", ["", "short", "1234567", "e\u0301" * 7, "x" * 1_001, "x" * 1_000_000])
async def test_a_failed_reset_changes_nothing_and_gives_a_new_code(db: Database, password: str) -> None:
    user = await forced(db, "alice")
    code = await code_of(db, "alice", remember=True)
    outcome = await db.resets.reset(code, password, VISITOR)
    assert isinstance(outcome, ResetNeeded)
    assert outcome.error is not None
    assert outcome.error.path == ("password",)
    assert outcome.code != code
    assert await stored(db, user) == user
    with pytest.raises(BadUserInput, match=r"^Invalid reset code\. Sign in again for another\.$"):
        await db.resets.reset(code, NEW, VISITOR)
    done = await db.resets.reset(outcome.code, NEW, VISITOR)
    assert isinstance(done, SignedIn)
    assert done.remember


async def test_what_is_no_code_is_told_so_and_nothing_else(db: Database) -> None:
    user = await forced(db, "alice")
    code = await code_of(db, "alice")
    for number, wrong in enumerate(["", code[:-1], "\0", "\ud800", user.id]):
        with pytest.raises(BadUserInput) as error:
            await db.resets.reset(wrong, "short", Visitor(address=f"192.0.2.{number}"))
        assert (error.value.message, error.value.path) == (
            "Invalid reset code. Sign in again for another.",
            ("reset_code",),
        )


VOIDED: list[Callable[[User], User]] = [
    lambda user: structs.replace(user, active=False),
    ended,
    lambda user: structs.replace(user, force_reset=False),
]


@pytest.mark.parametrize("change", VOIDED)
@pytest.mark.parametrize("password", [NEW, "short"])
async def test_a_code_is_void_when_things_have_changed(
    db: Database, change: Callable[[User], User], password: str
) -> None:
    user = await forced(db, "alice")
    code = await code_of(db, "alice")
    changed = await modify(db.store, User, user.id, change)
    with pytest.raises(BadUserInput, match=r"^Invalid reset code\. Sign in again for another\.$"):
        await db.resets.reset(code, password, VISITOR)
    assert await stored(db, user) == changed


async def test_a_code_of_a_user_who_is_gone_is_void(db: Database) -> None:
    user = await forced(db, "alice")
    code = await code_of(db, "alice")
    await db.store.delete(user)
    with pytest.raises(BadUserInput, match=r"^Invalid reset code\. Sign in again for another\.$"):
        await db.resets.reset(code, NEW, VISITOR)


@pytest.fixture
async def patient_db(
    services: ServiceUrls, postgres_url: str, redis: Redis, tmp_path: Path, clock: SteppingClock
) -> AsyncIterator[Database]:
    """Give a database with the server's own client of Redis, which waits where a hundred connect at once."""
    assert await redis.dbsize() == 0
    urls = StoreUrls(postgres_url)
    async with (
        connect(services.redis) as client,
        opened(urls, services.redis, client, tmp_path, clock) as database,
    ):
        yield database


async def test_of_a_hundred_resets_at_once_one_wins(patient_db: Database) -> None:
    db = patient_db
    user = await forced(db, "alice")
    code = await code_of(db, "alice")
    resets = [db.resets.reset(code, f"{NEW} {n}", Visitor(address=f"198.51.100.{n}")) for n in range(100)]
    outcomes = await asyncio.gather(*resets, return_exceptions=True)
    [winner] = [n for n, outcome in enumerate(outcomes) if isinstance(outcome, SignedIn)]
    assert {str(outcome) for outcome in outcomes if isinstance(outcome, BaseException)} == {
        "Invalid reset code. Sign in again for another."
    }
    assert isinstance(await db.sign_in.login("alice", f"{NEW} {winner}", VISITOR), SignedIn)
    assert (await stored(db, user)).credentials_version == user.credentials_version + 1


async def test_of_several_codes_of_one_user_one_wins(db: Database) -> None:
    await forced(db, "alice")
    codes = [await code_of(db, "alice") for _ in range(5)]
    resets = [db.resets.reset(code, NEW, VISITOR) for code in codes]
    outcomes = await asyncio.gather(*resets, return_exceptions=True)
    assert len([outcome for outcome in outcomes if isinstance(outcome, SignedIn)]) == 1
    assert {str(outcome) for outcome in outcomes if isinstance(outcome, BaseException)} == {
        "Invalid reset code. Sign in again for another."
    }


async def test_ten_tries_a_minute_from_one_address(db: Database) -> None:
    await forced(db, "alice")
    code = await code_of(db, "alice")
    for _ in range(10):
        with pytest.raises(BadUserInput):
            await db.resets.reset("wrong", NEW, VISITOR)
    with pytest.raises(RateLimited):
        await db.resets.reset(code, NEW, VISITOR)
    assert isinstance(await db.resets.reset(code, NEW, Visitor(address="192.0.2.2")), SignedIn)
