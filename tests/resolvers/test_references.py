import asyncio
from typing import Any

import pytest
from msgspec import structs

from tests.factories.api import Api
from tests.factories.groups import stored_group
from tests.factories.indexes import stored_index
from tests.factories.otus import stored_otu
from tests.factories.references import member, stored_reference
from tests.factories.tasks import stored_task
from tests.factories.users import stored_user
from virtool_gql.access import Viewer
from virtool_gql.models.history import HistoryEntry, Verb
from virtool_gql.models.references import (
    ClonedFrom,
    DataType,
    ImportedFrom,
    Reference,
    Release,
    RemotesFrom,
    Right,
    Target,
    Update,
)
from virtool_gql.models.tasks import Task
from virtool_gql.models.users import Permission, User

RIGHTS = "rights { build modify modifyOtu remove }"
MEMBERS = "members { user { handle } group { name } build modify modifyOtu remove }"
ONE = f"query($id: ID!) {{ reference(id: $id) {{ id name {RIGHTS} {MEMBERS} }} }}"
LIST = """query($first: Int, $after: String, $search: String, $filter: ReferenceFilter, $orderBy: [ReferenceOrder!]) {
    references(first: $first, after: $after, search: $search, filter: $filter, orderBy: $orderBy) {
    nodes { name } totalCount pageInfo { hasNextPage endCursor } } }"""
ERRORS = "errors { code message path }"
CREATE = f"""mutation($input: CreateReferenceInput!) {{ createReference(input: $input) {{
    reference {{ id name description dataType organism restrictSourceTypes sourceTypes targets {{ name }} otuCount
    unbuiltChangeCount modifiedOtuCount contributors {{ count }} {MEMBERS} {RIGHTS} clonedFrom {{ name }}
    importedFrom {{ name }} remotesFrom {{ slug }} release {{ name }} installed {{ name }} updates {{ name }} updating
    ready archived exportUrl user {{ handle }} version internalControl {{ id }} }} {ERRORS} }} }}"""
UPDATE = f"""mutation($input: UpdateReferenceInput!) {{ updateReference(input: $input) {{
    reference {{ name description organism restrictSourceTypes sourceTypes internalControl {{ name }} version
    targets {{ name description required length }} }} {ERRORS} }} }}"""
CLONE = f"""mutation($input: CloneReferenceInput!) {{ cloneReference(input: $input) {{
    reference {{ id name description organism ready clonedFrom {{ name reference {{ name }} }} exportUrl {MEMBERS}
    task {{ id }} }} task {{ id type complete user {{ handle }} reference {{ name }} }} {ERRORS} }} }}"""
ARCHIVE = "mutation($input: ArchiveReferenceInput!) { archiveReference(input: $input) { reference { archived } %s } }"
RESTORE = "mutation($input: RestoreReferenceInput!) { restoreReference(input: $input) { reference { archived } %s } }"
DELETE = """mutation($input: DeleteReferenceInput!) { deleteReference(input: $input) {
    reference { name } task { id type reference { name } } %s } }"""
TASK = "query($id: ID!) { task(id: $id) { type } }"
ARCHIVE, RESTORE, DELETE = ARCHIVE % ERRORS, RESTORE % ERRORS, DELETE % ERRORS

NO_RIGHTS = {"build": False, "modify": False, "modifyOtu": False, "remove": False}
ALL_RIGHTS = dict.fromkeys(NO_RIGHTS, True)


def codes(payload: dict[str, Any]) -> list[tuple[str, list[str]]]:
    return [(error["code"], error["path"]) for error in payload["errors"]]


def id_of(reference: Reference) -> str:
    return f"reference_{reference.id}"


async def names(api: Api, viewer: Viewer, **variables: Any) -> list[str]:
    return [node["name"] for node in (await api.ask(viewer, LIST, **variables))["nodes"]]


@pytest.fixture
async def reader(api: Api) -> Viewer:
    return await api.viewer("reader")


@pytest.fixture
async def creator(api: Api) -> Viewer:
    return await api.viewer("creator", Permission.CREATE_REF)


