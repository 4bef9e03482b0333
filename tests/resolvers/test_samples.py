from typing import Any

import pytest
from msgspec import structs

from tests.factories.api import Api
from tests.factories.files import ready_file_ids
from tests.factories.groups import stored_group
from virtool_gql.access import Viewer
from virtool_gql.models.samples import Quality, Reads
from virtool_gql.models.users import Permission

ONE = "query($id: ID!) { sample(id: $id) { name user { handle } } }"
CREATE = """mutation($input: CreateSampleInput!) { createSample(input: $input) {
    sample { id name ready version job { id state } } job { id workflow state } errors { code message path } } }"""
UPDATE = """mutation($input: UpdateSampleInput!) { updateSample(input: $input) {
    sample { name host notes version } errors { code path } } }"""
RIGHTS = """mutation($input: UpdateSampleRightsInput!) { updateSampleRights(input: $input) {
    sample { group { name } rights { groupRead groupWrite allRead allWrite } } errors { code path } } }"""
DELETE = (
    """mutation($input: DeleteSampleInput!) { deleteSample(input: $input) { sample { id } errors { code path } } }"""
)
WATCH = """subscription($ids: [ID!], $filter: SampleFilter, $after: Cursor) {
    samples(ids: $ids, filter: $filter, after: $after) {
        cursor operation ids at sample { name user { handle } } } }"""

QUALITY = Quality(
    count=3_000_000_000,
    encoding="Sanger / Illumina 1.9",
    length=(50, 51),
    gc=43.5,
    bases=((30.0, 31.0, 30.0, 32.0, 20.0, 34.0),),
    composition=((25.0, 25.0, 25.0, 25.0),),
    sequences=(0, 7),
)


async def names(api: Api, viewer: Viewer, arguments: str, **variables: Any) -> list[str]:
    page = await api.ask(viewer, f"{{ samples({arguments}) {{ nodes {{ name }} }} }}", **variables)
    return [node["name"] for node in page["nodes"]]


async def test_a_sample_is_there_for_those_who_may_read_it(
    api: Api, owner: Viewer, stranger: Viewer, administrator: Viewer
) -> None:
    sample = await api.sample(owner, name="Raspberry", all_read=False)
    id = f"sample_{sample.id}"
    assert await api.code(None, ONE, id=id) == "UNAUTHENTICATED"
    assert await api.ask(stranger, ONE, id=id) is None
    for reader in (owner, administrator):
        assert await api.ask(reader, ONE, id=id) == {"name": "Raspberry", "user": {"handle": "owner"}}


async def test_unknown_and_malformed_ids_give_null(api: Api, owner: Viewer) -> None:
    await api.sample(owner)
    for id in ("", "sample_", "sample_nothere1", "job_sample00", "sample_../../etc", "\0", "sample00"):
        assert await api.ask(owner, ONE, id=id) is None


async def test_the_list_and_its_total_hold_what_the_viewer_may_read(
    api: Api, owner: Viewer, stranger: Viewer, administrator: Viewer
) -> None:
    await api.sample(owner, name="Hidden", all_read=False)
    await api.sample(owner, name="Open")
    query = "{ samples { totalCount nodes { name } edges { node { name } } } }"
    assert await api.code(None, query) == "UNAUTHENTICATED"
    found = await api.ask(stranger, query)
    assert found == {"totalCount": 1, "nodes": [{"name": "Open"}], "edges": [{"node": {"name": "Open"}}]}
    for reader in (owner, administrator):
        assert (await api.ask(reader, query))["totalCount"] == 2


