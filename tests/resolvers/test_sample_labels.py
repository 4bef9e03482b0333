"""Labels, subtractions, notes and library types of samples, and labelling many at once."""

import asyncio
from typing import Any

import pytest
from msgspec import structs

from tests.factories.api import Api
from tests.factories.labels import stored_label, stored_subtraction
from virtool_gql.access import Viewer
from virtool_gql.models.samples import Sample

SAMPLE = "name notes libraryType labels { name } subtractions { name deleted } version"
CREATE = f"""mutation($input: CreateSampleInput!) {{ createSample(input: $input) {{
    sample {{ {SAMPLE} }} errors {{ code message path }} }} }}"""
UPDATE = f"""mutation($input: UpdateSampleInput!) {{ updateSample(input: $input) {{
    sample {{ {SAMPLE} }} errors {{ code message path }} }} }}"""
LABEL = """mutation($input: UpdateSampleLabelsInput!) { updateSampleLabels(input: $input) {
    results { sampleId sample { name version labels { name sampleCount } user { handle } }
        errors { code message path } }
    errors { code message path } } }"""
LIST = "query($filter: SampleFilter, $search: String) { samples(filter: $filter, search: $search) { nodes { name } } }"


async def new_sample(api: Api, owner: Viewer, **fields: Any) -> dict[str, Any]:
    return {"name": "New", "fileIds": [f"file_{(await api.file(owner)).id}"], **fields}


async def names(api: Api, viewer: Viewer, **variables: Any) -> list[str]:
    return [node["name"] for node in (await api.ask(viewer, LIST, **variables))["nodes"]]


async def test_a_sample_has_the_labels_and_subtractions_that_it_is_given(api: Api, owner: Viewer) -> None:
    a, b = [f"label_{(await stored_label(api.db, name)).id}" for name in ("A", "b")]
    host, old = await stored_subtraction(api.db, "Rubus"), await stored_subtraction(api.db, "Malus")
    hosts = [f"subtraction_{each.id}" for each in (host, old)]
    made = await api.ask(owner, CREATE, input=await new_sample(api, owner, labelIds=[b, a, b], subtractionIds=hosts))
    assert made["errors"] == []
    assert made["sample"]["labels"] == [{"name": "A"}, {"name": "b"}]
    subtractions = [{"name": "Malus", "deleted": False}, {"name": "Rubus", "deleted": False}]
    assert made["sample"]["subtractions"] == subtractions
    (sample,) = (await api.db.store.find(Sample)).documents
    id = f"sample_{sample.id}"
    changed = await api.ask(owner, UPDATE, input={"id": id, "labelIds": [b]})
    assert (changed["sample"]["labels"], changed["sample"]["subtractions"]) == ([{"name": "b"}], subtractions)
    await api.db.store.replace(structs.replace(old, deleted=True))
    emptied = await api.ask(owner, UPDATE, input={"id": id, "labelIds": []})
    assert emptied["sample"]["labels"] == []
    assert emptied["sample"]["subtractions"][0] == {"name": "Malus", "deleted": True}
    for field in ("labelIds", "subtractionIds"):
        (error,) = (await api.ask(owner, UPDATE, input={"id": id, field: None}))["errors"]
        assert (error["code"], error["path"]) == ("BAD_USER_INPUT", [field])