@pytest.fixture
async def shared(api: Api, owner: Viewer, reader: Viewer) -> Reference:
    """Give a reference of the owner that the reader may read."""
    members = (member(owner.user_id, *Right), member(reader.user_id))
    return await stored_reference(api.db, "Shared", owner.user_id, users=members)


async def test_a_reference_is_there_for_members_alone(  # noqa: PLR0913, PLR0917 - each kind of viewer
    api: Api, owner: Viewer, reader: Viewer, stranger: Viewer, administrator: Viewer, shared: Reference
) -> None:
    id = id_of(shared)
    node = "query($id: ID!) { node(id: $id) { ... on Reference { name } } }"
    assert await api.code(None, ONE, id=id) == "UNAUTHENTICATED"
    assert await api.code(None, LIST) == "UNAUTHENTICATED"
    assert await api.ask(stranger, ONE, id=id) is None
    assert await api.ask(stranger, node, id=id) is None
    assert (await api.ask(stranger, LIST))["totalCount"] == 0
    assert await names(api, stranger) == []
    for viewer, rights in ((owner, ALL_RIGHTS), (reader, NO_RIGHTS), (administrator, ALL_RIGHTS)):
        shown = await api.ask(viewer, ONE, id=id)
        assert (shown["id"], shown["name"], shown["rights"]) == (id, "Shared", rights)
        assert shown["members"] == [
            {"user": {"handle": "owner"}, "group": None, **ALL_RIGHTS},
            {"user": {"handle": "reader"}, "group": None, **NO_RIGHTS},
        ]
        assert await api.ask(viewer, node, id=id) == {"name": "Shared"}
        assert (await api.ask(viewer, LIST))["totalCount"] == 1
    for wrong in ("reference_nothere1", f"sample_{shared.id}", shared.id, "reference_", "\0"):
        assert await api.ask(owner, ONE, id=wrong) is None


async def test_rights_are_the_viewers_own_and_those_of_their_groups(api: Api) -> None:
    one, two = await stored_group(api.db, "One"), await stored_group(api.db, "Two")
    viewer = await api.viewer("grouped", group_ids=(one.id, two.id))
    reference = await stored_reference(
        api.db,
        users=(member(viewer.user_id, Right.BUILD),),
        groups=(member(one.id, Right.MODIFY_OTU), member(two.id, Right.REMOVE)),
    )
    shown = await api.ask(viewer, ONE, id=id_of(reference))
    assert shown["rights"] == {"build": True, "modify": False, "modifyOtu": True, "remove": True}
    assert [each["group"] for each in shown["members"]] == [None, {"name": "One"}, {"name": "Two"}]


async def test_references_are_listed_by_name_filtered_searched_and_ordered(
    api: Api, owner: Viewer, administrator: Viewer
) -> None:
    mine = owner.user_id
    b = await stored_reference(api.db, "b", mine, organism="Virus", data_type=DataType.BARCODE)
    await stored_reference(api.db, "A", mine, archived=True, remotes_from=RemotesFrom(slug="a/b"))
    last = await stored_reference(api.db, "c_1%", mine, ready=False)
    await stored_reference(api.db, "Hidden", administrator.user_id)
    assert await names(api, owner) == ["A", "b", "c_1%"]
    assert await names(api, administrator) == ["A", "b", "c_1%", "Hidden"]
    for search, found in (("virus barcode", ["b"]), ("_1%", ["c_1%"]), ("genome", ["A", "c_1%"]), ("hidden", [])):
        assert await names(api, owner, search=search) == found
    for where, found in (
        ({"ids": [id_of(b), "reference_x", "?"]}, ["b"]),
        ({"name": "b"}, ["b"]),
        ({"dataType": "BARCODE"}, ["b"]),
        ({"archived": True}, ["A"]),
        ({"archived": False}, ["b", "c_1%"]),
        ({"ready": False}, ["c_1%"]),
        ({"remote": True}, ["A"]),
        ({"remote": False}, ["b", "c_1%"]),
        ({"userId": f"user_{administrator.user_id}"}, []),
        ({"createdAfter": last.created_at}, ["c_1%"]),
        ({"createdBefore": last.created_at, "search": "virus"}, ["b"]),
    ):
        assert await names(api, owner, filter=where) == found, where
    assert await names(api, owner, orderBy=[{"field": "CREATED_AT", "direction": "DESC"}]) == ["c_1%", "A", "b"]
    first = await api.ask(owner, LIST, first=2)
    assert (first["totalCount"], first["pageInfo"]["hasNextPage"]) == (3, True)
    assert await names(api, owner, after=first["pageInfo"]["endCursor"]) == ["c_1%"]


