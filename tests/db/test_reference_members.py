import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from msgspec import structs

from tests.factories.groups import stored_group
from tests.factories.references import member, stored_reference
from tests.factories.users import stored_user, viewer_named
from virtool_gql.access import Viewer, has_right
from virtool_gql.db.database import Database
from virtool_gql.db.group_traces import MOST_AT_ONCE
from virtool_gql.db.reference_members import MemberRights, ReferenceMembers
from virtool_gql.db.references import ReferenceChanges
from virtool_gql.errors import BadUserInput, Conflict, Forbidden, NotFound
from virtool_gql.models.references import Member, Reference, Right
from virtool_gql.models.users import Group, User
from virtool_gql.query import Has

STRANGER = viewer_named("stranger")
READER = viewer_named("reader")
WRITER = viewer_named("writer")
OWNER = viewer_named("owner")
ADMINISTRATOR = viewer_named("root", administrator=True)

USERS = (member("reader", Right.BUILD, Right.MODIFY_OTU, Right.REMOVE), member("writer", Right.MODIFY))

Members = ReferenceMembers[Any]


class Stage:
    """Members of one kind, with one that can be added."""

    def __init__(self, db: Database, members: Members, noun: str, id: str, reference: Reference) -> None:
        self.db, self.members, self.noun, self.id, self.reference = db, members, noun, id, reference
        self.field = f"{noun.lower()}s"

    async def stored_with(self, **values: bool) -> Reference:
        reference = await self.db.references.get(ADMINISTRATOR, self.reference.id)
        return (await self.db.store.replace(structs.replace(reference, **values)))[0]

    def of(self, reference: Reference) -> dict[str, Member]:
        return {member.id: member for member in getattr(reference, self.field)}


@pytest.fixture(params=["users", "groups"])
async def stage(request: pytest.FixtureRequest, each_db: Database) -> Stage:
    db = each_db
    reference = await stored_reference(db, users=(*USERS, member("owner", *Right)))
    if request.param == "users":
        id = (await stored_user(db, "alice"))[0].id
        return Stage(db, db.reference_users, "User", id, reference)
    return Stage(db, db.reference_groups, "Group", (await stored_group(db)).id, reference)


@pytest.mark.parametrize(
    ("viewer", "refusal"),
    [(STRANGER, NotFound), (READER, Forbidden), (WRITER, None), (OWNER, None), (ADMINISTRATOR, None)],
    ids=lambda value: value.handle if isinstance(value, Viewer) else "",
)
async def test_who_may_change_members(stage: Stage, viewer: Viewer, refusal: type[Exception] | None) -> None:
    members, id, member_id = stage.members, stage.reference.id, stage.id
    writes: tuple[Callable[[], Awaitable[Reference]], ...] = (
        lambda: members.add(viewer, id, member_id, MemberRights(build=True)),
        lambda: members.update(viewer, id, member_id, MemberRights(modify_otu=True)),
        lambda: members.remove(viewer, id, member_id),
    )
    for write in writes:
        if refusal is None:
            assert isinstance(await write(), Reference)
        else:
            with pytest.raises(refusal, match="reference"):
                await write()


async def test_rights_are_given_changed_and_taken(stage: Stage) -> None:
    members, id = stage.members, stage.reference.id
    added = stage.of(await members.add(OWNER, id, stage.id, MemberRights()))[stage.id]
    assert not any(getattr(added, right) for right in Right)
    changed = await members.update(OWNER, id, stage.id, MemberRights(build=True, modify_otu=True))
    assert stage.of(changed)[stage.id] == structs.replace(added, build=True, modify_otu=True)
    assert await members.update(OWNER, id, stage.id, MemberRights(build=True)) == changed
    less = await members.update(OWNER, id, stage.id, MemberRights(build=False, remove=True))
    assert stage.of(less)[stage.id] == structs.replace(added, modify_otu=True, remove=True)
    removed = await members.remove(OWNER, id, stage.id)
    assert stage.id not in stage.of(removed)
    assert [user.id for user in removed.users] == ["reader", "writer", "owner"]
    for write in (members.remove(OWNER, id, stage.id), members.update(OWNER, id, stage.id, MemberRights())):
        with pytest.raises(NotFound, match=f"{stage.noun} is not a member") as error:
            await write
        assert error.value.path == (f"{stage.noun.lower()}_id",)


