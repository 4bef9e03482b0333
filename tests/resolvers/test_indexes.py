from typing import Any

import pytest

from tests.factories.api import Api
from tests.factories.indexes import buildable, built, finished, stored_index
from tests.factories.references import member
from virtool_gql.access import Viewer
from virtool_gql.db.otus import OTUChanges
from virtool_gql.models.indexes import Index
from virtool_gql.models.references import Reference, Right

BUILD = """mutation($id: ID!, $key: String) { buildIndex(input: {referenceId: $id, idempotencyKey: $key}) {
    index { id version ready latest otuCount changeCount modifiedOtuCount exportUrl user { handle }
        reference { id } job { id } }
    job { id workflow state user { handle } } errors { code message path } } }"""
ONE = """query($id: ID!) { index(id: $id) { id version ready latest hasFiles hasJson otuCount changeCount
    modifiedOtuCount exportUrl createdAt user { handle } reference { name } job { id }
    contributors { count user { handle } } otus { otuId name changeCount otu { name version } }
    manifest { otuId version otu { name } } } }"""
LIST = """query($referenceId: ID, $ready: Boolean, $search: String, $filter: IndexFilter, $orderBy: [IndexOrder!],
    $first: Int) { indexes(referenceId: $referenceId, ready: $ready, search: $search, filter: $filter,
    orderBy: $orderBy, first: $first) { nodes { id version } totalCount } }"""
NESTED = """query($first: Int) { indexes(first: $first) { nodes { id user { handle }
    reference { name latestBuild { id } } job { state } contributors { count user { handle } }
    otus { name changeCount otu { name user { handle } } } manifest { version otu { name } } } totalCount } }"""
CHANGES = """subscription($filter: IndexFilter) { indexes(filter: $filter) {
    operation ids index { version ready changeCount manifest { version } otus { changeCount }
    reference { name } } } }"""
CANCEL = """mutation($id: ID!) { cancelJob(input: {id: $id}) { job { state } errors { message } } }"""


@pytest.fixture
async def reader(api: Api) -> Viewer:
    return await api.viewer("reader")


async def shared(api: Api, owner: Viewer, *readers: Viewer, otus: int = 2, **values: Any) -> Reference:
    users = (member(owner.user_id, *Right), *(member(reader.user_id) for reader in readers))
    return (await buildable(api.db, otus, user_id=owner.user_id, users=users, **values))[0]


async def listed(api: Api, viewer: Viewer, **variables: Any) -> list[str]:
    found = await api.ask(viewer, LIST, **variables)
    assert found["totalCount"] == len(found["nodes"])
    return [node["id"] for node in found["nodes"]]


async def test_a_build(api: Api, owner: Viewer, reader: Viewer, stranger: Viewer) -> None:
    reference = await shared(api, owner, reader)
    id = f"reference_{reference.id}"
    assert await api.code(None, BUILD, id=id) == "UNAUTHENTICATED"
    answer = await api.ask(owner, BUILD, id=id, key="k")
    assert answer["errors"] == []
    job = {"id": answer["job"]["id"], "workflow": "BUILD_INDEX", "state": "WAITING", "user": {"handle": "owner"}}
    assert answer["job"] == job
    assert answer["index"] == {
        "id": answer["index"]["id"],
        "version": 0,
        "ready": False,
        "latest": False,
        "otuCount": 2,
        "changeCount": 2,
        "modifiedOtuCount": 2,
        "exportUrl": None,
        "user": {"handle": "owner"},
        "reference": {"id": id},
        "job": {"id": job["id"]},
    }
    assert (await api.ask(owner, BUILD, id=id, key="k"))["index"]["id"] == answer["index"]["id"]
    refused = await api.ask(owner, BUILD, id=id)
    assert refused["index"] is refused["job"] is None
    assert refused["errors"] == [{"code": "CONFLICT", "message": "Index build already in progress.", "path": []}]
    for viewer, code in ((reader, "FORBIDDEN"), (stranger, "NOT_FOUND")):
        assert [error["code"] for error in (await api.ask(viewer, BUILD, id=id))["errors"]] == [code]


@pytest.mark.parametrize("id", ["", "x", "reference_", "reference_nothere1", "otu_abcdefgh"])
async def test_what_is_no_reference_is_not_built(api: Api, owner: Viewer, id: str) -> None:
    (error,) = (await api.ask(owner, BUILD, id=id))["errors"]
    assert (error["code"], error["path"]) == ("NOT_FOUND", ["referenceId"])