async def test_where_a_reference_comes_from_is_shown(api: Api, owner: Viewer, stranger: Viewer) -> None:
    source = await stored_reference(api.db, "Source now", stranger.user_id)
    file = await api.file(owner, name="reference.json.gz")
    at = api.clock()
    release = Release(
        id="11447367", name="v1.4.0", size=3_000_000_000, download_url="https://example.org/a", newer=True
    )
    updates = tuple(
        Update(id=f"{number}", name=f"v{number}", user_id=owner.user_id, created_at=at, ready=number < 2)
        for number in range(3)
    )
    reference = await stored_reference(
        api.db,
        user_id=owner.user_id,
        cloned_from=ClonedFrom(id=source.id, name="Source then"),
        imported_from=ImportedFrom(
            file_id=file.id, file_name="r.gz", size=3_000_000_000, uploaded_at=at, user_id="nobody00"
        ),
        remotes_from=RemotesFrom(slug="virtool/ref-plant-viruses"),
        release=release,
        installed=updates[1],
        updates=updates,
        updating=True,
        errors=("Could not reach GitHub",),
        targets=(Target(name="ITS", length=600),),
    )
    query = """query($id: ID!) { reference(id: $id) {
        clonedFrom { name reference { name } } importedFrom { name size uploadedAt file { name } user { handle } }
        remotesFrom { slug errors } release { releaseId name size downloadUrl newer publishedAt }
        installed { releaseId name ready user { handle } } updates { name ready } updating exportUrl
        targets { name length } } }"""
    assert await api.ask(owner, query, id=id_of(reference)) == {
        "clonedFrom": {"name": "Source then", "reference": None},
        "importedFrom": {
            "name": "r.gz",
            "size": 3_000_000_000,
            "uploadedAt": at,
            "file": {"name": "reference.json.gz"},
            "user": {"handle": "deleted user"},
        },
        "remotesFrom": {"slug": "virtool/ref-plant-viruses", "errors": ["Could not reach GitHub"]},
        "release": {
            "releaseId": "11447367",
            "name": "v1.4.0",
            "size": 3_000_000_000,
            "downloadUrl": "https://example.org/a",
            "newer": True,
            "publishedAt": None,
        },
        "installed": {"releaseId": "1", "name": "v1", "ready": True, "user": {"handle": "owner"}},
        "updates": [{"name": "v2", "ready": False}, {"name": "v1", "ready": True}, {"name": "v0", "ready": True}],
        "updating": True,
        "exportUrl": f"/downloads/references/{id_of(reference)}/reference.json.gz",
        "targets": [{"name": "ITS", "length": 600}],
    }
    now = await api.db.store.get(Reference, source.id)
    assert now is not None
    await api.db.store.replace(structs.replace(now, users=(member(owner.user_id),)))
    shown = await api.ask(
        owner, "query($id: ID!) { reference(id: $id) { clonedFrom { reference { name } } } }", id=id_of(reference)
    )
    assert shown == {"clonedFrom": {"reference": {"name": "Source now"}}}


COUNTED = """query($n: Int) { references(first: $n) { nodes {
    name otuCount unbuiltChangeCount modifiedOtuCount contributors { count user { handle } }
    members { user { handle } group { name } } user { handle } internalControl { name } task { type }
    latestBuild { version reference { name } user { handle } } } } }"""


