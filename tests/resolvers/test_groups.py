import asyncio
from typing import Any

from tests.factories.api import Api
from tests.factories.groups import stored_group
from tests.factories.payloads import failure
from tests.factories.users import stored_user
from virtool_gql.access import Viewer
from virtool_gql.models.users import Group

ONE = "query($id: ID!) { group(id: $id) { id name permissions } }"
LIST = "query($search: String) { groups(search: $search) { nodes { name } totalCount } }"
FIELDS = "id name permissions memberCount members { handle } version"
ERRORS = "errors { code message path }"
CREATE = f"mutation($input: CreateGroupInput!) {{ createGroup(input: $input) {{ group {{ {FIELDS} }} {ERRORS} }} }}"
UPDATE = f"mutation($input: UpdateGroupInput!) {{ updateGroup(input: $input) {{ group {{ {FIELDS} }} {ERRORS} }} }}"
DELETE = f"mutation($input: DeleteGroupInput!) {{ deleteGroup(input: $input) {{ group {{ {FIELDS} }} {ERRORS} }} }}"


async def test_groups_are_there_for_everybody_who_is_signed_in(api: Api, owner: Viewer, stranger: Viewer) -> None:
    id = f"group_{next(iter(owner.group_ids))}"
    assert await api.code(None, ONE, id=id) == "UNAUTHENTICATED"
    shown = {"id": id, "name": "Group of owner", "permissions": ["CREATE_SAMPLE", "UPLOAD_FILE"]}
    assert await api.ask(stranger, ONE, id=id) == shown
    assert await api.ask(stranger, ONE, id="group_nothere1") is None


async def test_groups_are_listed_by_name_and_searched(api: Api, stranger: Viewer) -> None:
    for name in ("b", "A", "c"):
        await stored_group(api.db, name)
    assert await api.code(None, LIST) == "UNAUTHENTICATED"
    shown = await api.ask(stranger, LIST)
    assert shown == {"nodes": [{"name": "A"}, {"name": "b"}, {"name": "c"}], "totalCount": 3}
    assert (await api.ask(stranger, LIST, search="B"))["nodes"] == [{"name": "b"}]


async def test_members_take_as_many_statements_for_one_group_as_for_many(api: Api, stranger: Viewer) -> None:
    groups = [await stored_group(api.db, f"Group {number:02}") for number in range(20)]
    for number in range(10):
        await stored_user(api.db, f"user{number}", group_ids=[group.id for group in groups[number:]])
    query = "query($first: Int) { groups(first: $first) { nodes { name memberCount members { handle email } } } }"
    counts = []
    for first in (1, 20):
        with api.statements() as statements:
            nodes = (await api.ask(stranger, query, first=first))["nodes"]
        counts.append(len(statements))
    assert counts == [3, 3]
    assert [node["memberCount"] for node in nodes] == [*range(1, 11), *[10] * 10]
    assert nodes[1]["members"] == [{"handle": "user0", "email": None}, {"handle": "user1", "email": None}]
    assert all(node["memberCount"] == len(node["members"]) for node in nodes)


async def test_members_are_shown_up_to_a_page_and_all_are_counted(api: Api, stranger: Viewer) -> None:
    group = await stored_group(api.db, "Everybody")
    await asyncio.gather(*(stored_user(api.db, f"user{number:03}", group_ids=[group.id]) for number in range(102)))
    query = "query($id: ID!, $first: Int) { group(id: $id) { memberCount members(first: $first) { handle } } }"
    id = f"group_{group.id}"
    for arguments, size in (({}, 25), ({"first": 0}, 0), ({"first": 100}, 100)):
        shown = await api.ask(stranger, query, id=id, **arguments)
        assert shown["memberCount"] == 102
        assert [member["handle"] for member in shown["members"]] == [f"user{number:03}" for number in range(size)]
    result = await api.run(stranger, query, id=id, first=101)
    assert result.errors is not None
    assert result.data == {"group": {"memberCount": 102, "members": None}}


