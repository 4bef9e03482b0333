import asyncio
from typing import Any

import pytest
from msgspec import structs

from tests.factories.api import Api
from tests.factories.groups import stored_group
from tests.factories.payloads import failure
from tests.factories.users import PASSWORD
from virtool_gql.access import Viewer
from virtool_gql.models.users import Permission, User

ONE = (
    "query($id: ID!) { user(id: $id) { handle administrator active groups { name } primaryGroup { name } createdAt } }"
)
PRIVATE = "handle email forceReset lastPasswordChange"
LIST = "query($filter: UserFilter, $search: String) { users(filter: $filter, search: $search) { nodes { handle } } }"
FIELDS = "id handle email forceReset administrator active groups { name } primaryGroup { name } version"
ERRORS = "errors { code message path }"
CREATE = f"mutation($input: CreateUserInput!) {{ createUser(input: $input) {{ user {{ {FIELDS} }} {ERRORS} }} }}"
UPDATE = f"mutation($input: UpdateUserInput!) {{ updateUser(input: $input) {{ user {{ {FIELDS} }} {ERRORS} }} }}"
GONE = {"id": "user_nothere1", "handle": "deleted user", "active": False, "createdAt": None, "version": 0}


async def test_users_are_there_for_everybody_who_is_signed_in(api: Api, owner: Viewer, stranger: Viewer) -> None:
    id = f"user_{owner.user_id}"
    assert await api.code(None, ONE, id=id) == "UNAUTHENTICATED"
    shown = await api.ask(stranger, ONE, id=id)
    assert shown.pop("createdAt") is not None
    assert shown == {
        "handle": "owner",
        "administrator": False,
        "active": True,
        "groups": [{"name": "Group of owner"}],
        "primaryGroup": None,
    }
    assert await api.ask(stranger, ONE, id="user_nothere1") is None


async def test_users_are_listed_by_handle_and_filtered(api: Api, owner: Viewer, administrator: Viewer) -> None:
    async def handles(**arguments: object) -> list[str]:
        return [node["handle"] for node in (await api.ask(owner, LIST, **arguments))["nodes"]]

    assert await api.code(None, LIST) == "UNAUTHENTICATED"
    assert await handles() == ["administrator", "owner"]
    assert await handles(filter={"administrator": True}) == ["administrator"]
    assert await handles(filter={"active": False}) == []
    assert await handles(filter={"groupId": f"group_{next(iter(owner.group_ids))}"}) == ["owner"]
    assert await handles(filter={"groupId": "group_nothere1"}) == []
    assert await handles(filter={"ids": [f"user_{administrator.user_id}"]}) == ["administrator"]
    assert await handles(search="OWN") == ["owner"]
    newest = "{ users(orderBy: [{field: CREATED_AT, direction: DESC}]) { nodes { handle } } }"
    assert (await api.ask(owner, newest))["nodes"] == [{"handle": "administrator"}, {"handle": "owner"}]


async def test_only_administrators_find_users_by_what_is_private(
    api: Api, owner: Viewer, stranger: Viewer, administrator: Viewer
) -> None:
    address = {"id": f"user_{owner.user_id}", "email": "somebody@example.org", "forceReset": True}
    assert (await api.ask(administrator, UPDATE, input=address))["errors"] == []
    count = "query($search: String) { users(search: $search) { nodes { handle } totalCount } }"
    found = {"nodes": [{"handle": "owner"}], "totalCount": 1}
    assert await api.ask(administrator, count, search="EXAMPLE.org") == found
    assert await api.ask(owner, count, search="example.org") == found
    assert await api.ask(stranger, count, search="example.org") == {"nodes": [], "totalCount": 0}
    waiting = {"forceReset": True}
    assert (await api.ask(administrator, LIST, filter=waiting))["nodes"] == [{"handle": "owner"}]
    for viewer in (owner, stranger):
        assert await api.code(viewer, LIST, filter=waiting) == "FORBIDDEN"
    watch = "subscription($filter: UserFilter) { users(filter: $filter) { ids } }"
    (error,) = await api.refused(stranger, watch, filter=waiting)
    assert "administrator" in str(error)


async def test_what_is_private_is_told_to_oneself_and_administrators_alone(
    api: Api, owner: Viewer, stranger: Viewer, administrator: Viewer
) -> None:
    id = f"user_{owner.user_id}"
    by_key = structs.replace(administrator, administrator=False, key_id="key00001")
    for viewer, told in ((owner, True), (administrator, True), (stranger, False), (by_key, False)):
        node = f"query($id: ID!) {{ node(id: $id) {{ ... on User {{ {PRIVATE} }} }} }}"
        listed = f"query($id: ID!) {{ users(filter: {{ids: [$id]}}) {{ nodes {{ {PRIVATE} }} }} }}"
        one = await api.ask(viewer, f"query($id: ID!) {{ user(id: $id) {{ {PRIVATE} }} }}", id=id)
        assert one == await api.ask(viewer, node, id=id)
        assert [one] == (await api.ask(viewer, listed, id=id))["nodes"]
        assert (one["email"], one["forceReset"]) == (("", False) if told else (None, None))
        assert (one["lastPasswordChange"] is not None) == told