async def test_the_statements_do_not_grow_with_the_page(api: Api, owner: Viewer, administrator: Viewer) -> None:
    group = await stored_group(api.db)
    users = [(await stored_user(api.db, f"user{number:02}"))[0].id for number in range(5)]
    for number in range(25):
        reference = await stored_reference(
            api.db,
            f"Reference {number:02}",
            owner.user_id,
            users=tuple(member(id) for id in users[: number % 5 + 1]),
            groups=(member(group.id),),
            task_id=(await stored_task(api.db, owner.user_id)).id,
        )
        made = [(await stored_otu(api.db, reference.id, user_id=users[each])).otu for each in range(number % 3)]
        await stored_index(api.db, reference.id, number)
        if made:
            await api.db.store.replace(structs.replace(reference, internal_control_id=made[0].id))
    counts = {}
    for viewer in (owner, administrator):
        for first in (2, 25):
            with api.statements() as statements:
                page = await api.ask(viewer, COUNTED, n=first)
            assert len(page["nodes"]) == first
            counts[viewer.handle, first] = len(statements)
    # References, their creators, three counts, contributions; OTUs and tasks, each with the rights; then the users
    # and groups among the members, and the contributors; the builds, and of these their references and creators.
    assert counts["owner", 2] == counts["owner", 25] <= 16, statements
    assert counts["administrator", 2] == counts["administrator", 25] == counts["owner", 2] - 2
    last = page["nodes"][23]
    assert (last["otuCount"], last["unbuiltChangeCount"], last["modifiedOtuCount"]) == (2, 2, 2)
    assert [(each["count"], each["user"]["handle"]) for each in last["contributors"]] in (
        [(1, "user00"), (1, "user01")],
        [(1, "user01"), (1, "user00")],
    )
    assert last["internalControl"]["name"].startswith("Virus")
    build = {"version": 23, "reference": {"name": "Reference 23"}, "user": {"handle": "deleted user"}}
    assert last["latestBuild"] == build
    assert page["nodes"][0]["contributors"] == []


async def test_counts_tell_what_a_build_would_take(api: Api, owner: Viewer) -> None:
    reference = await stored_reference(api.db, user_id=owner.user_id)
    one, _ = [(await stored_otu(api.db, reference.id, user_id=owner.user_id)).otu for _ in range(2)]
    entry = HistoryEntry(
        id=f"{one.id}_1",
        otu_id=one.id,
        otu_name=one.name,
        otu_revision=1,
        place=1,
        reference_id=reference.id,
        verb=Verb.EDIT,
        description="Changed name to X",
        user_id=owner.user_id,
        created_at=api.clock(),
    )
    await api.db.store.insert(
        entry,
        structs.replace(entry, id="gone0000_5", otu_id="gone0000"),
        structs.replace(entry, id="x_7", index_id="i"),
    )
    query = """query($id: ID!) { reference(id: $id) {
        otuCount unbuiltChangeCount modifiedOtuCount contributors { count user { handle } } } }"""
    assert await api.ask(owner, query, id=id_of(reference)) == {
        "otuCount": 2,
        "unbuiltChangeCount": 4,
        "modifiedOtuCount": 3,
        "contributors": [{"count": 5, "user": {"handle": "owner"}}],
    }


async def test_a_reference_is_created_with_its_defaults(api: Api, creator: Viewer, stranger: Viewer) -> None:
    assert await api.code(None, CREATE, input={"name": "New"}) == "UNAUTHENTICATED"
    refused = await api.ask(stranger, CREATE, input={"name": "New"})
    assert codes(refused) == [("FORBIDDEN", [])]
    assert "CREATE_REF" in refused["errors"][0]["message"]
    made = await api.ask(creator, CREATE, input={"name": "New", "description": None, "organism": None})
    assert made["errors"] == []
    id = made["reference"].pop("id")
    assert made["reference"] == {
        "name": "New",
        "description": "",
        "dataType": "GENOME",
        "organism": "",
        "restrictSourceTypes": False,
        "sourceTypes": ["isolate", "strain"],
        "targets": [],
        "otuCount": 0,
        "unbuiltChangeCount": 0,
        "modifiedOtuCount": 0,
        "contributors": [],
        "members": [{"user": {"handle": "creator"}, "group": None, **ALL_RIGHTS}],
        "rights": ALL_RIGHTS,
        **dict.fromkeys(("clonedFrom", "importedFrom", "remotesFrom", "release", "installed", "internalControl")),
        "updates": [],
        "updating": False,
        "ready": True,
        "archived": False,
        "exportUrl": f"/downloads/references/{id}/reference.json.gz",
        "user": {"handle": "creator"},
        "version": 1,
    }
    barcodes = {"name": "Barcodes", "dataType": "BARCODE", "organism": "fungus", "description": "D"}
    shown = (await api.ask(creator, CREATE, input=barcodes))["reference"]
    assert {name: shown[name] for name in barcodes} == barcodes
    assert codes(await api.ask(creator, CREATE, input={"name": " "})) == [("BAD_USER_INPUT", ["name"])]


