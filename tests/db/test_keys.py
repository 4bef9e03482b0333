import asyncio
from datetime import timedelta

import pytest
from msgspec import structs

from tests.factories.database import SteppingClock
from tests.factories.groups import stored_group
from tests.factories.users import stored_user, viewer_named
from virtool_gql.db.database import Database
from virtool_gql.db.groups import GroupChanges
from virtool_gql.db.keys import KeyChanges
from virtool_gql.db.users import UserChanges
from virtool_gql.errors import BadUserInput, Conflict, Forbidden, NotFound
from virtool_gql.models.documents import timestamp
from virtool_gql.models.users import ApiKey, Permission

OWNER = viewer_named("owner", Permission.UPLOAD_FILE, Permission.CREATE_SAMPLE)
ADMINISTRATOR = viewer_named("admin", administrator=True)


async def test_nobody_sees_or_deletes_the_keys_of_others(db: Database) -> None:
    key, _ = await db.keys.create(OWNER, "Script")
    for viewer in (viewer_named("stranger"), ADMINISTRATOR):
        assert (await db.keys.find(viewer)).documents == []
        assert await db.keys.get_many(viewer, [key.id]) == {}
        with pytest.raises(NotFound):
            await db.keys.delete(viewer, key.id)
    assert (await db.keys.find(OWNER)).documents == [key]
    await db.keys.delete(OWNER, key.id)
    assert await db.keys.count(OWNER) == 0


async def test_a_key_gets_no_more_than_its_owner_has(db: Database) -> None:
    key, _ = await db.keys.create(OWNER, "Script", [Permission.UPLOAD_FILE, Permission.REMOVE_JOB])
    assert key.permissions == (Permission.UPLOAD_FILE,)
    with pytest.raises(Forbidden):
        await db.keys.create(OWNER, "Script", administrator=True)
    key, _ = await db.keys.create(ADMINISTRATOR, "Script", [Permission.REMOVE_JOB], administrator=True)
    assert (key.permissions, key.administrator) == ((Permission.REMOVE_JOB,), True)


async def test_a_key_neither_makes_nor_deletes_keys(db: Database) -> None:
    key, _ = await db.keys.create(OWNER, "Script")
    through_key = viewer_named("owner", key_id=key.id)
    with pytest.raises(Forbidden, match="sign in with your password"):
        await db.keys.create(through_key, "Another")
    with pytest.raises(Forbidden):
        await db.keys.delete(through_key, key.id)


async def test_the_secret_is_not_kept(db: Database) -> None:
    _, secret = await db.keys.create(OWNER, "Script")
    stored = (await db.store.find(ApiKey)).documents[0]
    assert len(secret) >= 40
    assert secret not in repr(stored)


async def test_a_key_has_a_name(db: Database) -> None:
    with pytest.raises(BadUserInput, match="A value is needed for name"):
        await db.keys.create(OWNER, " ")


async def test_a_key_of_an_administrator_is_none_unless_it_is_said(db: Database) -> None:
    _, viewer = await stored_user(db, "root", administrator=True)
    _, plain = await db.keys.create(viewer, "plain", [Permission.UPLOAD_FILE])
    _, full = await db.keys.create(viewer, "full", list(Permission), administrator=True)
    by_plain, by_full = await db.sign_in.by_key(plain), await db.sign_in.by_key(full)
    assert by_plain is not None
    assert by_full is not None
    assert (by_plain.administrator, by_plain.permissions) == (False, frozenset({Permission.UPLOAD_FILE}))
    assert by_full.administrator


async def test_nobody_changes_the_keys_of_others(db: Database) -> None:
    key, _ = await db.keys.create(OWNER, "Script")
    for viewer in (viewer_named("stranger"), ADMINISTRATOR):
        with pytest.raises(NotFound):
            await db.keys.update(viewer, key.id, KeyChanges(name="Mine"))
        assert await db.keys.delete_all(viewer) == 0
    through_key = viewer_named("owner", key_id=key.id)
    with pytest.raises(Forbidden):
        await db.keys.update(through_key, key.id, KeyChanges(name="Mine"))
    with pytest.raises(Forbidden):
        await db.keys.delete_all(through_key)
    assert (await db.keys.find(OWNER)).documents == [key]


