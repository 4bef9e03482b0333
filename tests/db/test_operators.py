from datetime import timedelta

import pytest
from msgspec import structs

from tests.factories.database import SteppingClock
from tests.factories.groups import stored_group
from tests.factories.users import PASSWORD, stored_user
from virtool_gql.db.database import Database
from virtool_gql.db.operators import Operators
from virtool_gql.db.passwords import Passwords
from virtool_gql.db.settings import SettingsChanges
from virtool_gql.db.sign_in import Visitor
from virtool_gql.errors import BadUserInput, Conflict, Forbidden, NotFound
from virtool_gql.models.documents import moment_of
from virtool_gql.models.users import ApiKey, Permission, User

VISITOR = Visitor(address="192.0.2.1", agent="test")


@pytest.fixture
def operators(db: Database) -> Operators:
    return Operators(db, Passwords(4))


async def test_an_administrator_is_made_whatever_users_there_are(db: Database, operators: Operators) -> None:
    await stored_user(db, "first")
    user = await operators.create_administrator("Ada", PASSWORD)
    assert (user.administrator, user.active, user.force_reset) == (True, True, False)
    with pytest.raises(Conflict, match="User already exists"):
        await operators.create_administrator("ADA", PASSWORD)
    with pytest.raises(BadUserInput, match="Reserved user name"):
        await operators.create_administrator("virtool", PASSWORD)
    with pytest.raises(BadUserInput, match=r"minimum length requirement \(8\)"):
        await operators.create_administrator("Bob", "a" * 7)


async def test_a_reset_ends_all_sessions_and_keys(db: Database, operators: Operators, clock: SteppingClock) -> None:
    user, viewer = await stored_user(db, "ada")
    _, secret = await db.keys.create(viewer, "key")
    session = (await db.sign_in.enter(user, VISITOR, remember=True)).token
    clock.moment += timedelta(hours=1)
    reset = await operators.reset_password("ADA", "another one")
    assert reset.force_reset
    assert reset.last_password_change > user.last_password_change
    assert await db.sign_in.by_session(session) is None
    assert await db.sign_in.by_key(secret) is None
    assert await db.store.count(ApiKey) == 0
    kept = await operators.reset_password("ada", "yet another", keep=True)
    assert not kept.force_reset
    assert kept.credentials_version == user.credentials_version + 2


async def test_a_user_is_activated_only_if_that_is_asked_for(db: Database, operators: Operators) -> None:
    user, _ = await stored_user(db, "ada")
    await db.store.replace(structs.replace(user, active=False))
    assert not (await operators.reset_password("ada", "another one")).active
    assert (await operators.reset_password("ada", "another one", activate=True)).active
    assert (await operators.reset_password("ada", "another one")).active


async def test_a_reset_that_is_refused_changes_nothing(db: Database, operators: Operators) -> None:
    user, _ = await stored_user(db, "ada")
    with pytest.raises(NotFound, match="There is no user of that handle"):
        await operators.reset_password("bob", "another one")
    with pytest.raises(BadUserInput, match="minimum length"):
        await operators.reset_password("ada", "short")
    assert await db.store.get(User, user.id) == user


async def test_passwords_are_made_up_as_long_as_the_settings_want(db: Database, operators: Operators) -> None:
    passwords = {await operators.new_password() for _ in range(10)}
    assert {len(password) for password in passwords} == {20}
    assert len(passwords) == 10
    _, administrator = await stored_user(db, "boss", administrator=True)
    await db.settings.update(administrator, SettingsChanges(minimum_password_length=100))
    await operators.create_administrator("ada", await operators.new_password())


async def test_a_key_has_what_its_user_may(db: Database, operators: Operators, clock: SteppingClock) -> None:
    group = await stored_group(db, "Lab", Permission.UPLOAD_FILE)
    user, _ = await stored_user(db, "ada", group_ids=[group.id])
    owner, secret = await operators.create_key("Ada", "script", [Permission.UPLOAD_FILE], days=2)
    viewer = await db.sign_in.by_key(secret)
    assert viewer is not None
    assert (owner.id, viewer.user_id, viewer.permissions) == (user.id, user.id, frozenset({Permission.UPLOAD_FILE}))
    key = await db.store.get(ApiKey, viewer.key_id or "")
    assert key is not None
    assert key.expires_at is not None
    assert timedelta(days=2) - timedelta(seconds=1) < moment_of(key.expires_at) - clock.moment <= timedelta(days=2)
    with pytest.raises(BadUserInput, match="ada does not have the permission REMOVE_JOB"):
        await operators.create_key("ada", "script", [Permission.UPLOAD_FILE, Permission.REMOVE_JOB])
    with pytest.raises(Forbidden, match="Only an administrator"):
        await operators.create_key("ada", "script", administrator=True)
    with pytest.raises(NotFound):
        await operators.create_key("bob", "script")
    await db.store.replace(structs.replace(user, active=False))
    with pytest.raises(Conflict, match="ada is deactivated"):
        await operators.create_key("ada", "script")