async def test_twenty_creates_with_one_key_make_one_reference(api: Api, creator: Viewer) -> None:
    new = {"name": "Once", "idempotencyKey": "k"}
    payloads = await asyncio.gather(*(api.ask(creator, CREATE, input=new) for _ in range(20)))
    assert all(payload == payloads[0] for payload in payloads)
    assert payloads[0]["errors"] == []
    assert await api.db.store.count(Reference) == 1


async def test_an_update_is_partial_and_guarded_by_the_version(
    api: Api, owner: Viewer, reader: Viewer, stranger: Viewer, shared: Reference
) -> None:
    id = id_of(shared)
    assert await api.code(None, UPDATE, input={"id": id}) == "UNAUTHENTICATED"
    assert codes(await api.ask(stranger, UPDATE, input={"id": id, "name": "Mine"})) == [("NOT_FOUND", ["id"])]
    refused = await api.ask(reader, UPDATE, input={"id": id, "name": "Mine"})
    assert codes(refused) == [("FORBIDDEN", [])]
    assert "MODIFY" in refused["errors"][0]["message"]
    changed = await api.ask(
        owner,
        UPDATE,
        input={"id": id, "organism": "virus", "sourceTypes": ["Clone ", "clone"], "expectedVersion": 1},
    )
    assert changed["errors"] == []
    now = changed["reference"]
    assert (now["name"], now["organism"], now["sourceTypes"], now["version"]) == ("Shared", "virus", ["clone"], 2)
    assert (await api.ask(owner, UPDATE, input={"id": id}))["reference"] == now
    stale = await api.ask(owner, UPDATE, input={"id": id, "name": "X", "expectedVersion": 1})
    assert codes(stale) == [("CONFLICT", [])]
    for field in ("name", "description", "organism", "restrictSourceTypes", "sourceTypes", "targets"):
        assert codes(await api.ask(owner, UPDATE, input={"id": id, field: None})) == [("BAD_USER_INPUT", [field])]
    for wrong in ("reference_nothere1", "sample_x", "reference_", "\0"):
        assert [code for code, _ in codes(await api.ask(owner, UPDATE, input={"id": wrong}))] == ["NOT_FOUND"]


async def test_internal_control_and_targets(api: Api, owner: Viewer) -> None:
    reference = await stored_reference(api.db, user_id=owner.user_id, data_type=DataType.BARCODE)
    otu = (await stored_otu(api.db, reference.id)).otu
    id = id_of(reference)
    for given, shown in (
        (f"otu_{otu.id}", {"name": otu.name}),
        ("", None),
        (f"otu_{otu.id}", {"name": otu.name}),
        ("otu_nothere1", None),
        (f"otu_{otu.id}", {"name": otu.name}),
        (f"sample_{otu.id}", None),
        (None, None),
    ):
        payload = await api.ask(owner, UPDATE, input={"id": id, "internalControlId": given})
        assert payload["errors"] == []
        assert payload["reference"]["internalControl"] == shown
    targets = [{"name": "ITS", "description": "D", "required": True, "length": 600}, {"name": "rbcL"}]
    payload = await api.ask(owner, UPDATE, input={"id": id, "targets": targets})
    assert payload["reference"]["targets"] == [
        targets[0],
        {"name": "rbcL", "description": "", "required": False, "length": None},
    ]
    twice = await api.ask(owner, UPDATE, input={"id": id, "targets": [targets[0], targets[0]]})
    assert codes(twice) == [("BAD_USER_INPUT", ["targets"])]
    assert twice["errors"][0]["message"] == "The targets field may not contain duplicate names."


