import asyncio

import pytest
from msgspec import structs

from tests.factories.groups import stored_group
from tests.factories.users import PASSWORD, stored_user
from virtool_gql.db.database import Database
from virtool_gql.errors import BadUserInput, Conflict, VirtoolError
from virtool_gql.models.settings import Settings
from virtool_gql.models.users import Permission, User


async def test_of_fifty_first_users_one_is_made(db: Database) -> None:
    assert not await db.users.any_exist()
    answers = await asyncio.gather(
        *(db.users.create_first(f"user{number}", PASSWORD) for number in range(50)), return_exceptions=True
    )
    made = [answer for answer in answers if isinstance(answer, User)]
    refused = [answer for answer in answers if isinstance(answer, Conflict)]
    assert (len(made), len(refused)) == (1, 49)
    assert {error.message for error in refused} == {"Virtool already has at least one user."}
    assert await db.store.count(User) == 1
    assert made[0].administrator
    assert not made[0].force_reset


async def test_there_is_no_first_user_after_another(db: Database) -> None:
    await stored_user(db, "alice")
    assert await db.users.any_exist()
    with pytest.raises(Conflict):
        await db.users.create_first("bob", PASSWORD)


@pytest.mark.parametrize(("handle", "password"), [("", PASSWORD), ("alice", "short"), ("virtool", PASSWORD)])
async def test_a_first_user_that_is_refused_leaves_the_way_free(db: Database, handle: str, password: str) -> None:
    with pytest.raises(BadUserInput):
        await db.users.create_first(handle, password)
    assert (await db.users.create_first("alice", PASSWORD)).handle == "alice"


async def test_a_handle_is_taken_in_every_spelling(db: Database) -> None:
    await stored_user(db, "Straße")
    with pytest.raises(Conflict, match=r"User already exists\.") as error:
        await db.users.create("STRASSE", PASSWORD)
    assert error.value.path == ("handle",)


async def test_the_settings_say_how_long_a_password_is(db: Database) -> None:
    await db.store.insert(Settings(id="settings", minimum_password_length=20))
    with pytest.raises(BadUserInput, match=r"\(20\)"):
        await db.users.create("alice", PASSWORD)


async def test_groups_of_a_user_exist(db: Database) -> None:
    with pytest.raises(BadUserInput, match=r"Groups do not exist: nothing1, nothing2\."):
        await db.users.create("alice", PASSWORD, group_ids=["nothing2", "nothing1"])


async def test_a_viewer_may_what_the_groups_may_at_the_moment(db: Database) -> None:
    group = await stored_group(db, "Uploaders", Permission.UPLOAD_FILE)
    other = await stored_group(db, "Creators", Permission.CREATE_SAMPLE)
    user, viewer = await stored_user(db, "alice", group_ids=[group.id, other.id])
    assert viewer.permissions == {Permission.UPLOAD_FILE, Permission.CREATE_SAMPLE}
    assert viewer.group_ids == {group.id, other.id}
    await db.store.replace(structs.replace(group, permissions=(Permission.CANCEL_JOB,)))
    later = await db.users.viewer(user.id)
    assert later is not None
    assert later.permissions == {Permission.CANCEL_JOB, Permission.CREATE_SAMPLE}


async def test_a_group_that_is_gone_gives_nothing(db: Database) -> None:
    group = await stored_group(db, "Uploaders", Permission.UPLOAD_FILE)
    user, _ = await stored_user(db, "alice", group_ids=[group.id])
    await db.store.delete(group)
    viewer = await db.users.viewer(user.id)
    assert viewer is not None
    assert viewer.permissions == frozenset()


async def test_a_deactivated_user_is_no_viewer(db: Database) -> None:
    user, _ = await stored_user(db, "alice")
    await db.store.replace(structs.replace(user, active=False))
    assert await db.users.viewer(user.id) is None
    assert await db.users.viewer("nobody00") is None


async def test_no_password_is_stored_or_told(db: Database) -> None:
    user, viewer = await stored_user(db, "alice")
    assert PASSWORD not in repr(user)
    changes = db.users.changes(lambda: viewer, after=None)
    told = asyncio.ensure_future(anext(changes))
    while not told.done():
        user = (await db.store.replace(structs.replace(user, email=f"{user.version}@example.org")))[0]
        await asyncio.wait([told], timeout=0.05)
    assert "password_hash" not in (await told).document
    await changes.aclose()


@pytest.mark.parametrize("handle", ["", "x" * 10_000, "a\0", "\ud800", "a:b", "virtool"])
async def test_a_handle_that_cannot_be_is_nobodys(db: Database, handle: str) -> None:
    assert await db.users.by_handle(handle) is None


async def test_a_race_for_a_handle_has_one_winner(db: Database) -> None:
    answers = await asyncio.gather(*(db.users.create("alice", PASSWORD) for _ in range(10)), return_exceptions=True)
    assert sum(isinstance(answer, User) for answer in answers) == 1
    assert sum(isinstance(answer, VirtoolError) for answer in answers) == 9
