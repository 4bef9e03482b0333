import asyncio

import pytest
from msgspec import structs

from tests.factories.files import ready_file_ids
from tests.factories.groups import stored_group
from tests.factories.samples import stored_sample
from tests.factories.users import PASSWORD, stored_user, viewer_named
from virtool_gql.access import Viewer
from virtool_gql.db import group_traces
from virtool_gql.db.database import Database
from virtool_gql.db.groups import GroupChanges
from virtool_gql.db.samples import NewSample, RightsChanges
from virtool_gql.db.users import NewUser, UserChanges
from virtool_gql.errors import BadUserInput, Conflict, Forbidden, NotFound, VirtoolError
from virtool_gql.models.samples import Sample
from virtool_gql.models.users import Group, Permission, User
from virtool_gql.query import Eq, Has, Or, Page

ROOT = viewer_named("root", administrator=True)
KEY = structs.replace(ROOT, administrator=False, key_id="key00000")


@pytest.mark.parametrize("viewer", [viewer_named("stranger", *Permission), KEY])
async def test_only_administrators_make_change_and_delete_groups(db: Database, viewer: Viewer) -> None:
    group = await stored_group(db)
    with pytest.raises(Forbidden, match="administrator"):
        await db.groups.create(viewer, "Others")
    for id in (group.id, "nothere0", "../x"):
        with pytest.raises(Forbidden):
            await db.groups.update(viewer, id, GroupChanges(name="Others"))
        with pytest.raises(Forbidden):
            await db.groups.delete(viewer, id)
    assert await db.groups.get(viewer, group.id) == group


async def test_a_group_is_there_once(db: Database) -> None:
    group = await stored_group(db, "  Virologists ")
    assert (group.name, group.version) == ("Virologists", 1)
    others = await stored_group(db, "Others")
    for name in ("VIROLOGISTS", "\uff36irologists", "Viro\u200blogists", "Virologists\u2060"):
        with pytest.raises(Conflict, match=r"Group already exists\."):
            await stored_group(db, name)
        with pytest.raises(Conflict, match=r"Group already exists\."):
            await db.groups.update(ROOT, others.id, GroupChanges(name=name))
    assert (await db.groups.update(ROOT, group.id, GroupChanges(name="VIROLOGISTS"))).name == "VIROLOGISTS"


@pytest.mark.parametrize(
    "name", ["", "  ", "\u3000", "\u200b", "\u3164\u2060", "a\x00b", "a\nb", "\ud800", "x" * 10_000_000]
)
async def test_names_that_cannot_be(db: Database, name: str) -> None:
    group = await stored_group(db)
    with pytest.raises(BadUserInput) as error:
        await db.groups.create(ROOT, name)
    assert error.value.path == ("name",)
    with pytest.raises(BadUserInput):
        await db.groups.update(ROOT, group.id, GroupChanges(name=name))


async def test_permissions_are_those_of_the_groups_at_the_moment(db: Database) -> None:
    group = await db.groups.create(ROOT, "Virologists", [Permission.UPLOAD_FILE, Permission.UPLOAD_FILE])
    assert group.permissions == (Permission.UPLOAD_FILE,)
    user, _ = await stored_user(db, "alice", group_ids=[group.id])
    for permissions in (tuple(Permission), (Permission.CANCEL_JOB,), ()):
        await db.groups.update(ROOT, group.id, GroupChanges(permissions=permissions))
        viewer = await db.users.viewer(user.id)
        assert viewer is not None
        assert viewer.permissions == set(permissions)
        assert await db.users.get(ROOT, user.id) == user  # nothing is copied


async def test_a_change_of_another_version_is_refused(db: Database) -> None:
    group = await stored_group(db)
    changes = [GroupChanges(name=f"Group {number}") for number in range(20)]
    answers = await asyncio.gather(
        *(db.groups.update(ROOT, group.id, change, expected_version=1) for change in changes), return_exceptions=True
    )
    landed = [answer for answer in answers if isinstance(answer, Group)]
    assert len(landed) == 1
    assert sum(isinstance(answer, Conflict) for answer in answers) == 19
    assert (await db.groups.update(ROOT, group.id, GroupChanges(), expected_version=2)) == landed[0]


async def test_the_same_request_a_hundred_times_makes_one_group(db: Database) -> None:
    answers = await asyncio.gather(*(db.groups.create(ROOT, "Virologists", idempotency_key="once") for _ in range(100)))
    assert len(set(answers)) == 1
    assert await db.store.count(Group) == 1


async def test_members_of_many_groups(db: Database) -> None:
    first, second, empty = [await stored_group(db, name) for name in ("First", "Second", "Empty")]
    for handle, group_ids in (("carl", [first.id]), ("Bob", [first.id, second.id]), ("alice", [])):
        await stored_user(db, handle, group_ids=group_ids)
    members = await db.groups.members(ROOT, [first.id, second.id, empty.id])
    handles = {id: [user.handle for user in users] for id, users in members.items()}
    assert handles == {first.id: ["Bob", "carl"], second.id: ["Bob"], empty.id: []}
    counts = await db.groups.count_members(ROOT, [first.id, second.id, empty.id])
    assert counts == {first.id: 2, second.id: 1, empty.id: 0}