async def test_samples_are_filtered_searched_and_ordered(api: Api, owner: Viewer, stranger: Viewer) -> None:
    first = await api.sample(owner, name="B_1%", host="Rubus idaeus", ready=True)
    await api.sample(stranger, name="a", notes="Found on RUBUS in spring", paired=True)
    last = await api.sample(owner, name="C", locale="Brno")
    assert await names(api, owner, "first: 5") == ["C", "a", "B_1%"]
    assert await names(api, owner, "orderBy: {field: NAME}") == ["B_1%", "C", "a"]
    assert await names(api, owner, "orderBy: [{field: READY, direction: DESC}, {field: NAME}]") == ["B_1%", "C", "a"]
    assert await names(api, owner, 'search: "rubus"') == ["a", "B_1%"]
    assert await names(api, owner, 'search: "rubus SPRING"') == ["a"]
    assert await names(api, owner, 'search: "_1%"') == ["B_1%"]
    assert await names(api, owner, 'search: "rubus", filter: {search: "idaeus"}') == ["B_1%"]
    assert await names(api, owner, "filter: {ready: true}") == ["B_1%"]
    assert await names(api, owner, "filter: {paired: false}") == ["C", "B_1%"]
    assert await names(api, owner, f'filter: {{userId: "user_{stranger.user_id}"}}') == ["a"]
    assert await names(api, owner, f'filter: {{userIds: ["user_{stranger.user_id}"], ready: true}}') == []
    assert await names(api, owner, f'filter: {{ids: ["sample_{last.id}", "job_{first.id}", "?"]}}') == ["C"]
    assert await names(api, owner, f'filter: {{createdAfter: "{last.created_at}"}}') == ["C"]
    assert await names(api, owner, f'filter: {{createdBefore: "{last.created_at}"}}') == ["a", "B_1%"]
    assert await names(api, owner, 'filter: {name: "C", host: null}') == ["C"]
    assert await names(api, owner, 'filter: {groupId: "group_none"}') == []


async def test_a_ready_sample_shows_its_reads_and_quality(api: Api, owner: Viewer) -> None:
    reads = Reads(name="reads_1.fq.gz", size=5_000_000_000, file_id="f", file_name="a.fq")
    sample = await api.sample(owner, quality=QUALITY, reads=(reads,))
    query = """query($id: ID!) { sample(id: $id) { quality { count encoding length gc bases composition sequences }
        reads { id name size fileName downloadUrl } } }"""
    id = f"sample_{sample.id}"
    shown = await api.ask(owner, query, id=id)
    assert shown["reads"][0]["downloadUrl"] is None
    await api.db.store.replace(structs.replace(sample, ready=True))
    shown = await api.ask(owner, query, id=id)
    assert shown["quality"]["count"] == 3_000_000_000
    assert shown["quality"]["bases"] == [[30.0, 31.0, 30.0, 32.0, 20.0, 34.0]]
    assert shown["reads"] == [
        {
            "id": f"reads_{sample.id}_1",
            "name": "reads_1.fq.gz",
            "size": 5_000_000_000,
            "fileName": "a.fq",
            "downloadUrl": f"/downloads/samples/{id}/reads_1.fq.gz",
        }
    ]


async def test_a_sample_is_created_once_for_an_idempotency_key(api: Api, owner: Viewer) -> None:
    (file_id,) = await ready_file_ids(api.db)
    new = {"name": "Raspberry", "fileIds": [f"file_{file_id}"], "idempotencyKey": "k1"}
    made = await api.ask(owner, CREATE, input=new)
    assert made["errors"] == []
    assert made["sample"]["name"] == "Raspberry"
    assert made["job"] == {"id": made["sample"]["job"]["id"], "workflow": "CREATE_SAMPLE", "state": "WAITING"}
    assert (await api.ask(owner, CREATE, input=new))["sample"]["id"] == made["sample"]["id"]
    again = await api.ask(owner, CREATE, input=new | {"idempotencyKey": None, "name": "Other"})
    assert (again["sample"], again["job"]) == (None, None)
    assert [error["code"] for error in again["errors"]] == ["CONFLICT"]