async def test_archiving_restoring_and_deleting(
    api: Api, owner: Viewer, reader: Viewer, stranger: Viewer, shared: Reference
) -> None:
    about = {"id": id_of(shared)}
    for operation, right in ((ARCHIVE, "MODIFY"), (RESTORE, "MODIFY"), (DELETE, "REMOVE")):
        assert await api.code(None, operation, input=about) == "UNAUTHENTICATED"
        assert codes(await api.ask(stranger, operation, input=about)) == [("NOT_FOUND", ["id"])]
        refused = await api.ask(reader, operation, input=about)
        assert codes(refused) == [("FORBIDDEN", [])]
        assert right in refused["errors"][0]["message"]
    for _ in range(2):
        assert (await api.ask(owner, ARCHIVE, input=about))["reference"] == {"archived": True}
    assert codes(await api.ask(owner, UPDATE, input={**about, "name": "X"})) == [("CONFLICT", [])]
    for _ in range(2):
        assert (await api.ask(owner, RESTORE, input=about))["reference"] == {"archived": False}
    deleted = await api.ask(owner, DELETE, input=about)
    task = {"id": deleted["task"]["id"], "type": "DELETE_REFERENCE", "reference": None}
    assert deleted == {"reference": {"name": "Shared"}, "task": task, "errors": []}
    assert await api.ask(owner, TASK, id=task["id"]) == {"type": "DELETE_REFERENCE"}
    assert await api.ask(reader, TASK, id=task["id"]) is None
    assert await api.ask(owner, ONE, id=about["id"]) is None
    assert codes(await api.ask(owner, DELETE, input=about)) == [("NOT_FOUND", ["id"])]
    assert await api.db.store.count(Task) == 1


async def test_a_clone_is_made_by_whoever_may_read_and_create(
    api: Api, creator: Viewer, reader: Viewer, owner: Viewer
) -> None:
    members = tuple(member(viewer.user_id) for viewer in (creator, reader, owner))
    source = await stored_reference(api.db, "Source", owner.user_id, users=members, organism="virus")
    hidden = await stored_reference(api.db, "Hidden", owner.user_id)
    about = {"referenceId": id_of(source)}
    assert await api.code(None, CLONE, input=about) == "UNAUTHENTICATED"
    assert codes(await api.ask(reader, CLONE, input=about)) == [("FORBIDDEN", [])]
    for wrong in (id_of(hidden), "reference_nothere1", "sample_x"):
        assert codes(await api.ask(creator, CLONE, input={"referenceId": wrong})) == [("NOT_FOUND", ["referenceId"])]
    made = await api.ask(creator, CLONE, input={**about, "idempotencyKey": "k"})
    assert made["errors"] == []
    task = {"id": made["task"]["id"]}
    assert made["task"] == {
        **task,
        "type": "CLONE_REFERENCE",
        "complete": False,
        "user": {"handle": "creator"},
        "reference": {"name": "Clone of Source"},
    }
    assert {**made["reference"], "id": ""} == {
        "id": "",
        "task": task,
        "name": "Clone of Source",
        "description": "",
        "organism": "virus",
        "ready": False,
        "exportUrl": None,
        "clonedFrom": {"name": "Source", "reference": {"name": "Source"}},
        "members": [{"user": {"handle": "creator"}, "group": None, **ALL_RIGHTS}],
    }
    assert await api.ask(creator, CLONE, input={**about, "idempotencyKey": "k"}) == made
    named = await api.ask(creator, CLONE, input={**about, "name": "N", "description": "D", "organism": "O"})
    shown = named["reference"]
    assert (shown["name"], shown["description"], shown["organism"]) == ("N", "D", "O")


async def test_who_is_gone_is_shown_among_the_members(api: Api, owner: Viewer) -> None:
    user, _ = await stored_user(api.db, "alice")
    inactive, _ = await stored_user(api.db, "bob")
    members = (member(user.id), member(inactive.id), member("nobody00"))
    reference = await stored_reference(api.db, user_id=owner.user_id, users=members, groups=(member("gone0000"),))
    await stored_otu(api.db, reference.id, user_id=user.id)
    await api.db.store.replace(structs.replace(inactive, active=False))
    stored = await api.db.store.get(User, user.id)
    assert stored is not None
    await api.db.store.delete(stored)
    query = """query($id: ID!) { reference(id: $id) {
        members { user { handle active } group { name } } contributors { user { handle } } } }"""
    gone = {"handle": "deleted user", "active": False}
    shown = await api.ask(owner, query, id=id_of(reference))
    assert [each["user"] for each in shown["members"]] == [gone, {"handle": "bob", "active": False}, gone, None]
    assert [each["group"] for each in shown["members"]] == [None] * 4
    assert shown["contributors"] == [{"user": {"handle": "deleted user"}}]


