"""What people change of themselves: their own, by a session, and nothing of others."""

import asyncio
from datetime import timedelta

import pytest
from msgspec import structs
from redis.asyncio import Redis

from tests.factories.database import SteppingClock
from tests.factories.users import PASSWORD, stored_user
from virtool_gql.access import Viewer
from virtool_gql.db.account import AccountChanges, SettingsChanges
from virtool_gql.db.credentials import ended
from virtool_gql.db.database import Database
from virtool_gql.db.sign_in import SignedIn, Visitor
from virtool_gql.errors import BadUserInput, Conflict, Forbidden, NotFound, RateLimited
from virtool_gql.models.documents import to_builtins
from virtool_gql.models.users import AccountSettings, ApiKey, User
from virtool_gql.stores.documents import modify
from virtool_gql.workflows import Workflow

NEW = "a better horse"
VISITOR = Visitor(address="192.0.2.1", agent="curl/8")


async def entered(db: Database, handle: str, *, remember: bool = False) -> tuple[Viewer, str]:
    """Sign in; give the viewer and the token."""
    outcome = await db.sign_in.login(handle, PASSWORD, VISITOR, remember=remember)
    assert isinstance(outcome, SignedIn)
    viewer = await db.sign_in.by_session(outcome.token)
    assert viewer is not None
    return viewer, outcome.token


# Rights


async def test_no_key_changes_an_account(db: Database) -> None:
    _, viewer = await stored_user(db, "alice", administrator=True)
    _, secret = await db.keys.create(viewer, "Script", administrator=True)
    by_key = await db.sign_in.by_key(secret)
    assert by_key is not None
    [session, *_] = [await entered(db, "alice")]
    [own] = await db.account.sessions(by_key)
    before = await db.account.get(by_key)
    for attempt in (
        lambda: db.account.update(by_key, AccountChanges(email="a@example.org")),
        lambda: db.account.update(by_key, AccountChanges(password=NEW), old_password=PASSWORD),
        lambda: db.account.update_settings(by_key, SettingsChanges(show_ids=False)),
        lambda: db.account.end_session(by_key, own.id),
        lambda: db.account.end_other_sessions(by_key, None),
    ):
        with pytest.raises(Forbidden):
            await attempt()
    assert await db.account.get(by_key) == before
    assert await db.sign_in.by_session(session[1]) is not None


async def test_the_sessions_of_others_are_not_there(db: Database) -> None:
    await stored_user(db, "alice")
    await stored_user(db, "admin", administrator=True)
    alice, token = await entered(db, "alice")
    administrator, _ = await entered(db, "admin")
    [session] = await db.account.sessions(alice)
    assert session.id not in {own.id for own in await db.account.sessions(administrator)}
    for id in (session.id, "unknown0", token, ""):
        with pytest.raises(NotFound) as error:
            await db.account.end_session(administrator, id)
        assert error.value.message == "There is no session of that id."
    assert await db.sign_in.by_session(token) is not None


# E-mail and password


@pytest.mark.parametrize("email", ["a@example.org", " a.b+c@sub.example.org ", ""])
async def test_an_address_is_stored(db: Database, email: str) -> None:
    _, viewer = await stored_user(db, "alice")
    user = await db.account.update(viewer, AccountChanges(email=email))
    assert user.email == email.strip()
    again = await db.account.update(viewer, AccountChanges(email=email))
    assert again.version == user.version


@pytest.mark.parametrize("email", ["a", "a@b", "@example.org", "a b@example.org", "a@example.org\0", "x" * 10_000_000])
async def test_what_is_no_address_is_refused(db: Database, email: str) -> None:
    user, viewer = await stored_user(db, "alice")
    with pytest.raises(BadUserInput) as error:
        await db.account.update(viewer, AccountChanges(email=email))
    assert error.value.path == ("email",)
    assert await db.account.get(viewer) == user


async def test_a_new_password_ends_everything_but_the_session_that_set_it(db: Database, redis: Redis) -> None:
    await stored_user(db, "alice")
    viewer, token = await entered(db, "alice")
    _, other = await entered(db, "alice", remember=True)
    _, secret = await db.keys.create(viewer, "Script")
    [key] = [key for key in await redis.keys("session:*") if await redis.ttl(key) <= 3600]
    await redis.expire(key, 1_000)
    user = await db.account.update(viewer, AccountChanges(password=NEW), old_password=PASSWORD, token=token)
    assert user.last_password_change > user.created_at
    assert set(await db.sign_in.still_sessions([token, other])) == {token}
    assert await redis.keys("session:*") == [key]
    assert 990 < await redis.ttl(key) <= 1_000
    assert await db.sign_in.by_key(secret) is None
    assert await db.store.count(ApiKey) == 0
    assert isinstance(await db.sign_in.login("alice", NEW, VISITOR), SignedIn)
    with pytest.raises(BadUserInput):
        await db.sign_in.login("alice", PASSWORD, VISITOR)