async def test_what_creating_refuses_comes_back_as_user_errors(api: Api, owner: Viewer, stranger: Viewer) -> None:
    new = {"name": "Raspberry", "fileIds": ["job_x"]}
    assert await api.code(None, CREATE, input=new) == "UNAUTHENTICATED"
    refused = await api.ask(owner, CREATE, input=new)
    assert (refused["sample"], refused["job"]) == (None, None)
    assert [(error["code"], error["path"]) for error in refused["errors"]] == [("NOT_FOUND", ["fileIds"])]
    (error,) = (await api.ask(stranger, CREATE, input=new | {"fileIds": ["file_nothere"]}))["errors"]
    assert error["code"] == "FORBIDDEN"
    assert Permission.CREATE_SAMPLE.name in error["message"]


async def test_an_update_is_partial_and_guarded_by_the_version(api: Api, owner: Viewer, stranger: Viewer) -> None:
    sample = await api.sample(owner, name="Old", host="Rubus", notes="Note")
    id = f"sample_{sample.id}"
    assert await api.code(None, UPDATE, input={"id": id}) == "UNAUTHENTICATED"
    refused = await api.ask(stranger, UPDATE, input={"id": id, "name": "Mine"})
    assert [error["code"] for error in refused["errors"]] == ["FORBIDDEN"]
    changed = await api.ask(owner, UPDATE, input={"id": id, "name": "New", "notes": "", "expectedVersion": 1})
    assert changed == {"sample": {"name": "New", "host": "Rubus", "notes": "", "version": 2}, "errors": []}
    stale = await api.ask(owner, UPDATE, input={"id": id, "name": "Newer", "expectedVersion": 1})
    assert stale == {"sample": None, "errors": [{"code": "CONFLICT", "path": []}]}
    null = await api.ask(owner, UPDATE, input={"id": id, "libraryType": None})
    assert null == {"sample": None, "errors": [{"code": "BAD_USER_INPUT", "path": ["libraryType"]}]}


async def test_what_cannot_be_seen_cannot_be_updated(api: Api, owner: Viewer, stranger: Viewer) -> None:
    hidden = await api.sample(owner, all_read=False)
    for id in (f"sample_{hidden.id}", "sample_nothere", f"job_{hidden.id}"):
        refused = await api.ask(stranger, UPDATE, input={"id": id, "name": "Mine"})
        assert [error["code"] for error in refused["errors"]] == ["NOT_FOUND"]


async def test_rights_are_changed_by_the_creator_alone(api: Api, owner: Viewer) -> None:
    group = await stored_group(api.db, "Virologists")
    member = await api.viewer("member", group_ids=(group.id,))
    sample = await api.sample(owner, group_id=group.id, group_write=True)
    id = f"sample_{sample.id}"
    refused = await api.ask(member, RIGHTS, input={"id": id, "allWrite": True})
    assert [error["code"] for error in refused["errors"]] == ["FORBIDDEN"]
    changed = await api.ask(owner, RIGHTS, input={"id": id, "allWrite": True, "groupRead": False})
    rights = {"groupRead": False, "groupWrite": True, "allRead": True, "allWrite": True}
    assert changed == {"sample": {"group": {"name": "Virologists"}, "rights": rights}, "errors": []}
    without = await api.ask(owner, RIGHTS, input={"id": id, "groupId": None})
    assert without["sample"]["group"] is None
    wrong = await api.ask(owner, RIGHTS, input={"id": id, "groupId": "user_x"})
    assert wrong["errors"] == [{"code": "NOT_FOUND", "path": ["groupId"]}]


async def test_a_sample_is_deleted_by_those_who_may_write_it(api: Api, owner: Viewer, stranger: Viewer) -> None:
    id = f"sample_{(await api.sample(owner)).id}"
    assert (await api.ask(stranger, DELETE, input={"id": id}))["errors"] == [{"code": "FORBIDDEN", "path": []}]
    assert await api.ask(owner, DELETE, input={"id": id}) == {"sample": {"id": id}, "errors": []}
    assert await api.ask(owner, ONE, id=id) is None