async def test_what_cannot_be_linked_is_named(api: Api, owner: Viewer) -> None:
    deleted = await stored_subtraction(api.db, deleted=True)
    unready = await stored_subtraction(api.db, ready=False)
    sample = await api.sample(owner)
    label = f"label_{(await stored_label(api.db)).id}"
    unusable = [f"subtraction_{deleted.id}", f"subtraction_{unready.id}", "subtraction_x"]
    told = f"{unusable[0]} (deleted), {unusable[1]} (not ready), subtraction_x."
    for fields, code, message, path in (
        ({"labelIds": ["label_a", label, "label_b"]}, "BAD_USER_INPUT", "Labels do not exist: label_a, label_b.", None),
        ({"subtractionIds": unusable}, "BAD_USER_INPUT", f"Subtractions do not exist: {told}", None),
        ({"labelIds": [f"sample_{sample.id}"]}, "NOT_FOUND", None, None),
        ({"subtractionIds": [label]}, "NOT_FOUND", None, None),
        ({"labelIds": [f"label_{n}" for n in range(101)]}, "BAD_USER_INPUT", None, None),
    ):
        made = await api.ask(owner, CREATE, input=await new_sample(api, owner, **fields))
        changed = await api.ask(owner, UPDATE, input={"id": f"sample_{sample.id}", **fields})
        for payload in (made, changed):
            (error,) = payload["errors"]
            assert (error["code"], error["path"]) == (code, path or list(fields))
            assert message in {None, error["message"]}


async def test_samples_are_found_by_their_labels_and_subtractions(api: Api, owner: Viewer, stranger: Viewer) -> None:
    one, two, unused = [(await stored_label(api.db, name)).id for name in ("one", "two", "unused")]
    host = (await stored_subtraction(api.db)).id
    await api.sample(owner, name="both", label_ids=(one, two))
    await api.sample(owner, name="second", label_ids=(two,), subtraction_ids=(host,))
    await api.sample(owner, name="bare")
    await api.sample(owner, name="hidden", label_ids=(one,), all_read=False)
    for filter, found in (
        ({"labelIds": [f"label_{one}"]}, ["both"]),
        ({"labelIds": [f"label_{one}", f"label_{two}", f"label_{unused}"]}, ["second", "both"]),
        ({"labelIds": [f"label_{unused}"]}, []),
        ({"labelIds": ["sample_x", "?"]}, []),
        ({"labelIds": []}, []),
        ({"labelIds": None}, ["bare", "second", "both"]),
        ({"withoutLabels": True}, ["bare"]),
        ({"withoutLabels": False}, ["second", "both"]),
        ({"withoutLabels": True, "labelIds": [f"label_{one}"]}, []),
        ({"subtractionId": f"subtraction_{host}"}, ["second"]),
        ({"subtractionId": "label_x"}, []),
        ({"subtractionId": None}, ["bare", "second", "both"]),
    ):
        assert await names(api, stranger, filter=filter) == found, filter
    assert await names(api, owner, filter={"labelIds": [f"label_{one}"]}) == ["hidden", "both"]
    many = {"labelIds": [f"label_{number}" for number in range(101)]}
    assert await api.code(owner, LIST, filter=many) == "BAD_USER_INPUT"


async def test_changes_are_told_of_samples_with_the_labels_that_are_asked_for(api: Api, owner: Viewer) -> None:
    label = (await stored_label(api.db)).id
    after = await api.cursor(owner)
    sample = await api.sample(owner)
    await api.ask(owner, LABEL, input={"sampleIds": [f"sample_{sample.id}"], "addLabelIds": [f"label_{label}"]})
    watch = """subscription($filter: SampleFilter, $after: Cursor) { samples(filter: $filter, after: $after) {
        operation sample { labels { name sampleCount } } } }"""
    for filter, operation, labels in (
        ({"labelIds": [f"label_{label}"]}, "UPDATE", [{"name": "Virus found", "sampleCount": 1}]),
        ({"withoutLabels": True}, "INSERT", []),
    ):
        async with api.subscribed(owner, watch, after=after, filter=filter) as watched:
            assert await watched.next() == {"operation": operation, "sample": {"labels": labels}}


