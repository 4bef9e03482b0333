"""The audit log as administrators read it, and everybody else does not."""

from typing import Any

import pytest
from msgspec import structs

from tests.factories.api import Api
from virtool_gql.access import Viewer
from virtool_gql.actors import Actor, acting
from virtool_gql.errors import Forbidden, Unauthenticated
from virtool_gql.models.audit import AuditEntry, Deed
from virtool_gql.models.users import User
from virtool_gql.query import Order, Page

LIST = """query($filter: AuditEntryFilter, $orderBy: [AuditEntryOrder!], $search: String, $first: Int) {
    auditEntries(filter: $filter, orderBy: $orderBy, search: $search, first: $first) {
        nodes { action } totalCount } }"""
ONE = """query($id: ID!) { auditEntry(id: $id) { id at handle user { id handle } apiKeyId address requestId action deed
    collection documentId fields } }"""
NODE = "query($id: ID!) { node(id: $id) { id ... on AuditEntry { action } } }"
WATCH = """subscription($after: Cursor, $filter: AuditEntryFilter) { audit(after: $after, filter: $filter) {
    operation ids auditEntry { id action deed user { handle } } } }"""
ALL = "subscription($after: Cursor) { changes(after: $after) { operation ids } }"
GROUP = "mutation($name: String!) { createGroup(input: {name: $name}) { group { id } errors { code } } }"


def actor_of(viewer: Viewer, **more: Any) -> Actor:
    given = {"address": "192.0.2.7", "request_id": "r1", "action": "test"} | more
    return Actor(user_id=viewer.user_id, handle=viewer.handle, **given)


async def entries(api: Api) -> list[AuditEntry]:
    return (await api.store.find(AuditEntry, order=(Order("at"),), page=Page(first=None))).documents


@pytest.fixture
async def entry(api: Api, owner: Viewer) -> AuditEntry:
    """Give the entry of something that the owner did."""
    sample = await api.sample(owner)
    with acting(actor_of(owner, key_id="key00001", action="updateSample")):
        await api.db.store.replace(structs.replace(sample, notes="Secret notes", library_type="srna"))
    (entry,) = await entries(api)
    return entry


async def test_only_administrators_list_it(api: Api, entry: AuditEntry, owner: Viewer, administrator: Viewer) -> None:
    assert await api.code(None, LIST) == "UNAUTHENTICATED"
    by_key = structs.replace(administrator, key_id="key00001", administrator=False)
    for viewer in (owner, by_key):
        assert await api.code(viewer, LIST) == "FORBIDDEN"
        assert await api.code(viewer, "{ auditEntries { totalCount } }") == "FORBIDDEN"
    shown = await api.ask(administrator, LIST)
    assert shown == {"nodes": [{"action": entry.action}], "totalCount": 1}


async def test_an_entry_is_nothing_for_others(
    api: Api, entry: AuditEntry, owner: Viewer, administrator: Viewer
) -> None:
    id = f"audit_{entry.id}"
    for query in (ONE, NODE):
        assert await api.code(None, query, id=id) == "UNAUTHENTICATED"
        assert await api.ask(owner, query, id=id) is None
        assert await api.ask(administrator, query, id="audit_nothing") is None
    assert await api.ask(administrator, NODE, id=id) == {"id": id, "action": "updateSample"}
    assert await api.ask(administrator, ONE, id=id) == {
        "id": id,
        "at": entry.at,
        "handle": "owner",
        "user": {"id": f"user_{owner.user_id}", "handle": "owner"},
        "apiKeyId": "key_key00001",
        "address": "192.0.2.7",
        "requestId": "r1",
        "action": "updateSample",
        "deed": "UPDATE",
        "collection": "samples",
        "documentId": f"sample_{entry.document_id}",
        "fields": ["notes", "libraryType"],
    }


async def test_the_document_opens_by_its_id(api: Api, entry: AuditEntry, administrator: Viewer) -> None:
    shown = await api.ask(administrator, ONE, id=f"audit_{entry.id}")
    assert (await api.ask(administrator, NODE, id=shown["documentId"]))["id"] == shown["documentId"]