async def test_events_tell_what_is_private_to_those_who_may_read_it(
    api: Api, owner: Viewer, stranger: Viewer, administrator: Viewer
) -> None:
    after = await api.cursor(owner)
    input = {"id": f"user_{owner.user_id}", "email": "owner@example.org"}
    await api.ask(administrator, UPDATE, input=input)
    users = "subscription($after: Cursor) { users(after: $after) { user { handle email forceReset } } }"
    changes = """subscription($after: Cursor) { changes(after: $after, collections: [USERS]) {
        ... on UserChange { user { handle email forceReset } } } }"""
    for viewer, email, force_reset in (
        (owner, "owner@example.org", False),
        (administrator, "owner@example.org", False),
        (stranger, None, None),
    ):
        shown = {"user": {"handle": "owner", "email": email, "forceReset": force_reset}}
        for watch in (users, changes):
            async with api.subscribed(viewer, watch, after=after) as watched:
                assert await watched.next() == shown


async def test_users_are_made_by_administrators_alone(api: Api, owner: Viewer, administrator: Viewer) -> None:
    new = {"handle": "bob", "password": PASSWORD}
    assert await api.code(None, CREATE, input=new) == "UNAUTHENTICATED"
    for input in (new, new | {"groupIds": ["nonsense"]}, {"handle": "", "password": ""}):
        assert (await failure(api, owner, CREATE, **input))[0] == "FORBIDDEN"
    group = await stored_group(api.db, "Virologists")
    id = f"group_{group.id}"
    more = {"email": "bob@example.org", "groupIds": [id], "primaryGroupId": id, "administrator": True}
    made = (await api.ask(administrator, CREATE, input=new | more))["user"]
    assert made.pop("id").startswith("user_")
    assert made == {
        "handle": "bob",
        "email": "bob@example.org",
        "forceReset": True,
        "administrator": True,
        "active": True,
        "groups": [{"name": "Virologists"}],
        "primaryGroup": {"name": "Virologists"},
        "version": 1,
    }


async def test_what_is_wrong_with_a_user_is_told(api: Api, owner: Viewer, administrator: Viewer) -> None:
    async def made(**input: Any) -> tuple[str, str, list[str]]:
        return await failure(api, administrator, CREATE, **{"handle": "bob", "password": PASSWORD} | input)

    other = f"group_{next(iter(owner.group_ids))}"
    missing = ["group_nothere2", "group_nothere1"]
    assert await made(handle="OWNER") == ("CONFLICT", "User already exists.", ["handle"])
    assert await made(handle="virtool") == ("BAD_USER_INPUT", "Reserved user name: virtool.", ["handle"])
    unknown = ("BAD_USER_INPUT", "Groups do not exist: group_nothere1, group_nothere2.", ["groupIds"])
    assert await made(groupIds=missing) == unknown
    assert (await made(groupIds=[f"user_{owner.user_id}"]))[::2] == ("NOT_FOUND", ["groupIds"])
    assert (await made(groupIds=[other] * 1_001))[::2] == ("BAD_USER_INPUT", ["groupIds"])
    assert await made(primaryGroupId=other) == ("CONFLICT", "User is not member of group.", ["primaryGroupId"])
    assert (await made(primaryGroupId="group_nothere1"))[::2] == ("BAD_USER_INPUT", ["primaryGroupId"])
    assert (await made(password="short"))[::2] == ("BAD_USER_INPUT", ["password"])
    assert (await made(email="nonsense"))[::2] == ("BAD_USER_INPUT", ["email"])


async def test_users_are_changed_by_administrators_alone(api: Api, owner: Viewer, administrator: Viewer) -> None:
    id = f"user_{owner.user_id}"
    assert await api.code(None, UPDATE, input={"id": id}) == "UNAUTHENTICATED"
    for refused in (id, f"user_{administrator.user_id}", "user_nothere1", "sample_1", ""):
        assert (await failure(api, owner, UPDATE, id=refused, administrator=True))[0] == "FORBIDDEN"
    changed = (await api.ask(administrator, UPDATE, input={"id": id, "handle": "Owner 2", "active": False}))["user"]
    assert (changed["handle"], changed["active"], changed["version"]) == ("Owner 2", False, 2)
    assert await api.db.users.viewer(owner.user_id) is None
    back = (await api.ask(administrator, UPDATE, input={"id": id, "active": True}))["user"]
    assert (back["handle"], back["active"]) == ("Owner 2", True)