async def traces(db: Database, group_id: str) -> int:
    named = Or(Has("group_ids", group_id), Eq("primary_group_id", group_id))
    return await db.store.count(User, named) + await db.store.count(Sample, Eq("group_id", group_id))


async def test_a_group_that_is_deleted_leaves_no_trace(each_db: Database) -> None:
    db = each_db
    gone, other = await stored_group(db, "Gone"), await stored_group(db, "Other")
    root = (await stored_user(db, "root", administrator=True))[1]
    new = NewUser(handle="alice", password=PASSWORD, group_ids=(gone.id, other.id), primary_group_id=gone.id)
    alice = await db.users.add(root, new)
    bob, _ = await stored_user(db, "bob", group_ids=[other.id])
    sample = await stored_sample(db, group_id=gone.id)
    assert await db.groups.delete(root, gone.id) == gone
    assert await traces(db, gone.id) == 0
    alice = await db.users.get(root, alice.id)
    assert (alice.group_ids, alice.primary_group_id) == ((other.id,), None)
    assert await db.users.get(root, bob.id) == bob
    assert (await db.samples.get(root, sample.id)).group_id is None
    for attempt in (db.groups.delete(root, gone.id), db.groups.update(root, gone.id, GroupChanges(name="Back"))):
        with pytest.raises(NotFound):
            await attempt


async def test_a_group_of_more_than_one_transaction_holds_is_deleted(db: Database) -> None:
    group = await stored_group(db)
    user = (await stored_user(db, "alice", group_ids=[group.id]))[0]
    count = group_traces.MOST_AT_ONCE + 10
    many = [
        structs.replace(user, id=f"user{number:04}", handle=f"user{number}", handle_key=f"user{number}")
        for number in range(count)
    ]
    await db.store.insert(*many)
    await db.groups.delete(ROOT, group.id)
    assert await traces(db, group.id) == 0
    assert {user.version for user in (await db.store.find(User, page=Page(first=None))).documents} == {2}


async def test_who_joins_while_the_group_is_deleted_is_not_in_it_either(
    each_db: Database, request: pytest.FixtureRequest
) -> None:
    db, in_postgres = each_db, request.node.callspec.params["each_db"] == "db"
    root = (await stored_user(db, "root", administrator=True))[1]
    users = [(await stored_user(db, f"user{number}"))[0] for number in range(12 if in_postgres else 4)]
    for round in range(5 if in_postgres else 2):
        group = await stored_group(db, f"Group {round}")
        join = UserChanges(group_ids=(group.id,), primary_group_id=group.id)
        new = [NewUser(handle=f"{round} {number}", password=PASSWORD, group_ids=(group.id,)) for number in range(4)]
        answers = await asyncio.gather(
            *(db.users.update(root, user.id, join) for user in users[::2]),
            *(db.users.add(root, user) for user in new[:2]),
            db.groups.delete(root, group.id),
            *(db.users.update(root, user.id, join) for user in users[1::2]),
            *(db.users.add(root, user) for user in new[2:]),
            return_exceptions=True,
        )
        assert all(isinstance(answer, User | Group | VirtoolError) for answer in answers), answers
        assert await db.store.get(Group, group.id) is None
        assert await traces(db, group.id) == 0


async def test_what_is_given_to_a_group_while_it_is_deleted_is_not_in_it_either(db: Database) -> None:
    owner = viewer_named("owner", Permission.CREATE_SAMPLE)
    samples = [await stored_sample(db, "owner", f"Leaf {number}") for number in range(10)]
    for round in range(5):
        group = await stored_group(db, f"Group {round}")
        given = RightsChanges(group_id=group.id)
        new = [
            NewSample(name=f"New {round} {number}", file_ids=await ready_file_ids(db), group_id=group.id)
            for number in range(4)
        ]
        answers = await asyncio.gather(
            *(db.samples.update_rights(owner, sample.id, given) for sample in samples[::2]),
            db.groups.delete(ROOT, group.id),
            *(db.samples.update_rights(owner, sample.id, given) for sample in samples[1::2]),
            *(db.samples.create(owner, sample) for sample in new),
            return_exceptions=True,
        )
        assert all(isinstance(answer, Sample | Group | tuple | VirtoolError) for answer in answers), answers
        assert await traces(db, group.id) == 0


async def test_of_two_who_delete_a_group_one_finds_it_gone(db: Database) -> None:
    group = await stored_group(db)
    answers = await asyncio.gather(*(db.groups.delete(ROOT, group.id) for _ in range(10)), return_exceptions=True)
    assert sorted(type(answer).__name__ for answer in answers) == ["Group", *["NotFound"] * 9]
