import pytest

from tests.factories.users import stored_user, viewer_named
from virtool_gql.db.database import Database
from virtool_gql.errors import BadUserInput, Forbidden, NotFound
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
