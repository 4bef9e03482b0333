"""Members of references: who becomes one is told with the very next change, and nobody gives themselves a right."""

from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest

from tests.access.events import otu_in, readable
from tests.access.operations import kind_of, mutation
from tests.access.references import entry_of, index_of, reference_of, sequence_of, task_of
from tests.access.rules import Role
from tests.access.test_streaming import administer, becomes
from tests.access.test_subscriptions import QUERIES
from tests.access.watching import WATCHES, Watch
from tests.access.world import Person, World
from tests.factories.conditions import until
from tests.factories.references import member
from virtool_gql.access import viewer_of
from virtool_gql.db.reference_removal import remove_parts
from virtool_gql.models.documents import Document
from virtool_gql.models.references import Reference, Right
from virtool_gql.models.users import User

PARTS: Mapping[str, Callable[[World, Reference], Awaitable[Document]]] = {
    "otus": otu_in,
    "sequences": sequence_of,
    "history": entry_of,
    "indexes": index_of,
    "tasks": task_of,
}
WATCHED = {name: QUERIES[name] for name in ("references", *PARTS)}
ALL = WATCHED.keys()
RIGHTS = {"build": False, "modify": False, "modifyOtu": False, "remove": False}


async def begun(world: World, watch: Watch, person: Person) -> None:
    """Wait until each subscription has told of something that the person may read."""
    while missing := [name for name in WATCHED if not watch.heard[name]]:
        for name in missing:
            await readable(world, kind_of(name), person)
        with suppress(TimeoutError):
            await until(lambda: all(watch.heard[name] for name in missing), seconds=0.5)  # awaited here


async def told(world: World, watch: Watch, person: Person, reference: Reference) -> set[str]:
    """Change a reference and make something of each kind in it; give the subscriptions that tell of it."""
    marks = {name: len(watch.heard[name]) for name in WATCHED}
    await world.changed(Reference, reference.id, description=f"Unseen {next(world.numbers)}")
    ids = {name: f"{kind_of(name)}_{(await make(world, reference)).id}" for name, make in PARTS.items()}
    ids["references"] = f"reference_{reference.id}"
    lasts = {name: await readable(world, kind_of(name), person) for name in WATCHED}
    await until(lambda: all(lasts[name] in watch.ids(name, marks[name]) for name in WATCHED))
    return {name for name, id in ids.items() if id in watch.ids(name, marks[name])}


async def a_member_to_be(world: World) -> tuple[Person, Reference]:
    """Make somebody in no group, who may meet what is hidden, and a reference of the owner alone."""
    person = replace(await world.person(Role.STRANGER), role=Role.WRITER)
    owner = world.standing[Role.OWNER].user_id
    return person, await reference_of(world, users=(member(owner, *Right),), groups=())


@pytest.mark.parametrize("carrier", WATCHES)
async def test_who_becomes_a_member_is_told_with_the_very_next_change(world: World, carrier: str) -> None:
    person, reference = await a_member_to_be(world)
    ids = {"referenceId": f"reference_{reference.id}", "userId": f"user_{person.user_id}"}
    async with WATCHES[carrier](world, person, WATCHED) as watch:
        await begun(world, watch, person)
        assert await told(world, watch, person, reference) == set()
        await administer(world, "addReferenceUser", **ids, **RIGHTS)
        assert await told(world, watch, person, reference) == ALL
        await administer(world, "updateReferenceUser", **ids, build=True)
        assert await told(world, watch, person, reference) == ALL
        await administer(world, "removeReferenceUser", **ids)
        assert await told(world, watch, person, reference) == set()


@pytest.mark.parametrize("carrier", WATCHES)
async def test_who_joins_a_group_that_is_a_member_is_told(world: World, carrier: str) -> None:
    person, reference = await a_member_to_be(world)
    group = await world.group()
    ids = {"referenceId": f"reference_{reference.id}", "groupId": f"group_{group.id}"}
    await administer(world, "addReferenceGroup", **ids, **RIGHTS)

    async def is_told() -> bool | None:
        found = await told(world, watch, person, reference)
        return bool(found) if found in (set(), ALL) else None  # it came to be so between two of the changes

    async with WATCHES[carrier](world, person, WATCHED) as watch:
        await begun(world, watch, person)
        assert await is_told() is False
        await administer(world, "updateUser", id=f"user_{person.user_id}", groupIds=[f"group_{group.id}"])
        await becomes(is_told, expected=True)
        await administer(world, "removeReferenceGroup", **ids)
        assert await is_told() is False
        await administer(world, "addReferenceGroup", **ids, **RIGHTS)
        assert await is_told() is True
        await administer(world, "deleteGroup", id=f"group_{group.id}")
        await becomes(is_told, expected=False)


