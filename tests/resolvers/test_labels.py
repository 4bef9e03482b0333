import asyncio
from typing import Any

import pytest
from msgspec import structs

from tests.factories.api import Api
from tests.factories.labels import stored_label
from virtool_gql.access import Viewer
from virtool_gql.models.labels import Label
from virtool_gql.models.samples import Sample
from virtool_gql.models.users import User

LABEL = "id name color description sampleCount user { handle } version"
ONE = f"query($id: ID!) {{ label(id: $id) {{ {LABEL} }} }}"
LIST = """query($first: Int, $after: String, $search: String, $filter: LabelFilter, $orderBy: [LabelOrder!]) {
    labels(first: $first, after: $after, search: $search, filter: $filter, orderBy: $orderBy) {
    nodes { name sampleCount user { handle } } totalCount pageInfo { hasNextPage endCursor } } }"""
CREATE = f"""mutation($input: CreateLabelInput!) {{ createLabel(input: $input) {{
    label {{ {LABEL} }} errors {{ code message path }} }} }}"""
UPDATE = f"""mutation($input: UpdateLabelInput!) {{ updateLabel(input: $input) {{
    label {{ {LABEL} }} errors {{ code message path }} }} }}"""
DELETE = "mutation($input: DeleteLabelInput!) { deleteLabel(input: $input) { label { name } errors { code path } } }"
SAMPLES = "{ samples(first: 100) { nodes { name labels { name color sampleCount } } } }"


def codes(payload: dict[str, Any]) -> list[tuple[str, list[str]]]:
    return [(error["code"], error["path"]) for error in payload["errors"]]


async def names(api: Api, viewer: Viewer, **variables: Any) -> list[str]:
    return [node["name"] for node in (await api.ask(viewer, LIST, **variables))["nodes"]]


async def test_a_label_is_there_for_everybody_who_is_signed_in(api: Api, owner: Viewer, stranger: Viewer) -> None:
    label = await stored_label(api.db, user_id=owner.user_id)
    id = f"label_{label.id}"
    assert await api.code(None, ONE, id=id) == "UNAUTHENTICATED"
    shown = await api.ask(stranger, ONE, id=id)
    assert shown == {
        "id": id,
        "name": "Virus found",
        "color": "#A0AEC0",
        "description": "",
        "sampleCount": 0,
        "user": {"handle": "owner"},
        "version": 1,
    }
    node = "query($id: ID!) { node(id: $id) { ... on Label { name } } }"
    assert await api.ask(stranger, node, id=id) == {"name": "Virus found"}
    for wrong in ("label_nothere1", f"sample_{label.id}", label.id, "label_", "\0"):
        assert await api.ask(stranger, ONE, id=wrong) is None


async def test_labels_are_listed_by_name_filtered_searched_and_ordered(
    api: Api, owner: Viewer, stranger: Viewer
) -> None:
    b = await stored_label(api.db, "b", owner.user_id)
    await stored_label(api.db, "A", stranger.user_id, description="Seen by EYE")
    last = await stored_label(api.db, "c_1%", owner.user_id)
    assert await api.code(None, LIST) == "UNAUTHENTICATED"
    assert await names(api, stranger) == ["A", "b", "c_1%"]
    assert await names(api, stranger, search="eye seen") == ["A"]
    assert await names(api, stranger, search="_1%") == ["c_1%"]
    assert await names(api, stranger, filter={"ids": [f"label_{b.id}", "label_x", "?"]}) == ["b"]
    assert await names(api, stranger, filter={"userId": f"user_{stranger.user_id}"}) == ["A"]
    assert await names(api, stranger, filter={"createdAfter": last.created_at}) == ["c_1%"]
    assert await names(api, stranger, filter={"createdBefore": last.created_at, "search": "eye"}) == ["A"]
    assert await names(api, stranger, orderBy=[{"field": "CREATED_AT", "direction": "DESC"}]) == ["c_1%", "A", "b"]
    first = await api.ask(stranger, LIST, first=2)
    assert (first["totalCount"], first["pageInfo"]["hasNextPage"]) == (3, True)
    assert await names(api, stranger, after=first["pageInfo"]["endCursor"]) == ["c_1%"]


async def test_the_statements_for_counts_do_not_grow_with_the_list(api: Api, owner: Viewer) -> None:
    labels = [await stored_label(api.db, f"Label {number:02}", owner.user_id) for number in range(25)]
    for number in range(30):
        await api.sample(owner, label_ids=tuple(label.id for label in labels[number % 25 :]))
    counts = {}
    for first in (1, 10, 25):
        with api.statements() as statements:
            page = await api.ask(owner, "query($n: Int) { labels(first: $n) { nodes { sampleCount } } }", n=first)
        assert len(page["nodes"]) == first
        counts[first] = len(statements)
    assert counts == {1: 2, 10: 2, 25: 2}
    # Five labels more were put on by the samples that began from the first again.
    assert [node["sampleCount"] for node in page["nodes"]] == [2, 4, 6, 8, 10, *range(11, 31)]