async def test_a_build_is_cancelled_with_its_job(api: Api, owner: Viewer) -> None:
    reference = await shared(api, owner)
    answer = await api.ask(owner, BUILD, id=f"reference_{reference.id}")
    cancelled = await api.ask(owner, CANCEL, id=answer["job"]["id"])
    assert cancelled == {"job": {"state": "CANCELLED"}, "errors": []}
    assert await api.ask(owner, ONE, id=answer["index"]["id"]) is None
    counts = await api.ask(
        owner,
        "query($id: ID!) { reference(id: $id) { unbuiltChangeCount modifiedOtuCount } }",
        id=f"reference_{reference.id}",
    )
    assert counts == {"unbuiltChangeCount": 2, "modifiedOtuCount": 2}


async def test_an_index_as_members_see_it(api: Api, owner: Viewer, reader: Viewer, stranger: Viewer) -> None:
    reference, (changed, gone) = await buildable(
        api.db, user_id=owner.user_id, users=(member(owner.user_id, *Right), member(reader.user_id))
    )
    await api.db.otus.update(owner, changed.otu.id, OTUChanges(name="Another"))
    index = await built(api.db, owner, reference.id)
    await api.db.otus.delete(owner, gone.otu.id)
    id = f"index_{index.id}"
    seen = await api.ask(owner, ONE, id=id)
    assert sorted(seen.pop("otus"), key=lambda otu: otu["changeCount"]) == [
        {"otuId": f"otu_{gone.otu.id}", "name": gone.otu.name, "changeCount": 1, "otu": None},
        {
            "otuId": f"otu_{changed.otu.id}",
            "name": "Another",
            "changeCount": 2,
            "otu": {"name": "Another", "version": 1},
        },
    ]
    assert sorted(seen.pop("manifest"), key=lambda entry: entry["version"]) == [
        {"otuId": f"otu_{gone.otu.id}", "version": 0, "otu": None},
        {"otuId": f"otu_{changed.otu.id}", "version": 1, "otu": {"name": "Another"}},
    ]
    (first, *others) = seen.pop("contributors")
    assert (first["count"] + sum(each["count"] for each in others)) == 3
    assert seen == {
        "id": id,
        "version": 0,
        "ready": True,
        "latest": True,
        "hasFiles": True,
        "hasJson": True,
        "otuCount": 2,
        "changeCount": 3,
        "modifiedOtuCount": 2,
        "exportUrl": f"/downloads/indexes/{id}/reference.json.gz",
        "createdAt": index.created_at,
        "user": {"handle": "owner"},
        "reference": {"name": "Plant Viruses"},
        "job": {"id": f"job_{index.job_id}"},
    }
    assert (await api.ask(reader, ONE, id=id))["job"] is None
    for wrong in (id, f"otu_{index.id}", index.id, "index_nothere1", ""):
        assert await api.ask(stranger, ONE, id=wrong) is None
    assert await api.code(None, ONE, id=id) == "UNAUTHENTICATED"
    node = "query($id: ID!) { node(id: $id) { __typename id } }"
    assert await api.ask(reader, node, id=id) == {"__typename": "Index", "id": id}
    assert await api.ask(stranger, node, id=id) is None


async def test_a_change_tells_its_index_and_a_reference_its_latest_build(api: Api, owner: Viewer) -> None:
    reference, (stored, _) = await buildable(api.db, user_id=owner.user_id)
    index = await built(api.db, owner, reference.id)
    await api.db.otus.update(owner, stored.otu.id, OTUChanges(name="Another"))
    asked = """{ history { nodes { id unbuilt index { id version } } } }"""
    nodes = {node["id"]: node["index"] for node in (await api.ask(owner, asked))["nodes"]}
    assert nodes[f"history_{stored.otu.id}_0"] == {"id": f"index_{index.id}", "version": 0}
    assert nodes[f"history_{stored.otu.id}_1"] is None
    latest = "query($id: ID!) { reference(id: $id) { latestBuild { id } } }"
    id = f"reference_{reference.id}"
    assert await api.ask(owner, latest, id=id) == {"latestBuild": {"id": f"index_{index.id}"}}
    second, _ = await api.db.indexes.build(owner, reference.id)
    assert await api.ask(owner, latest, id=id) == {"latestBuild": {"id": f"index_{index.id}"}}
    await finished(api.db, second)
    assert await api.ask(owner, latest, id=id) == {"latestBuild": {"id": f"index_{second.id}"}}