async def test_what_is_wrong_with_a_change_is_told(api: Api, owner: Viewer, administrator: Viewer) -> None:
    async def changed(id: str = f"user_{owner.user_id}", **input: Any) -> tuple[str, str, list[str]]:
        return await failure(api, administrator, UPDATE, id=id, **input)

    me = f"user_{administrator.user_id}"
    for unknown in ("user_nothere1", "group_1", "", "x" * 1_000):
        assert (await changed(unknown, handle="x"))[0] == "NOT_FOUND"
    assert (await changed(handle="administrator"))[:2] == ("CONFLICT", "User already exists.")
    assert (await changed(handle=None))[::2] == ("BAD_USER_INPUT", ["handle"])
    assert (await changed(email="x", expectedVersion=7))[::2] == ("BAD_USER_INPUT", ["email"])
    assert (await changed(email="", expectedVersion=7))[0] == "CONFLICT"
    own = ("BAD_USER_INPUT", "Users cannot modify their own administrative status.", ["administrator"])
    assert await changed(me, administrator=False) == own
    assert (await changed(me, active=False))[::2] == ("BAD_USER_INPUT", ["active"])
    assert (await changed(me, password="another password"))[::2] == ("BAD_USER_INPUT", ["password"])


async def test_the_same_request_a_hundred_times_makes_one_user(api: Api, administrator: Viewer) -> None:
    input = {"handle": "bob", "password": PASSWORD, "idempotencyKey": "once"}
    answers = await asyncio.gather(*(api.ask(administrator, CREATE, input=input) for _ in range(100)))
    assert all(answer == answers[0] for answer in answers)
    assert answers[0]["errors"] == []
    assert await api.db.store.count(User) == 2


async def test_changes_of_users_are_told_without_their_secrets(api: Api, owner: Viewer, administrator: Viewer) -> None:
    after = await api.cursor(owner)
    made = await api.ask(administrator, CREATE, input={"handle": "bob", "password": PASSWORD})
    id = made["user"]["id"]
    for changes in ({"handle": "carl"}, {"password": "another password"}, {"active": False}):
        assert (await api.ask(administrator, UPDATE, input={"id": id, **changes}))["errors"] == []
    watch = "subscription($after: Cursor) { users(after: $after) { operation ids user { handle active version } } }"
    async with api.subscribed(owner, watch, after=after) as watched:
        told = [await watched.next() for _ in range(4)]
    assert [change["operation"] for change in told] == ["INSERT", "UPDATE", "UPDATE", "UPDATE"]
    assert all(change["ids"] == [id] for change in told)
    assert [change["user"] for change in told] == [
        {"handle": handle, "active": active, "version": version}
        for version, (handle, active) in enumerate([("bob", True), ("carl", True), ("carl", True), ("carl", False)], 1)
    ]
    viewer = await api.db.users.viewer(owner.user_id)
    async for change in api.db.users.changes(lambda: viewer, after=after):
        assert change.document.keys().isdisjoint({"password_hash", "credentials_version", "creation_key"})
        if change.document["version"] == 4:
            break


@pytest.mark.parametrize("kind", ["sample", "file", "job"])
async def test_a_user_who_is_gone_is_shown_as_one(api: Api, administrator: Viewer, kind: str) -> None:
    gone = structs.replace(administrator, user_id="nothere1")
    made = await getattr(api, kind)(gone)
    user = "user { id handle active createdAt version email forceReset groups { id } primaryGroup { id } }"
    shown = await api.ask(administrator, f"query($id: ID!) {{ {kind}(id: $id) {{ {user} }} }}", id=f"{kind}_{made.id}")
    private = {"email": None, "forceReset": None, "groups": [], "primaryGroup": None}
    assert shown == {"user": GONE | private}
    listed = await api.ask(administrator, f"{{ {kind}s {{ nodes {{ {user} }} }} }}")
    assert listed == {"nodes": [{"user": GONE | private}]}


async def test_a_user_who_is_gone_is_shown_in_labels_and_the_audit_log(api: Api, administrator: Viewer) -> None:
    mary = await api.viewer("mary", Permission.CREATE_SAMPLE)
    create = "mutation($input: CreateLabelInput!) { createLabel(input: $input) { label { id } errors { code } } }"
    made = await api.ask(mary, create, input={"name": "Wilting", "color": "#A0AEC0"})
    user = await api.db.store.get(User, mary.user_id)
    assert user is not None
    await api.db.store.delete(user)
    gone = {"user": GONE | {"id": f"user_{mary.user_id}"}}
    shown = "user { id handle active createdAt version }"
    one = f"query($id: ID!) {{ label(id: $id) {{ {shown} }} }}"
    assert await api.ask(administrator, one, id=made["label"]["id"]) == gone
    entries = f'{{ auditEntries(filter: {{action: "createLabel"}}) {{ nodes {{ handle {shown} }} }} }}'
    assert (await api.ask(administrator, entries))["nodes"] == [{"handle": "mary", **gone}]