async def test_the_kept_session_ends_with_the_next_change(db: Database) -> None:
    await stored_user(db, "alice")
    viewer, token = await entered(db, "alice")
    await db.account.update(viewer, AccountChanges(password=NEW), old_password=PASSWORD, token=token)
    now = await db.sign_in.by_session(token)
    assert now is not None
    await db.account.update(now, AccountChanges(password=PASSWORD), old_password=NEW, token=token)
    assert await db.sign_in.by_session(token) is not None
    await modify(db.store, User, viewer.user_id, ended)
    assert await db.sign_in.by_session(token) is None


async def test_the_own_session_works_at_every_moment_of_the_change(db: Database) -> None:
    await stored_user(db, "alice")
    viewer, token = await entered(db, "alice")
    change = asyncio.create_task(
        db.account.update(viewer, AccountChanges(password=NEW), old_password=PASSWORD, token=token)
    )
    looks = 0
    while not change.done():
        assert set(await db.sign_in.still_sessions([token])) == {token}
        looks += 1
    await change
    assert looks > 5


@pytest.mark.parametrize("old_password", ["wrong password", "", PASSWORD + "x", None])
async def test_without_the_old_password_nothing_changes(db: Database, old_password: str | None) -> None:
    user, _ = await stored_user(db, "alice")
    viewer, token = await entered(db, "alice")
    with pytest.raises(BadUserInput) as error:
        await db.account.update(
            viewer, AccountChanges(email="a@example.org", password=NEW), old_password=old_password, token=token
        )
    assert error.value.path == ("old_password",)
    assert old_password is None or error.value.message == "Invalid credentials."
    assert await db.account.get(viewer) == user


@pytest.mark.parametrize("password", ["", "1234567", "e\u0301" * 7, "x" * 1_001, "x" * 1_000_000])
async def test_an_unacceptable_password_changes_nothing(db: Database, password: str) -> None:
    user, viewer = await stored_user(db, "alice")
    with pytest.raises(BadUserInput) as error:
        await db.account.update(viewer, AccountChanges(password=password), old_password=PASSWORD)
    assert error.value.path == ("password",)
    assert await db.account.get(viewer) == user


@pytest.mark.parametrize("password", ["x" * 72 + "y", "zero\0 byte", "Bla\u0308tterwald", "\ud800 alone here"])
async def test_passwords_of_every_kind_count_as_a_whole(db: Database, password: str) -> None:
    _, viewer = await stored_user(db, "alice")
    await db.account.update(viewer, AccountChanges(password=password), old_password=PASSWORD)
    assert isinstance(await db.sign_in.login("alice", password, VISITOR), SignedIn)
    for wrong in (password[:-1], password.partition("\0")[0] + "x", password[:72] + "z"):
        with pytest.raises(BadUserInput):
            await db.sign_in.login("alice", wrong, VISITOR)


async def test_a_stolen_session_cannot_guess_the_password(db: Database) -> None:
    await stored_user(db, "alice")
    viewer, token = await entered(db, "alice")
    for _ in range(10):
        with pytest.raises(BadUserInput):
            await db.account.update(viewer, AccountChanges(password=NEW), old_password="guess", token=token)
    with pytest.raises(RateLimited):
        await db.account.update(viewer, AccountChanges(password=NEW), old_password=PASSWORD, token=token)
    assert (await db.account.update(viewer, AccountChanges(email="a@example.org"))).email == "a@example.org"


async def test_who_was_signed_out_in_the_meantime_changes_no_password(db: Database) -> None:
    await stored_user(db, "alice")
    viewer, token = await entered(db, "alice")
    await modify(db.store, User, viewer.user_id, ended)
    with pytest.raises(Conflict):
        await db.account.update(viewer, AccountChanges(password=NEW), old_password=PASSWORD, token=token)
    assert await db.sign_in.by_session(token) is None
    assert isinstance(await db.sign_in.login("alice", PASSWORD, VISITOR), SignedIn)


async def test_of_many_changes_at_once_one_wins(db: Database) -> None:
    await stored_user(db, "alice")
    viewer, token = await entered(db, "alice")
    changes = [
        db.account.update(viewer, AccountChanges(password=f"{NEW} {n}"), old_password=PASSWORD, token=token)
        for n in range(10)
    ]
    outcomes = await asyncio.gather(*changes, return_exceptions=True)
    [winner] = [n for n, outcome in enumerate(outcomes) if isinstance(outcome, User)]
    assert isinstance(await db.sign_in.login("alice", f"{NEW} {winner}", VISITOR), SignedIn)
    assert await db.sign_in.by_session(token) is not None