async def test_a_member_is_added_once(stage: Stage) -> None:
    adds = (stage.members.add(OWNER, stage.reference.id, stage.id, MemberRights()) for _ in range(20))
    answers = await asyncio.gather(*adds, return_exceptions=True)
    assert sum(isinstance(answer, Reference) for answer in answers) == 1
    refused = [str(answer) for answer in answers if isinstance(answer, Conflict)]
    assert refused == [f"{stage.noun} already exists."] * 19


@pytest.mark.parametrize("id", ["nothing0", "", "\0", "../x"])
async def test_only_who_exists_can_be_added(stage: Stage, id: str) -> None:
    with pytest.raises(BadUserInput, match=rf"^{stage.noun} does not exist\.$") as error:
        await stage.members.add(OWNER, stage.reference.id, id, MemberRights())
    assert error.value.path == (f"{stage.noun.lower()}_id",)


async def test_many_changes_at_once_lose_nothing(stage: Stage) -> None:
    members, id = stage.members, stage.reference.id
    await members.add(OWNER, id, stage.id, MemberRights())
    changes = [MemberRights(build=True), MemberRights(modify=True), MemberRights(modify_otu=True)] * 5
    await asyncio.gather(*(members.update(OWNER, id, stage.id, change) for change in changes))
    stored = await members.update(OWNER, id, stage.id, MemberRights())
    rights = stage.of(stored)[stage.id]
    assert (rights.build, rights.modify, rights.modify_otu, rights.remove) == (True, True, True, False)
    answers = await asyncio.gather(
        *(
            members.update(OWNER, id, stage.id, MemberRights(remove=True, build=False), expected_version=stored.version)
            for _ in range(10)
        ),
        return_exceptions=True,
    )
    assert sum(isinstance(answer, Reference) for answer in answers) == 1
    assert sum(isinstance(answer, Conflict) for answer in answers) == 9


@pytest.mark.parametrize("values", [{"archived": True}, {"ready": False}], ids=["archived", "not ready"])
async def test_nobody_gets_more_rights_on_what_cannot_be_changed(stage: Stage, values: dict[str, bool]) -> None:
    members, id = stage.members, stage.reference.id
    await members.add(OWNER, id, stage.id, MemberRights(build=True))
    reference = await stage.stored_with(**values)
    for write in (
        members.add(OWNER, id, "another1", MemberRights()),
        members.update(OWNER, id, stage.id, MemberRights(modify=True)),
        members.update(OWNER, id, stage.id, MemberRights(build=False, remove=True)),
    ):
        with pytest.raises(Conflict, match=r"archived|still being made"):
            await write
    assert await members.update(OWNER, id, stage.id, MemberRights(build=True)) == reference


@pytest.mark.parametrize("values", [{"archived": True}, {"ready": False}], ids=["archived", "not ready"])
async def test_rights_can_be_taken_on_what_cannot_be_changed(stage: Stage, values: dict[str, bool]) -> None:
    members, id = stage.members, stage.reference.id
    await members.add(OWNER, id, stage.id, MemberRights(build=True, modify_otu=True))
    await stage.stored_with(**values)
    less = stage.of(await members.update(OWNER, id, stage.id, MemberRights(build=False)))[stage.id]
    assert (less.build, less.modify_otu) == (False, True)
    writes: tuple[Callable[[Viewer], Awaitable[Reference]], ...] = (
        lambda viewer: members.update(viewer, id, stage.id, MemberRights(modify_otu=False)),
        lambda viewer: members.remove(viewer, id, stage.id),
    )
    for write in writes:
        with pytest.raises(Forbidden, match="MODIFY"):
            await write(READER)
        with pytest.raises(NotFound):
            await write(STRANGER)
        await write(WRITER)
    with pytest.raises(NotFound, match=f"{stage.noun} is not a member"):
        await members.remove(OWNER, id, stage.id)


async def test_a_deactivated_user_is_not_added_but_can_be_removed(db: Database) -> None:
    user, _ = await stored_user(db, "alice")
    reference = await stored_reference(db)
    await db.store.replace(structs.replace(user, active=False))
    with pytest.raises(BadUserInput, match="User “alice” is deactivated"):
        await db.reference_users.add(OWNER, reference.id, user.id, MemberRights())
    reference = await stored_reference(db, users=(member("owner", *Right), member(user.id, Right.BUILD)))
    changed = await db.reference_users.update(OWNER, reference.id, user.id, MemberRights(build=False))
    assert not changed.users[1].build
    assert len((await db.reference_users.remove(OWNER, reference.id, user.id)).users) == 1