async def test_counts_are_of_the_samples_that_the_viewer_may_read(
    api: Api, owner: Viewer, stranger: Viewer, administrator: Viewer
) -> None:
    label = await stored_label(api.db)
    await api.sample(owner, label_ids=(label.id,))
    await api.sample(owner, label_ids=(label.id,), all_read=False)
    for viewer, count in ((stranger, 1), (owner, 2), (administrator, 2)):
        assert (await api.ask(viewer, ONE, id=f"label_{label.id}"))["sampleCount"] == count
        assert (await api.ask(viewer, LIST))["nodes"][0]["sampleCount"] == count


async def test_labels_of_many_samples_take_two_statements_more(api: Api, owner: Viewer) -> None:
    labels = [await stored_label(api.db, name) for name in ("b", "A", "c")]
    gone = "nothere1"
    for number in range(40):
        await api.sample(owner, label_ids=(*(label.id for label in labels[: number % 4]), gone))
    counts = {}
    for first in (2, 40):
        with api.statements() as statements:
            page = await api.ask(owner, SAMPLES.replace("100", str(first)))
        counts[first] = len(statements)
    assert counts == {2: 3, 40: 3}
    assert [label["name"] for label in page["nodes"][0]["labels"]] == ["A", "b", "c"]
    assert page["nodes"][3]["labels"] == []
    assert page["nodes"][0]["labels"][0] == {"name": "A", "color": "#A0AEC0", "sampleCount": 20}
    one = await api.ask(owner, '{ sample(id: "sample_%s") { labels { name } } }' % (await _newest(api)))
    assert one == {"labels": [{"name": "A"}, {"name": "b"}, {"name": "c"}]}


async def _newest(api: Api) -> str:
    samples = (await api.db.store.find(Sample)).documents
    return max(samples, key=lambda sample: len(sample.label_ids)).id


async def test_a_label_is_created_with_its_defaults(api: Api, owner: Viewer, stranger: Viewer) -> None:
    assert await api.code(None, CREATE, input={"name": "New"}) == "UNAUTHENTICATED"
    refused = await api.ask(stranger, CREATE, input={"name": "New"})
    assert codes(refused) == [("FORBIDDEN", [])]
    assert "CREATE_SAMPLE" in refused["errors"][0]["message"]
    made = await api.ask(owner, CREATE, input={"name": "New", "color": None, "description": None})
    assert made["errors"] == []
    assert {**made["label"], "id": ""} == {
        "id": "",
        "name": "New",
        "color": "#A0AEC0",
        "description": "",
        "sampleCount": 0,
        "user": {"handle": "owner"},
        "version": 1,
    }
    short = await api.ask(owner, CREATE, input={"name": "Short", "color": "#a1F", "description": "D"})
    assert (short["label"]["color"], short["label"]["description"]) == ("#AA11FF", "D")


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"name": " \t"}, "name"),
        ({"name": "\u200b"}, "name"),
        ({"name": "a\x07"}, "name"),
        ({"name": "x" * 256}, "name"),
        ({"color": "blue"}, "color"),
        ({"color": "#12345"}, "color"),
        ({"color": ""}, "color"),
        ({"description": "x" * 1_001}, "description"),
    ],
)
async def test_values_are_checked(api: Api, owner: Viewer, fields: dict[str, str], path: str) -> None:
    label = await stored_label(api.db)
    made = await api.ask(owner, CREATE, input={"name": "New", **fields})
    assert (made["label"], codes(made)) == (None, [("BAD_USER_INPUT", [path])])
    changed = await api.ask(owner, UPDATE, input={"id": f"label_{label.id}", **fields})
    assert (changed["label"], codes(changed)) == (None, [("BAD_USER_INPUT", [path])])


async def test_a_hundred_creates_with_one_key_make_one_label(api: Api, owner: Viewer) -> None:
    new = {"name": "Once", "idempotencyKey": "k"}
    payloads = await asyncio.gather(*(api.ask(owner, CREATE, input=new) for _ in range(100)))
    assert all(payload == payloads[0] for payload in payloads)
    assert payloads[0]["errors"] == []
    assert await api.db.store.count(Label) == 1
    again = await api.ask(owner, CREATE, input={"name": "ONCE"})
    assert again["errors"] == [{"code": "CONFLICT", "message": "Label name already exists.", "path": ["name"]}]