async def test_notes_are_plain_text_of_many_lines_and_searched(api: Api, owner: Viewer) -> None:
    notes = "# No *markdown*\r\n\tIndented <b>line</b>\n" + "x" * 9_000 + " Etiolated"
    made = await api.ask(owner, CREATE, input=await new_sample(api, owner, notes=notes, libraryType="SRNA"))
    assert (made["sample"]["notes"], made["sample"]["libraryType"]) == (notes.replace("\r\n", "\n"), "SRNA")
    assert await names(api, owner, search="etiolated") == ["New"]
    assert await names(api, owner, filter={"search": "indented *MARKDOWN*"}) == ["New"]
    assert await names(api, owner, search="etiolated chlorotic") == []
    (sample,) = (await api.db.store.find(Sample)).documents
    id = f"sample_{sample.id}"
    longest = "é" * 10_000
    assert (await api.ask(owner, UPDATE, input={"id": id, "notes": longest}))["sample"]["notes"] == longest
    for wrong in (longest + "x", "a\0b", "a\x1bb", None, "x" * 10_000_000):
        (error,) = (await api.ask(owner, UPDATE, input={"id": id, "notes": wrong}))["errors"]
        assert (error["code"], error["path"]) == ("BAD_USER_INPUT", ["notes"])
    kept = await api.ask(owner, UPDATE, input={"id": id, "libraryType": "AMPLICON"})
    assert (kept["sample"]["notes"], kept["sample"]["libraryType"]) == (longest, "AMPLICON")
    assert (await api.ask(owner, UPDATE, input={"id": id, "notes": ""}))["sample"]["notes"] == ""


async def test_samples_are_found_by_their_library_type(api: Api, owner: Viewer) -> None:
    for kind in ("NORMAL", "SRNA", "AMPLICON", "OTHER"):
        await api.ask(owner, CREATE, input=await new_sample(api, owner, name=kind, libraryType=kind))
    await api.ask(owner, CREATE, input=await new_sample(api, owner, name="left out"))
    for kind in ("SRNA", "AMPLICON", "OTHER"):
        assert await names(api, owner, filter={"libraryType": kind}) == [kind]
    assert await names(api, owner, filter={"libraryType": "NORMAL"}) == ["left out", "NORMAL"]


async def test_many_samples_are_labelled_with_a_result_for_each(
    api: Api, owner: Viewer, stranger: Viewer, administrator: Viewer
) -> None:
    a, b = [f"label_{(await stored_label(api.db, name)).id}" for name in "ab"]
    mine = f"sample_{(await api.sample(owner, name='Mine', label_ids=(b.removeprefix('label_'),))).id}"
    hidden = f"sample_{(await api.sample(owner, all_read=False)).id}"
    open_to_all = f"sample_{(await api.sample(owner, name='Open', all_write=True)).id}"
    ids = [hidden, open_to_all, "sample_nothere1", mine, "job_x", "\0", open_to_all]
    input = {"sampleIds": ids, "addLabelIds": [a], "removeLabelIds": [b]}
    assert await api.code(None, LABEL, input=input) == "UNAUTHENTICATED"
    answer = await api.ask(stranger, LABEL, input=input)
    assert answer["errors"] == []
    results = answer["results"]
    assert [result["sampleId"] for result in results] == ids[:-1]
    missing = [result["errors"] for result in results if result["sampleId"] not in {mine, open_to_all}]
    assert missing == [[{"code": "NOT_FOUND", "message": "There is no sample of that id.", "path": []}]] * 4
    assert results[1]["sample"] == {
        "name": "Open",
        "version": 2,
        "labels": [{"name": "a", "sampleCount": 1}],
        "user": {"handle": "owner"},
    }
    assert (results[3]["sample"], [error["code"] for error in results[3]["errors"]]) == (None, ["FORBIDDEN"])
    for viewer in (owner, administrator):
        again = (await api.ask(viewer, LABEL, input=input))["results"]
        assert [result["sample"] and result["sample"]["version"] for result in again] == [2, 2, None, 2, None, None]