@pytest.mark.parametrize("carrier", WATCHES)
async def test_the_end_of_a_reference_is_told_to_its_members_alone(world: World, carrier: str) -> None:
    """Also that of all that was in it, which comes after it."""
    people = {role: world.standing[role] for role in (Role.STRANGER, Role.READER, Role.ENTITLED, Role.KEY)}
    reference = await reference_of(world)
    ids = {name: f"{kind_of(name)}_{(await make(world, reference)).id}" for name, make in PARTS.items()}
    ids["references"] = f"reference_{reference.id}"
    del ids["tasks"]  # which stays, to tell of the deletion
    for role, person in people.items():
        async with WATCHES[carrier](world, person, WATCHED) as watch:
            await begun(world, watch, person)
            if role is Role.STRANGER:
                gone = await reference_of(world)
                part_ids = {name: f"{kind_of(name)}_{(await make(world, gone)).id}" for name, make in PARTS.items()}
            else:
                gone, part_ids = reference, ids
                reference = await reference_of(world)
                ids = {name: f"{kind_of(name)}_{(await make(world, reference)).id}" for name, make in PARTS.items()}
            await administer(world, "deleteReference", id=f"reference_{gone.id}")
            await remove_parts(world.db.instance, gone.id)
            lasts = {name: await readable(world, kind_of(name), person) for name in WATCHED}
            await until(lambda: all(lasts[name] in watch.ids(name) for name in WATCHED))  # noqa: B023 # awaited here
            deleted = {name for name, id in part_ids.items() if "DELETE" in watch.of(name, id)}
            expected = {Role.READER, Role.KEY}
            assert deleted == (part_ids.keys() - {"tasks"} if role in expected else set())


@pytest.mark.parametrize("role", [Role.READER, Role.WRITER, Role.ENTITLED, Role.STRANGER, Role.PLAIN_KEY])
async def test_nobody_gives_themselves_a_right(world: World, role: Role) -> None:
    person = await world.person(role)
    reference = await reference_of(world, person)
    before = await world.kept(Reference, reference.id)
    of_user, of_group = {"userId": f"user_{person.user_id}"}, {"groupId": f"group_{world.groups['Diagnostics'].id}"}
    rights = dict.fromkeys(RIGHTS, True)
    asked: list[tuple[str, dict[str, Any]]] = [
        ("addReferenceUser", {**of_user, **rights}),
        ("updateReferenceUser", {**of_user, **rights}),
        ("removeReferenceUser", {"userId": f"user_{reference.user_id}"}),
        ("addReferenceGroup", {**of_group, **rights}),
        ("updateReferenceGroup", {**of_group, **rights}),
        ("removeReferenceGroup", of_group),
    ]
    for name, input in asked:
        answer = await world.ask(person, mutation(name), input={"referenceId": f"reference_{reference.id}", **input})
        assert answer["data"][name]["errors"][0]["code"] in {"FORBIDDEN", "NOT_FOUND"}
    assert await world.kept(Reference, reference.id) == before


@pytest.mark.parametrize("of_group", [False, True], ids=["a user's", "a group's"])
@pytest.mark.parametrize("right", Right)
async def test_each_right_opens_what_it_names_and_nothing_else(world: World, right: Right, of_group: bool) -> None:
    """Of a member who has just one of them: by themselves, or by one of their groups."""
    person = replace(await world.person(Role.STRANGER), role=Role.WRITER)
    owner, group = world.standing[Role.OWNER].user_id, await world.group()
    await world.changed(User, person.user_id, group_ids=(group.id,))
    users = () if of_group else (member(person.user_id, right),)
    groups = (member(group.id, right),) if of_group else ()
    reference = await reference_of(world, users=(member(owner, *Right), *users), groups=groups)
    await otu_in(world, reference)
    id, user = f"reference_{reference.id}", f"user_{(await world.user(Role.STRANGER)).id}"
    asked: Mapping[str, tuple[Right, dict[str, Any]]] = {
        "updateReference": (Right.MODIFY, {"id": id, "description": "New"}),
        "addReferenceUser": (Right.MODIFY, {"referenceId": id, "userId": user, **RIGHTS}),
        "createOtu": (Right.MODIFY_OTU, {"referenceId": id, "name": "New"}),
        "buildIndex": (Right.BUILD, {"referenceId": id}),
        "deleteReference": (Right.REMOVE, {"id": id}),
    }
    for name, (needed, input) in asked.items():
        answer = await world.ask(person, mutation(name), input=input)
        codes = [error["code"] for error in answer["data"][name]["errors"]]
        assert codes == ([] if needed is right else ["FORBIDDEN"]), name


async def test_who_made_a_reference_reads_it_without_being_a_member(world: World) -> None:
    """And does nothing else with it: the rights of its creator can be taken away."""
    owner = await world.person(Role.OWNER)
    reference = await reference_of(world, owner)
    await world.changed(Reference, reference.id, users=())
    found = await world.done(owner, f'{{ reference(id: "reference_{reference.id}") {{ rights {{ modify remove }} }} }}')
    assert found["reference"] == {"rights": {"modify": False, "remove": False}}
    answer = await world.ask(owner, mutation("deleteReference"), input={"id": f"reference_{reference.id}"})
    assert answer["data"]["deleteReference"]["errors"][0]["code"] == "FORBIDDEN"
    assert viewer_of(await world.kept(User, owner.user_id), ()).user_id == reference.user_id