async def test_an_update_is_partial_and_guarded_by_the_version(api: Api, owner: Viewer, stranger: Viewer) -> None:
    id = f"label_{(await stored_label(api.db, description='Old', user_id=owner.user_id)).id}"
    assert await api.code(None, UPDATE, input={"id": id}) == "UNAUTHENTICATED"
    assert codes(await api.ask(stranger, UPDATE, input={"id": id, "name": "Mine"})) == [("FORBIDDEN", [])]
    changed = await api.ask(owner, UPDATE, input={"id": id, "color": "#fff", "expectedVersion": 1})
    assert changed["errors"] == []
    label = changed["label"]
    assert (label["name"], label["color"], label["description"], label["version"]) == (
        "Virus found",
        "#FFFFFF",
        "Old",
        2,
    )
    assert (await api.ask(owner, UPDATE, input={"id": id}))["label"] == label
    assert codes(await api.ask(owner, UPDATE, input={"id": id, "expectedVersion": 1})) == [("CONFLICT", [])]
    for field in ("name", "color", "description"):
        assert codes(await api.ask(owner, UPDATE, input={"id": id, field: None})) == [("BAD_USER_INPUT", [field])]
    for wrong in ("label_nothere1", "sample_x", "label_", "\0"):
        assert [code for code, _ in codes(await api.ask(owner, UPDATE, input={"id": wrong}))] == ["NOT_FOUND"]


async def test_deleting_takes_it_off_samples_and_tells_of_each(api: Api, owner: Viewer, stranger: Viewer) -> None:
    label, other = await stored_label(api.db), await stored_label(api.db, "Other")
    samples = [await api.sample(owner, label_ids=(label.id, other.id)) for _ in range(3)]
    hidden = await api.sample(stranger, label_ids=(label.id,), all_read=False)
    id = f"label_{label.id}"
    assert await api.code(None, DELETE, input={"id": id}) == "UNAUTHENTICATED"
    assert codes(await api.ask(stranger, DELETE, input={"id": id})) == [("FORBIDDEN", [])]
    after = await api.cursor(owner)
    assert await api.ask(owner, DELETE, input={"id": id}) == {"label": {"name": "Virus found"}, "errors": []}
    assert codes(await api.ask(owner, DELETE, input={"id": id})) == [("NOT_FOUND", ["id"])]
    watch = "subscription($after: Cursor) { samples(after: $after) { ids sample { version labels { name } } } }"
    async with api.subscribed(owner, watch, after=after) as watched:
        told = [await watched.next() for _ in samples]
    assert {change["ids"][0] for change in told} == {f"sample_{sample.id}" for sample in samples}
    assert all(change["sample"] == {"version": 2, "labels": [{"name": "Other"}]} for change in told)
    async with api.subscribed(stranger, watch, after=after) as watched:
        ids = {(await watched.next())["ids"][0] for _ in range(4)}
    assert f"sample_{hidden.id}" in ids


async def test_changes_of_labels_are_told(api: Api, owner: Viewer, stranger: Viewer) -> None:
    after = await api.cursor(owner)
    label = (await api.ask(owner, CREATE, input={"name": "New"}))["label"]
    await api.ask(owner, UPDATE, input={"id": label["id"], "name": "Newer"})
    await api.ask(owner, DELETE, input={"id": label["id"]})
    watch = """subscription($after: Cursor, $filter: LabelFilter) { labels(after: $after, filter: $filter) {
        operation ids label { name user { handle } sampleCount } } }"""
    async with api.subscribed(stranger, watch, after=after) as watched:
        told = [await watched.next() for _ in range(3)]
    assert {change["ids"][0] for change in told} == {label["id"]}
    shown = {"user": {"handle": "owner"}, "sampleCount": 0}
    assert [(change["operation"], change["label"]) for change in told] == [
        ("INSERT", {"name": "New", **shown}),
        ("UPDATE", {"name": "Newer", **shown}),
        ("DELETE", None),
    ]
    async with api.subscribed(stranger, watch, after=after, filter={"search": "newer"}) as watched:
        assert (await watched.next())["operation"] == "UPDATE"
    several = """subscription($after: Cursor) { changes(collections: [LABELS], after: $after) {
        ... on LabelChange { label { name } } } }"""
    async with api.subscribed(stranger, several, after=after) as watched:
        assert await watched.next() == {"label": {"name": "New"}}


async def test_a_creator_who_is_gone_is_shown_and_no_error(api: Api, owner: Viewer, stranger: Viewer) -> None:
    label = await stored_label(api.db, user_id=stranger.user_id)
    user = await api.db.store.get(User, stranger.user_id)
    assert user
    await api.db.store.delete(structs.replace(user))
    assert (await api.ask(owner, ONE, id=f"label_{label.id}"))["user"] == {"handle": "deleted user"}