async def test_labelling_is_refused_as_a_whole_for_what_no_sample_can_have(api: Api, owner: Viewer) -> None:
    id = f"sample_{(await api.sample(owner)).id}"
    label = f"label_{(await stored_label(api.db)).id}"
    for fields, code, path in (
        ({"addLabelIds": ["label_nothere1", label]}, "BAD_USER_INPUT", "addLabelIds"),
        ({"addLabelIds": [id]}, "NOT_FOUND", "addLabelIds"),
        ({"removeLabelIds": ["?"]}, "NOT_FOUND", "removeLabelIds"),
        ({"addLabelIds": [label], "removeLabelIds": [label]}, "BAD_USER_INPUT", "removeLabelIds"),
        ({"sampleIds": [f"?{number}" for number in range(501)]}, "BAD_USER_INPUT", "sampleIds"),
    ):
        answer = await api.ask(owner, LABEL, input={"sampleIds": [id], **fields})
        assert answer["results"] is None
        assert [(error["code"], error["path"]) for error in answer["errors"]] == [(code, [path])]
    gone = await api.ask(owner, LABEL, input={"sampleIds": [id], "removeLabelIds": ["label_nothere1"]})
    assert gone["results"][0]["sample"]["version"] == 1
    assert (await api.ask(owner, LABEL, input={"sampleIds": []}))["results"] == []


async def test_five_hundred_samples_take_a_handful_of_statements(api: Api, owner: Viewer) -> None:
    samples = await asyncio.gather(*(api.sample(owner) for _ in range(500)))
    label = f"label_{(await stored_label(api.db)).id}"
    input = {"sampleIds": [f"sample_{sample.id}" for sample in samples], "addLabelIds": [label]}
    query = """mutation($input: UpdateSampleLabelsInput!) { updateSampleLabels(input: $input) {
        results { sample { version } } } }"""
    with api.statements() as statements:
        answer = await api.ask(owner, query, input=input)
    assert {result["sample"]["version"] for result in answer["results"]} == {2}
    assert len(statements) == 4  # the label, the samples, the write, and whether the label is still there
    after = await api.cursor(owner)
    with api.statements() as statements:
        answer = await api.ask(owner, query, input=input)
    assert {result["sample"]["version"] for result in answer["results"]} == {2}
    assert len(statements) == 2
    assert await api.cursor(owner) == after  # nothing was told


@pytest.mark.parametrize("fields", [{"host": "Vine"}, {"notes": "N"}, {"libraryType": "OTHER"}, {}])
async def test_an_update_needs_no_name(api: Api, owner: Viewer, fields: dict[str, str]) -> None:
    """Upstream could not change a sample whose name was not sent too (spec 9.1, 5)."""
    sample = await api.sample(owner, name="Same")
    changed = await api.ask(owner, UPDATE, input={"id": f"sample_{sample.id}", **fields})
    assert (changed["errors"], changed["sample"]["name"]) == ([], "Same")
    shared = await api.sample(owner, name="Shared", all_write=True)
    writer = await api.viewer("writer")
    assert (await api.ask(writer, UPDATE, input={"id": f"sample_{shared.id}", **fields}))["errors"] == []


async def test_lists_and_totals_are_of_what_one_may_read(
    api: Api, owner: Viewer, stranger: Viewer, administrator: Viewer
) -> None:
    """Upstream hid samples from administrators, and counted those that one may not read (spec 9.1, 6 and 26b)."""
    label = await stored_label(api.db)
    for number in range(7):
        await api.sample(owner, all_read=number < 3, label_ids=(label.id,))
    query = """query($filter: SampleFilter) { samples(first: 2, filter: $filter) {
        totalCount nodes { name } pageInfo { hasNextPage } } }"""
    for filter in (None, {"labelIds": [f"label_{label.id}"]}, {"search": "sample"}):
        for viewer, total in ((stranger, 3), (owner, 7), (administrator, 7)):
            page = await api.ask(viewer, query, filter=filter)
            assert (page["totalCount"], len(page["nodes"])) == (total, 2)