async def test_indexes_are_listed_filtered_and_ordered(
    api: Api, owner: Viewer, reader: Viewer, stranger: Viewer
) -> None:
    one, other = await shared(api, owner, reader), await shared(api, owner, name="Other")
    old = f"index_{(await stored_index(api.db, one.id, 0, latest=False)).id}"
    new = f"index_{(await stored_index(api.db, one.id, 1, user_id=reader.user_id)).id}"
    others = f"index_{(await stored_index(api.db, other.id, 0)).id}"
    building = f"index_{(await stored_index(api.db, one.id, 2, ready=False, latest=False)).id}"
    assert await listed(api, owner) == [building, others, new, old]
    assert await listed(api, reader) == [building, new, old]
    assert await listed(api, stranger) == []
    assert await listed(api, owner, referenceId=f"reference_{other.id}") == [others]
    assert await listed(api, reader, referenceId=f"reference_{other.id}") == []
    assert await listed(api, owner, ready=True) == [others, new]
    assert await listed(api, owner, ready=False) == [building]
    assert await listed(api, owner, referenceId=f"reference_{one.id}", ready=True) == [new]
    assert await listed(api, owner, search=old.removeprefix("index_")) == [old]
    by_version = [{"field": "VERSION", "direction": "DESC"}, {"field": "CREATED_AT"}]
    assert await listed(api, owner, orderBy=by_version) == [building, new, old, others]
    for filter, found in (
        ({"ids": [old, others]}, [others, old]),
        ({"referenceId": f"reference_{one.id}"}, [building, new, old]),
        ({"ready": True}, [others, new, old]),
        ({"latest": True}, [others, new]),
        ({"userId": f"user_{reader.user_id}"}, [new]),
        ({"createdAfter": "2999-01-01T00:00:00.000Z"}, []),
        ({"createdBefore": "2999-01-01T00:00:00.000Z"}, [building, others, new, old]),
    ):
        assert await listed(api, owner, filter=filter) == found


async def some_indexes(api: Api, owner: Viewer, references: int) -> None:
    for number in range(references):
        reference = await shared(api, owner, otus=3, name=f"Reference {number}")
        index, _ = await api.db.indexes.build(owner, reference.id)
        if number % 2:
            await finished(api.db, index)


async def test_the_number_of_statements_does_not_grow_with_the_page(api: Api, owner: Viewer) -> None:
    await some_indexes(api, owner, 25)
    numbers = []
    for first in (2, 25):
        with api.statements() as executed:
            found = await api.ask(owner, NESTED, first=first)
        assert len(found["nodes"]) == first
        assert all(len(node["otus"]) == len(node["manifest"]) == 3 for node in found["nodes"])
        numbers.append(len(executed))
    assert numbers[0] == numbers[1] < 25


async def test_an_answer_that_would_be_too_large_is_refused(api: Api, owner: Viewer) -> None:
    """The full official reference is one manifest; a page of such is more than anybody can use."""
    reference = await shared(api, owner)
    manifest = {f"otu{number:05}": 1 for number in range(5_000)}
    for number in range(5):
        await stored_index(api.db, reference.id, number, manifest=manifest, otu_count=len(manifest))
    assert await api.code(owner, "{ indexes { nodes { manifest { version } } } }") == "QUERY_TOO_COMPLEX"
    one = await api.ask(owner, "{ indexes(first: 1) { nodes { manifest { version } } } }")
    assert len(one["nodes"][0]["manifest"]) == 5_000


async def test_a_build_is_told_to_members(api: Api, owner: Viewer, reader: Viewer) -> None:
    reference = await shared(api, owner, reader)
    hidden = await shared(api, owner, name="Hidden")
    async with api.subscribed(reader, CHANGES) as changes:
        await built(api.db, owner, hidden.id)
        index = await built(api.db, owner, reference.id)
        first, second = await changes.next(), await changes.next()
    assert first["ids"] == second["ids"] == [f"index_{index.id}"]
    assert [first["operation"], second["operation"]] == ["INSERT", "UPDATE"]
    assert [first["index"]["ready"], second["index"]["ready"]] == [False, True]
    assert second["index"]["changeCount"] == len(second["index"]["manifest"]) == len(second["index"]["otus"]) == 2
    assert second["index"]["reference"] == {"name": "Plant Viruses"}


async def test_a_build_that_is_called_off_is_told(api: Api, owner: Viewer) -> None:
    reference = await shared(api, owner)
    index, job = await api.db.indexes.build(owner, reference.id)
    cursor = await api.cursor(owner)
    watch = f'subscription {{ indexes(after: "{cursor}") {{ operation ids index {{ id }} }} }}'
    async with api.subscribed(owner, watch) as changes:
        await api.db.jobs.cancel(owner, job.id)
        assert await changes.next() == {"operation": "DELETE", "ids": [f"index_{index.id}"], "index": None}
    async with api.subscribed(
        owner, f'subscription {{ changes(collections: [INDEXES, HISTORY], after: "{cursor}") {{ __typename ids }} }}'
    ) as changes:
        told = [await changes.next() for _ in range(3)]
    assert [change["__typename"] for change in told] == ["IndexChange", "HistoryChange", "HistoryChange"]
    assert await api.db.store.count(Index) == 0