async def test_only_administrators_watch_it(api: Api, entry: AuditEntry, owner: Viewer, administrator: Viewer) -> None:
    (error,) = await api.refused(None, WATCH)
    assert isinstance(error, Unauthenticated)
    (error,) = await api.refused(owner, WATCH)
    assert isinstance(error, Forbidden)
    start = await api.cursor(administrator)
    for name in "ab":
        assert (await api.ask(administrator, GROUP, name=name))["errors"] == []
    async with api.subscribed(administrator, WATCH, after=start) as watched:
        first = await watched.next()
        assert first["operation"] == "INSERT"
        assert first["auditEntry"] == {
            "id": first["ids"][0],
            "action": "createGroup",
            "deed": "INSERT",
            "user": {"handle": "administrator"},
        }
        assert (await watched.next())["ids"] != first["ids"]
    async with api.subscribed(administrator, WATCH, after=start, filter={"address": "192.0.2.1"}) as watched:
        assert await watched.next() == first
    assert entry.address != "192.0.2.1"


async def test_the_changes_of_everything_leave_it_out_for_others(
    api: Api, owner: Viewer, administrator: Viewer
) -> None:
    start = await api.cursor(administrator)
    for name in "ab":
        await api.ask(administrator, GROUP, name=name)
    told: dict[str, list[str]] = {}
    for viewer, expected in ((owner, 2), (administrator, 4)):
        async with api.subscribed(viewer, ALL, after=start) as watched:
            events = [await watched.next() for _ in range(expected)]
        told[viewer.handle] = [event["ids"][0].partition("_")[0] for event in events]
    assert told == {"owner": ["group"] * 2, "administrator": ["group", "audit"] * 2}


async def test_it_is_filtered(api: Api, entry: AuditEntry, owner: Viewer, administrator: Viewer) -> None:
    filters: list[tuple[str, Any, Any]] = [
        ("ids", [f"audit_{entry.id}"], ["audit_nothing"]),
        ("userId", f"user_{owner.user_id}", f"user_{administrator.user_id}"),
        ("apiKeyId", "key_key00001", "key_key00002"),
        ("action", "updateSample", "update"),
        ("deed", "UPDATE", "LOGIN"),
        ("collection", "samples", "users"),
        ("documentId", f"sample_{entry.document_id}", f"job_{entry.document_id}"),
        ("documentId", f"sample_{entry.document_id}", entry.document_id),
        ("address", "192.0.2.7", "192.0.2.70"),
        ("requestId", "r1", "r"),
        ("atAfter", entry.at, "2030-01-01T00:00:00.000Z"),
        ("atBefore", "2030-01-01T00:00:00.000Z", entry.at),
        ("search", "OWN sample", "notes"),
    ]
    for name, matching, other in filters:
        for value, found in ((matching, 1), (other, 0)):
            shown = await api.ask(administrator, LIST, filter={name: value})
            assert (name, shown["totalCount"]) == (name, found)


async def test_it_is_ordered_and_paged(api: Api, administrator: Viewer) -> None:
    for action in "abc":
        with acting(actor_of(administrator, action=action)):
            await api.db.audit.note(Deed.LOGIN, administrator.user_id)
    shown = await api.ask(administrator, LIST, first=2)
    assert shown == {"nodes": [{"action": "c"}, {"action": "b"}], "totalCount": 3}
    first = await api.ask(administrator, LIST, orderBy=[{"field": "AT", "direction": "ASC"}])
    assert [node["action"] for node in first["nodes"]] == ["a", "b", "c"]


async def test_a_user_who_is_gone_is_a_tombstone(
    api: Api, entry: AuditEntry, owner: Viewer, administrator: Viewer
) -> None:
    user = await api.store.get(User, owner.user_id)
    assert user is not None
    await api.store.delete(user)
    shown = await api.ask(administrator, ONE, id=f"audit_{entry.id}")
    assert (shown["handle"], shown["user"]["handle"]) == ("owner", "deleted user")


async def test_the_command_line_has_no_user(api: Api, administrator: Viewer) -> None:
    with acting(Actor(user_id=None, handle="root", action="virtool-gql users create-admin")):
        await api.db.users.create("bob", "correct horse")
    (entry,) = await entries(api)
    shown = await api.ask(administrator, ONE, id=f"audit_{entry.id}")
    assert (shown["user"], shown["address"], shown["requestId"], shown["handle"]) == (None, "local", "", "root")