async def test_changes_are_told_to_readers_and_deletions_to_those_who_could_read(
    api: Api, owner: Viewer, stranger: Viewer
) -> None:
    after = await api.cursor(owner)
    hidden = await api.sample(owner, name="Hidden", all_read=False)
    sample = await api.sample(owner, name="Open")
    changed = (await api.db.store.replace(structs.replace(sample, name="Renamed")))[0]
    await api.db.store.delete(hidden, changed)
    async with api.subscribed(stranger, WATCH, after=after) as watched:
        told = [await watched.next() for _ in range(3)]
    assert [(change["operation"], change["sample"]) for change in told] == [
        ("INSERT", {"name": "Open", "user": {"handle": "owner"}}),
        ("UPDATE", {"name": "Renamed", "user": {"handle": "owner"}}),
        ("DELETE", None),
    ]
    assert all(change["ids"] == [f"sample_{sample.id}"] for change in told)
    async with api.subscribed(stranger, WATCH, after=told[1]["cursor"]) as watched:
        assert await watched.next() == told[2]


async def test_changes_are_told_of_the_samples_that_are_asked_for(api: Api, owner: Viewer) -> None:
    after = await api.cursor(owner)
    other = await api.sample(owner, host="Malus")
    sample = await api.sample(owner, host="Rubus")
    async with api.subscribed(owner, WATCH, after=after, ids=[f"sample_{sample.id}"]) as watched:
        assert (await watched.next())["ids"] == [f"sample_{sample.id}"]
    async with api.subscribed(owner, WATCH, after=after, filter={"host": "Rubus"}) as watched:
        assert (await watched.next())["ids"] == [f"sample_{sample.id}"]
    async with api.subscribed(owner, WATCH, after=after, ids=None) as watched:
        assert (await watched.next())["ids"] == [f"sample_{other.id}"]


async def test_a_subscription_ends_when_the_viewer_does(api: Api, owner: Viewer) -> None:
    after = await api.cursor(owner)
    context = api.context(owner)
    async with api.subscribed(context, WATCH, after=after) as watched:
        await api.sample(owner)
        await watched.next()
        context.caller.viewer = None
        await api.sample(owner)
        with pytest.raises(StopAsyncIteration):
            await watched.next()


async def test_what_a_new_sample_leaves_out_or_has_as_null_has_its_default(api: Api, owner: Viewer) -> None:
    empty = dict.fromkeys(("host", "isolate", "locale", "notes", "libraryType", "labelIds", "subtractionIds"))
    made = await api.ask(
        owner, CREATE, input={"name": "Bare", "fileIds": [f"file_{(await api.file(owner)).id}"], **empty}
    )
    assert made["errors"] == []


@pytest.mark.parametrize(("field", "id"), [("labelIds", "label_7"), ("subtractionIds", "subtraction_7")])
async def test_a_label_or_subtraction_that_does_not_exist_is_named(
    api: Api, owner: Viewer, field: str, id: str
) -> None:
    new = {"name": "Labelled", "fileIds": [f"file_{(await api.file(owner)).id}"], field: [id]}
    (error,) = (await api.ask(owner, CREATE, input=new))["errors"]
    assert error["path"] == [field]
    assert id in error["message"]


async def test_an_event_leaves_the_quality_out_until_it_is_asked_for(api: Api, owner: Viewer) -> None:
    after = await api.cursor(owner)
    watch = """subscription($after: Cursor) {
        samples(after: $after) { sample { quality { count bases } } } }"""
    async with api.subscribed(api.context(owner), watch, after=after) as watched:
        await api.sample(owner, quality=QUALITY, ready=True)
        shown = await watched.next()
    assert shown["sample"]["quality"] == {"count": QUALITY.count, "bases": [list(QUALITY.bases[0])]}
    changes = api.db.samples.changes(lambda: owner, after=after)
    assert "quality" not in (await anext(changes)).document
    await changes.aclose()