async def test_the_password_beside_a_hundred_other_changes(db: Database) -> None:
    await stored_user(db, "alice")
    viewer, token = await entered(db, "alice")
    await asyncio.gather(
        db.account.update(viewer, AccountChanges(password=NEW), old_password=PASSWORD, token=token),
        *(db.account.update_settings(viewer, SettingsChanges(show_ids=n % 2 == 0)) for n in range(20)),
        *(db.account.update(viewer, AccountChanges(email=f"a{n}@example.org")) for n in range(20)),
    )
    assert isinstance(await db.sign_in.login("alice", NEW, VISITOR), SignedIn)
    assert (await db.account.get(viewer)).email.startswith("a")


# Settings


async def test_settings_are_kept_under_settings(db: Database) -> None:
    before, viewer = await stored_user(db, "alice")
    await stored_user(db, "bob")
    after = await db.account.update_settings(viewer, SettingsChanges(show_ids=False, show_versions=False))
    assert after.settings == AccountSettings(show_ids=False, show_versions=False)
    changes = SettingsChanges(quick_analyze_workflow=Workflow.NUVS, skip_quick_analyze_dialog=False)
    after = await db.account.update_settings(viewer, changes)
    stored = to_builtins(await db.account.get(viewer))
    assert stored["settings"] == {
        "show_ids": False,
        "show_versions": False,
        "skip_quick_analyze_dialog": False,
        "quick_analyze_workflow": "nuvs",
    }
    assert structs.replace(after, settings=before.settings, version=before.version) == before
    bob = await db.users.by_handle("bob")
    assert bob is not None
    assert bob.settings == AccountSettings()


async def test_settings_that_stay_write_nothing(db: Database) -> None:
    user, viewer = await stored_user(db, "alice")
    assert await db.account.update_settings(viewer, SettingsChanges(show_ids=True)) == user
    assert await db.account.update_settings(viewer, SettingsChanges()) == user


async def test_only_an_analysis_is_started_by_one_click(db: Database) -> None:
    _, viewer = await stored_user(db, "alice")
    with pytest.raises(BadUserInput) as error:
        await db.account.update_settings(viewer, SettingsChanges(quick_analyze_workflow=Workflow.CREATE_SAMPLE))
    assert error.value.path == ("quick_analyze_workflow",)


# Sessions


async def test_sessions_are_listed_as_they_are(db: Database, clock: SteppingClock) -> None:
    await stored_user(db, "alice")
    viewer, token = await entered(db, "alice")
    clock.moment += timedelta(minutes=5)
    await entered(db, "alice", remember=True)
    remembered, first = await db.account.sessions(viewer)
    assert (remembered.remember, first.remember) == (True, False)
    assert {session.agent for session in (remembered, first)} == {"curl/8"}
    assert await db.account.session_id(token) == first.id
    assert await db.account.session_id(None) is None
    clock.moment += timedelta(minutes=5)
    await db.sign_in.by_session(token)
    latest = (await db.account.sessions(viewer))[0]
    assert latest.id == first.id
    assert latest.last_used_at > first.last_used_at
    assert latest.expires_at > first.expires_at


async def test_sessions_that_work_no_more_are_not_listed(db: Database) -> None:
    await stored_user(db, "alice")
    viewer, _ = await entered(db, "alice")
    user = await modify(db.store, User, viewer.user_id, ended)
    token = await db.sign_in.start_session(user, remember=False, address="192.0.2.7")
    assert [session.address for session in await db.account.sessions(viewer)] == ["192.0.2.7"]
    assert await db.account.end_other_sessions(viewer, token) == 0


async def test_one_or_all_others_are_ended(db: Database) -> None:
    await stored_user(db, "alice")
    viewer, own = await entered(db, "alice")
    others = [(await entered(db, "alice"))[1] for _ in range(3)]
    id = await db.account.session_id(others[0])
    assert id is not None
    await db.account.end_session(viewer, id)
    assert set(await db.sign_in.still_sessions([own, *others])) == {own, *others[1:]}
    with pytest.raises(NotFound):
        await db.account.end_session(viewer, id)
    assert await db.account.end_other_sessions(viewer, own) == 2
    assert set(await db.sign_in.still_sessions([own, *others])) == {own}
    assert await db.account.end_other_sessions(viewer, own) == 0