async def test_the_official_reference_is_told_to_whoever_is_signed_in(
    api: Api, owner: Viewer, stranger: Viewer
) -> None:
    query = "{ officialInstalled }"
    assert await api.code(None, query) == "UNAUTHENTICATED"
    assert await api.ask(stranger, query) is False
    slug = RemotesFrom(slug="virtool/ref-plant-viruses")
    await stored_reference(api.db, user_id=owner.user_id, remotes_from=slug)
    assert await api.ask(stranger, query) is True


WATCH = """subscription($after: Cursor, $filter: ReferenceFilter) { references(after: $after, filter: $filter) {
    operation ids reference { name otuCount rights { modify } members { user { handle } } user { handle } } } }"""


async def test_changes_are_told_to_members(
    api: Api, creator: Viewer, reader: Viewer, stranger: Viewer, administrator: Viewer
) -> None:
    after = await api.cursor(creator)
    own = await stored_reference(api.db, "Of the stranger", stranger.user_id)
    id = (await api.ask(creator, CREATE, input={"name": "New"}))["reference"]["id"]
    add = "mutation($input: AddReferenceUserInput!) { addReferenceUser(input: $input) { errors { code } } }"
    await api.ask(creator, add, input={"referenceId": id, "userId": f"user_{reader.user_id}"})
    await api.ask(creator, UPDATE, input={"id": id, "name": "Newer"})
    await api.ask(creator, DELETE, input={"id": id})
    both = [{"user": {"handle": "creator"}}, {"user": {"handle": "reader"}}]
    for viewer, first in ((creator, 0), (reader, 1)):
        async with api.subscribed(viewer, WATCH, after=after) as watched:
            told = [await watched.next() for _ in range(4 - first)]
        modify = {"modify": viewer is creator}
        shown = {"otuCount": 0, "rights": modify, "user": {"handle": "creator"}}
        assert [(change["operation"], change["ids"], change["reference"]) for change in told] == [
            ("INSERT", [id], {"name": "New", "members": both[:1], **shown}),
            ("UPDATE", [id], {"name": "New", "members": both, **shown}),
            ("UPDATE", [id], {"name": "Newer", "members": both, **shown}),
            ("DELETE", [id], None),
        ][first:]
    several = """subscription($after: Cursor) { changes(collections: [REFERENCES], after: $after) {
        operation ids ... on ReferenceChange { reference { name } } } }"""
    async with api.subscribed(stranger, several, after=after) as watched:
        assert await watched.next() == {
            "operation": "INSERT",
            "ids": [id_of(own)],
            "reference": {"name": "Of the stranger"},
        }
        await api.db.store.replace(structs.replace(own, name="Still"))
        assert (await watched.next())["reference"] == {"name": "Still"}
    async with api.subscribed(administrator, WATCH, after=after, filter={"search": "newer"}) as watched:
        assert (await watched.next())["reference"]["name"] == "Newer"


async def test_renaming_leaves_nothing_half_done(api: Api, owner: Viewer, shared: Reference) -> None:
    """What shows a reference's name asks for it, and holds no copy that could be out of date."""
    clone = await stored_reference(api.db, "Clone", owner.user_id, cloned_from=ClonedFrom(id=shared.id, name="Shared"))
    await api.ask(owner, UPDATE, input={"id": id_of(shared), "name": "Renamed"})
    query = "query($id: ID!) { reference(id: $id) { clonedFrom { name reference { name } } } }"
    shown = await api.ask(owner, query, id=id_of(clone))
    assert shown == {"clonedFrom": {"name": "Shared", "reference": {"name": "Renamed"}}}
    assert await names(api, owner) == ["Clone", "Renamed"]