async def test_one_changes_and_removes_oneself(each_db: Database) -> None:
    users = each_db.reference_users
    own = await stored_reference(each_db)
    other = await stored_reference(each_db, user_id="somebody", users=(member("writer", Right.MODIFY),))
    assert not (await users.update(OWNER, own.id, "owner", MemberRights(remove=False, build=False))).users[0].remove
    assert (await users.remove(OWNER, own.id, "owner")).users == ()
    assert (await each_db.references.get(OWNER, own.id)).users == ()  # its creator still reads it
    with pytest.raises(Forbidden, match="MODIFY"):
        await users.update(OWNER, own.id, "owner", MemberRights(modify=True))
    assert (await users.remove(WRITER, other.id, "writer")).users == ()
    with pytest.raises(NotFound):
        await each_db.references.get(WRITER, other.id)


async def test_of_two_who_remove_each_other_one_stays(each_db: Database) -> None:
    users = each_db.reference_users
    others = (viewer_named("one"), viewer_named("two"))
    for number in range(5):
        members = (member("one", Right.MODIFY), member("two", Right.MODIFY))
        reference = await stored_reference(each_db, f"Reference {number}", "somebody", users=members)
        answers = await asyncio.gather(
            users.remove(others[0], reference.id, "two"),
            users.remove(others[1], reference.id, "one"),
            return_exceptions=True,
        )
        assert sum(isinstance(answer, NotFound) for answer in answers) == 1
        now = await each_db.references.get(ADMINISTRATOR, reference.id)
        assert len(now.users) == 1


async def test_groups_give_rights_to_their_members(each_db: Database) -> None:
    db = each_db
    group = await stored_group(db)
    _, alice = await stored_user(db, "alice", group_ids=[group.id])
    reference = await stored_reference(db)
    with pytest.raises(NotFound):
        await db.references.get(alice, reference.id)
    await db.reference_groups.add(OWNER, reference.id, group.id, MemberRights(build=True))
    shared = await db.references.get(alice, reference.id)
    assert [has_right(alice, shared, right) for right in Right] == [True, False, False, False]


async def test_a_deleted_group_leaves_all_references(each_db: Database) -> None:
    db = each_db
    gone, stays = await stored_group(db, "Gone"), await stored_group(db, "Stays")
    groups = (member(gone.id, *Right), member(stays.id))
    references = [await stored_reference(db, f"Reference {number}", groups=groups) for number in range(3)]
    other = await stored_reference(db, groups=(member(stays.id),))
    await db.groups.delete(ADMINISTRATOR, gone.id)
    for reference in references:
        now = await db.references.get(ADMINISTRATOR, reference.id)
        assert now.groups == (member(stays.id),)
        assert now.updated_at > reference.updated_at
    assert await db.references.get(ADMINISTRATOR, other.id) == other


async def test_a_group_of_more_references_than_one_transaction_holds_is_deleted(db: Database) -> None:
    group = await stored_group(db)
    one = await stored_reference(db, groups=(member(group.id),))
    await db.store.insert(*(structs.replace(one, id=f"copy{number:04}") for number in range(MOST_AT_ONCE + 10)))
    await db.groups.delete(ADMINISTRATOR, group.id)
    assert await db.store.count(Reference, Has("groups.id", group.id)) == 0


async def test_a_group_that_is_deleted_while_it_is_added_is_no_member(each_db: Database) -> None:
    db = each_db
    for number in range(4):
        group = await stored_group(db, f"Group {number}")
        reference = await stored_reference(db, f"Reference {number}")
        edits = [ReferenceChanges(description=f"{edit}") for edit in range(12)]
        added, deleted, *_ = await asyncio.gather(
            db.reference_groups.add(OWNER, reference.id, group.id, MemberRights()),
            db.groups.delete(ADMINISTRATOR, group.id),
            # Those who are in the way let the addition come before, between and after the looks of the deletion.
            *(db.references.update(OWNER, reference.id, edit) for edit in edits),
            return_exceptions=True,
        )
        assert isinstance(added, Reference | BadUserInput), added
        assert isinstance(deleted, Group), deleted
        assert await db.store.count(Reference, Has("groups.id", group.id)) == 0


async def test_who_is_gone_can_be_removed(db: Database) -> None:
    user, _ = await stored_user(db, "alice")
    reference = await stored_reference(db, users=(member("owner", *Right), member(user.id)))
    await db.store.delete(user)
    assert await db.store.get(User, user.id) is None
    assert len((await db.reference_users.remove(OWNER, reference.id, user.id)).users) == 1