async def test_a_key_is_changed_by_its_owner(db: Database) -> None:
    key, _ = await db.keys.create(OWNER, "Script", [Permission.UPLOAD_FILE])
    renamed = await db.keys.update(OWNER, key.id, KeyChanges(name="Robot"))
    assert renamed == structs.replace(key, name="Robot", version=2)
    more = KeyChanges(permissions=(Permission.CREATE_SAMPLE, Permission.REMOVE_JOB))
    assert (await db.keys.update(OWNER, key.id, more)).permissions == (Permission.CREATE_SAMPLE,)
    with pytest.raises(Forbidden):
        await db.keys.update(OWNER, key.id, KeyChanges(administrator=True))
    with pytest.raises(Conflict):
        await db.keys.update(OWNER, key.id, KeyChanges(name="Robot 2"), expected_version=2)
    with pytest.raises(BadUserInput, match="A value is needed for name"):
        await db.keys.update(OWNER, key.id, KeyChanges(name="\u200b"))
    key, _ = await db.keys.create(ADMINISTRATOR, "Script")
    assert (await db.keys.update(ADMINISTRATOR, key.id, KeyChanges(administrator=True))).administrator


async def test_a_key_expires(db: Database, clock: SteppingClock) -> None:
    _, viewer = await stored_user(db, "alice")
    soon = timestamp(clock.moment + timedelta(hours=1))
    key, secret = await db.keys.create(viewer, "Script", expires_at=soon)
    assert await db.sign_in.by_key(secret) is not None
    for refused in (timestamp(clock.moment), timestamp(clock.moment - timedelta(days=1))):
        with pytest.raises(BadUserInput, match="expires in the future"):
            await db.keys.create(viewer, "Script", expires_at=refused)
        with pytest.raises(BadUserInput, match="expires in the future"):
            await db.keys.update(viewer, key.id, KeyChanges(expires_at=refused))
    clock.moment += timedelta(hours=1)
    assert await db.sign_in.by_key(secret) is None
    await db.keys.update(viewer, key.id, KeyChanges(expires_at=None))
    assert await db.sign_in.by_key(secret) is not None


async def test_a_permission_counts_as_long_as_the_owner_has_it(db: Database) -> None:
    _, root = await stored_user(db, "root", administrator=True)
    group = await stored_group(db, "Uploaders", Permission.UPLOAD_FILE)
    user, viewer = await stored_user(db, "alice", group_ids=[group.id])
    _, secret = await db.keys.create(viewer, "Script", [Permission.UPLOAD_FILE])

    async def permissions() -> frozenset[Permission]:
        found = await db.sign_in.by_key(secret)
        assert found is not None
        return found.permissions

    assert await permissions() == {Permission.UPLOAD_FILE}
    await db.users.update(root, user.id, UserChanges(group_ids=()))
    assert await permissions() == frozenset()
    await db.users.update(root, user.id, UserChanges(group_ids=(group.id,)))
    assert await permissions() == {Permission.UPLOAD_FILE}
    await db.groups.update(root, group.id, GroupChanges(permissions=(Permission.REMOVE_JOB,)))
    assert await permissions() == frozenset()


async def test_a_key_of_an_administrator_is_none_when_its_owner_is_none(db: Database) -> None:
    _, root = await stored_user(db, "root", administrator=True)
    user, other = await stored_user(db, "other", administrator=True)
    _, secret = await db.keys.create(other, "full", list(Permission), administrator=True)
    await db.users.update(root, user.id, UserChanges(administrator=False))
    await db.users.update(root, user.id, UserChanges(administrator=True))
    assert await db.sign_in.by_key(secret) is None


async def test_a_key_that_is_made_while_its_owner_is_signed_out_does_not_work(db: Database) -> None:
    _, root = await stored_user(db, "root", administrator=True)
    user, viewer = await stored_user(db, "alice")
    await db.users.update(root, user.id, UserChanges(force_reset=True))
    _, secret = await db.keys.create(viewer, "Script")
    assert await db.sign_in.by_key(secret) is None


async def test_all_keys_are_deleted_also_while_they_are_used(db: Database) -> None:
    _, viewer = await stored_user(db, "alice")
    secrets = [(await db.keys.create(viewer, f"Script {number}"))[1] for number in range(10)]
    used, count = asyncio.gather(*map(db.sign_in.by_key, secrets)), db.keys.delete_all(viewer)
    assert (await asyncio.gather(count, used))[0] == 10
    assert [await db.sign_in.by_key(secret) for secret in secrets] == [None] * 10
    assert await db.keys.delete_all(viewer) == 0