async def test_groups_are_made_changed_and_deleted_by_administrators_alone(
    api: Api, owner: Viewer, administrator: Viewer
) -> None:
    new = {"name": "Virologists", "permissions": ["UPLOAD_FILE", "CANCEL_JOB"]}
    made = (await api.ask(administrator, CREATE, input=new))["group"]
    id = made.pop("id")
    first = {"name": "Virologists", "permissions": ["CANCEL_JOB", "UPLOAD_FILE"], "memberCount": 0, "members": []}
    assert made == first | {"version": 1}
    for mutation, input in ((CREATE, new), (UPDATE, {"id": id}), (DELETE, {"id": id})):
        assert await api.code(None, mutation, input=input) == "UNAUTHENTICATED"
        assert (await failure(api, owner, mutation, **input))[0] == "FORBIDDEN"
    for mutation in (UPDATE, DELETE):
        for unknown in ("group_nothere1", f"user_{owner.user_id}", "", "x" * 1_000):
            assert (await failure(api, owner, mutation, id=unknown))[0] == "FORBIDDEN"
            assert (await failure(api, administrator, mutation, id=unknown))[0] == "NOT_FOUND"
    changed = (await api.ask(administrator, UPDATE, input={"id": id, "permissions": []}))["group"]
    assert changed == first | {"id": id, "permissions": [], "version": 2}
    changed = (await api.ask(administrator, UPDATE, input={"id": id, "name": "Phytopathologists"}))["group"]
    assert (changed["name"], changed["permissions"], changed["version"]) == ("Phytopathologists", [], 3)
    assert (await api.ask(administrator, DELETE, input={"id": id}))["group"]["name"] == "Phytopathologists"
    assert await api.ask(owner, ONE, id=id) is None


async def test_what_is_wrong_with_a_group_is_told(api: Api, administrator: Viewer) -> None:
    group = await stored_group(api.db, "Virologists")
    id = f"group_{(await stored_group(api.db, 'Others')).id}"
    taken = ("CONFLICT", "Group already exists.", ["name"])
    assert await failure(api, administrator, CREATE, name=" VIROLOGISTS ") == taken
    assert await failure(api, administrator, UPDATE, id=id, name="virologists") == taken
    for name in ("", " ", "\u200b", "a\x00b", "x" * 256):
        assert (await failure(api, administrator, CREATE, name=name))[::2] == ("BAD_USER_INPUT", ["name"])
        assert (await failure(api, administrator, UPDATE, id=id, name=name))[::2] == ("BAD_USER_INPUT", ["name"])
    for field in ("name", "permissions"):
        refused = await failure(api, administrator, UPDATE, **{"id": id, field: None})
        assert refused[::2] == ("BAD_USER_INPUT", [field])
    stale = await failure(api, administrator, UPDATE, id=f"group_{group.id}", name="New", expectedVersion=2)
    assert stale[0] == "CONFLICT"
    result = await api.run(administrator, CREATE, input={"name": "New", "permissions": ["FLY"]})
    assert result.errors is not None


async def test_the_same_request_a_hundred_times_makes_one_group(api: Api, administrator: Viewer) -> None:
    input = {"name": "Virologists", "idempotencyKey": "once"}
    answers = await asyncio.gather(*(api.ask(administrator, CREATE, input=input) for _ in range(100)))
    assert all(answer == answers[0] for answer in answers)
    assert answers[0]["errors"] == []
    assert await api.db.store.count(Group) == 1


async def test_changes_of_groups_are_told(api: Api, stranger: Viewer, administrator: Viewer) -> None:
    after = await api.cursor(stranger)
    id = (await api.ask(administrator, CREATE, input={"name": "Virologists"}))["group"]["id"]
    await api.ask(administrator, UPDATE, input={"id": id, "name": "Others", "permissions": ["UPLOAD_FILE"]})
    await api.ask(administrator, DELETE, input={"id": id})
    watch = "subscription($after: Cursor) { groups(after: $after) { operation ids group { name permissions } } }"
    told: list[Any] = []
    async with api.subscribed(stranger, watch, after=after) as watched:
        told += [await watched.next() for _ in range(3)]
    assert told == [
        {"operation": "INSERT", "ids": [id], "group": {"name": "Virologists", "permissions": []}},
        {"operation": "UPDATE", "ids": [id], "group": {"name": "Others", "permissions": ["UPLOAD_FILE"]}},
        {"operation": "DELETE", "ids": [id], "group": None},
    ]


async def test_members_and_samples_tell_that_their_group_is_deleted(api: Api, administrator: Viewer) -> None:
    group = await stored_group(api.db, "Virologists")
    mary = await api.viewer("mary", group_ids=(group.id,))
    sample = await api.sample(mary, group_id=group.id)
    after = await api.cursor(mary)
    await api.ask(administrator, DELETE, input={"id": f"group_{group.id}"})
    watch = """subscription($after: Cursor) { changes(after: $after, collections: [USERS, SAMPLES, GROUPS]) {
        operation ids
        ... on UserChange { user { groups { id } } } ... on SampleChange { sample { group { id } } } } }"""
    async with api.subscribed(mary, watch, after=after) as watched:
        told = [await watched.next() for _ in range(3)]
    assert told == [
        {"operation": "UPDATE", "ids": [f"user_{mary.user_id}"], "user": {"groups": []}},
        {"operation": "UPDATE", "ids": [f"sample_{sample.id}"], "sample": {"group": None}},
        {"operation": "DELETE", "ids": [f"group_{group.id}"]},
    ]
