from typing import Any

import orjson
import pytest

from schema.history import AS_TEXT, as_json
from tests.factories.api import Api
from tests.factories.otus import full_otu, stored_otu
from tests.factories.references import member, stored_reference
from virtool_gql.access import Viewer
from virtool_gql.db.otus import OTUChanges
from virtool_gql.db.sequences import NewSequence
from virtool_gql.models.history import HistoryEntry, Verb
from virtool_gql.models.references import Reference, Right
from virtool_gql.web.operations import encode

ENTRY = "id verb description otuId otuName otuVersion unbuilt user { handle } otu { name } reference { name }"
ONE = f"query($id: ID!) {{ historyEntry(id: $id) {{ {ENTRY} diff }} }}"
LIST = """query($first: Int, $after: String, $search: String, $filter: HistoryFilter, $orderBy: [HistoryOrder!],
    $referenceId: ID, $otuId: ID, $indexId: ID, $unbuilt: Boolean) {
    history(first: $first, after: $after, search: $search, filter: $filter, orderBy: $orderBy,
        referenceId: $referenceId, otuId: $otuId, indexId: $indexId, unbuilt: $unbuilt) {
    nodes { id description } totalCount pageInfo { hasNextPage endCursor } } }"""
REVERT = """mutation($id: ID!) { revertChange(input: {id: $id}) {
    otu { name version } revertedIds errors { code message path } } }"""
OF_OTU = """query($id: ID!, $first: Int, $after: String, $last: Int, $before: String) { otu(id: $id) {
    history(first: $first, after: $after, last: $last, before: $before) {
    nodes { description diff } edges { cursor node { verb } } totalCount
    pageInfo { hasNextPage hasPreviousPage endCursor } } } }"""
THEN = """name version verified abbreviation isolates { id name default sequences { accession sequence } }
    issues { emptyOtu }"""
AT_VERSION = f"query($id: ID!, $version: Int!) {{ otu(id: $id) {{ atVersion(version: $version) {{ {THEN} }} }} }}"
ENTRY_AT_VERSION = f"""query($id: ID!, $version: Int!) {{
    historyEntry(id: $id) {{ otu {{ name }} atVersion(version: $version) {{ {THEN} }} }} }}"""
CHANGES = """subscription($filter: HistoryFilter) { history(filter: $filter) {
    operation ids historyEntry { description unbuilt diff otu { version } } } }"""


@pytest.fixture
async def reader(api: Api) -> Viewer:
    return await api.viewer("reader")


@pytest.fixture
async def reference(api: Api, owner: Viewer, reader: Viewer) -> Reference:
    users = (member(owner.user_id, *Right), member(reader.user_id))
    return await stored_reference(api.db, user_id=owner.user_id, users=users)


async def made(api: Api, reference: Reference, id: str = "apple", *names: str, **values: Any) -> str:
    """Make an OTU and rename it some times; give its id as clients see it."""
    owner = await api.db.users.viewer(reference.user_id)
    assert owner is not None
    otu = full_otu(id, **{"name": f"Virus {id}"} | values)
    await stored_otu(api.db, reference.id, otu, user_id=reference.user_id)
    for name in names:
        await api.db.otus.update(owner, id, OTUChanges(name=name))
    return f"otu_{id}"


async def descriptions(api: Api, viewer: Viewer, **variables: Any) -> list[str]:
    return [node["description"] for node in (await api.ask(viewer, LIST, **variables))["nodes"]]


async def test_a_change_is_there_for_members(  # noqa: PLR0913, PLR0917 - everybody who looks
    api: Api, owner: Viewer, reader: Viewer, stranger: Viewer, administrator: Viewer, reference: Reference
) -> None:
    await made(api, reference, "apple", "Pear virus")
    assert await api.code(None, ONE, id="history_apple_1") == "UNAUTHENTICATED"
    shown = {
        "id": "history_apple_1",
        "verb": "EDIT",
        "description": "Changed name to Pear virus",
        "otuId": "otu_apple",
        "otuName": "Virus apple",
        "otuVersion": 1,
        "unbuilt": True,
        "user": {"handle": "owner"},
        "otu": {"name": "Pear virus"},
        "reference": {"name": "Plant Viruses"},
        "diff": [["change", ["version"], [0, 1]], ["change", ["name"], ["Virus apple", "Pear virus"]]],
    }
    node = f"query($id: ID!) {{ node(id: $id) {{ ... on HistoryEntry {{ {ENTRY} diff }} }} }}"
    for viewer in (owner, reader, administrator):
        assert await api.ask(viewer, ONE, id="history_apple_1") == shown
        assert await api.ask(viewer, node, id="history_apple_1") == shown
    assert await api.ask(stranger, ONE, id="history_apple_1") is None
    for wrong in ("history_apple_9", "history_", "otu_apple", "history_\0", "apple_1"):
        assert await api.ask(owner, ONE, id=wrong) is None


async def test_births_show_the_whole_otu(api: Api, owner: Viewer, reference: Reference) -> None:
    await made(api, reference, "apple", "Pear virus")
    birth = await api.ask(owner, ONE, id="history_apple_0")
    assert (birth["verb"], birth["otuVersion"], birth["diff"]["name"]) == ("CREATE", 0, "Virus apple")
    assert birth["diff"]["isolates"][0]["sequences"][0]["sequence"]


async def test_the_history_is_listed(
    api: Api, owner: Viewer, reader: Viewer, stranger: Viewer, reference: Reference
) -> None:
    other = await stored_reference(api.db, "Other", user_id=owner.user_id)
    await made(api, reference, "apple", "Pear virus", "Plum virus")
    await made(api, other, "lemon", "Lime virus")
    pear, plum = "Changed name to Pear virus", "Changed name to Plum virus"
    lime, born, lemon = "Changed name to Lime virus", "Created Virus apple", "Created Virus lemon"
    assert await api.code(None, LIST) == "UNAUTHENTICATED"
    assert await descriptions(api, stranger) == []
    assert await descriptions(api, owner) == [lime, lemon, plum, pear, born]
    assert await descriptions(api, reader) == [plum, pear, born]
    assert await descriptions(api, owner, referenceId=f"reference_{other.id}") == [lime, lemon]
    assert await descriptions(api, reader, referenceId=f"reference_{other.id}") == []
    assert await descriptions(api, owner, otuId="otu_apple") == [plum, pear, born]
    assert await descriptions(api, owner, search="pear CHANGED") == [plum, pear]
    assert await descriptions(api, owner, search="lemon") == [lime, lemon]
    assert await descriptions(api, owner, filter={"verbs": ["CREATE"]}) == [lemon, born]
    assert await descriptions(api, owner, filter={"ids": ["history_apple_1"]}) == [pear]
    assert await descriptions(api, owner, filter={"userId": f"user_{reader.user_id}"}) == []
    by_version = [{"field": "OTU_NAME"}, {"field": "OTU_VERSION", "direction": "DESC"}]
    assert await descriptions(api, owner, orderBy=by_version) == [plum, pear, born, lime, lemon]
    first = await api.ask(owner, LIST, first=2)
    assert (first["totalCount"], first["pageInfo"]["hasNextPage"]) == (5, True)
    assert await descriptions(api, owner, after=first["pageInfo"]["endCursor"]) == [plum, pear, born]


async def test_what_is_built_is_told_from_what_is_not(api: Api, owner: Viewer, reference: Reference) -> None:
    await made(api, reference, "apple", "Pear virus")
    recent = "{ otus { nodes { mostRecentChange { description otuVersion } } } }"
    (otu,) = (await api.ask(owner, recent))["nodes"]
    assert otu["mostRecentChange"] == {"description": "Changed name to Pear virus", "otuVersion": 1}
    await tagged(api, "apple_0", "index000")
    assert await descriptions(api, owner, unbuilt=True) == ["Changed name to Pear virus"]
    assert await descriptions(api, owner, unbuilt=False) == ["Created Virus apple"]
    assert await descriptions(api, owner, filter={"unbuilt": False}) == ["Created Virus apple"]
    assert await descriptions(api, owner, indexId="index_index000") == ["Created Virus apple"]
    await tagged(api, "apple_1", "index000")
    assert (await api.ask(owner, recent))["nodes"] == [{"mostRecentChange": None}]
    payload = await api.ask(owner, REVERT, id="history_apple_1")
    assert payload["errors"] == [{"code": "CONFLICT", "message": "Change is already built.", "path": ["id"]}]


async def tagged(api: Api, entry_id: str, index_id: str) -> None:
    entry = await api.db.store.get(HistoryEntry, entry_id)
    assert entry is not None
    fields = {name: getattr(entry, name) for name in entry.__struct_fields__}
    await api.db.store.replace(HistoryEntry(**fields | {"index_id": index_id, "index_number": 0}))


async def test_changes_are_reverted(
    api: Api, owner: Viewer, reader: Viewer, stranger: Viewer, reference: Reference
) -> None:
    await made(api, reference, "apple", "Pear virus", "Plum virus")
    for viewer, code in ((stranger, "NOT_FOUND"), (reader, "FORBIDDEN")):
        payload = await api.ask(viewer, REVERT, id="history_apple_1")
        assert (payload["otu"], payload["revertedIds"], payload["errors"][0]["code"]) == (None, None, code)
    payload = await api.ask(owner, REVERT, id="history_apple_1")
    reverted = ["history_apple_2", "history_apple_1"]
    assert payload == {"otu": {"name": "Virus apple", "version": 0}, "revertedIds": reverted, "errors": []}
    payload = await api.ask(owner, REVERT, id="history_apple_0")
    assert payload == {"otu": None, "revertedIds": ["history_apple_0"], "errors": []}
    for wrong in ("history_apple_0", "otu_apple", "?"):
        payload = await api.ask(owner, REVERT, id=wrong)
        assert [(error["code"], error["path"]) for error in payload["errors"]] == [("NOT_FOUND", ["id"])]


async def test_an_otu_tells_its_history(api: Api, owner: Viewer, reference: Reference) -> None:
    id = await made(api, reference, "apple", *(f"Name {number}" for number in range(1, 12)))
    whole = (await api.ask(owner, OF_OTU, id=id))["history"]
    told = [f"Changed name to Name {number}" for number in range(11, 0, -1)] + ["Created Virus apple"]
    assert [node["description"] for node in whole["nodes"]] == told
    assert (whole["totalCount"], whole["pageInfo"]["hasNextPage"]) == (12, False)
    assert [edge["node"]["verb"] for edge in whole["edges"]] == ["EDIT"] * 11 + ["CREATE"]
    seen: list[str] = []
    after = None
    for _ in range(3):
        page = (await api.ask(owner, OF_OTU, id=id, first=5, after=after))["history"]
        seen += [node["description"] for node in page["nodes"]]
        after = page["pageInfo"]["endCursor"]
    assert (seen, page["pageInfo"]["hasNextPage"]) == (told, False)
    last = (await api.ask(owner, OF_OTU, id=id, last=2))["history"]
    assert [node["description"] for node in last["nodes"]] == told[-2:]
    for first in (-1, 101):
        assert await api.code(owner, OF_OTU, id=id, first=first) == "BAD_USER_INPUT"


async def test_an_otu_with_gaps_in_its_numbers_tells_its_history(api: Api, owner: Viewer, reference: Reference) -> None:
    id = await made(api, reference, "apple", *(f"Name {number}" for number in range(1, 6)))
    for place in (4, 2):
        await api.ask(owner, REVERT, id=f"history_apple_{place}")
    for number in (6, 7):
        await api.db.otus.update(owner, "apple", OTUChanges(name=f"Name {number}"))
    left = [f"Changed name to Name {number}" for number in (7, 6, 1)] + ["Created Virus apple"]
    for first in range(6):
        page = (await api.ask(owner, OF_OTU, id=id, first=first))["history"]
        assert [node["description"] for node in page["nodes"]] == left[:first]
        assert page["pageInfo"]["hasNextPage"] is (first < 4)


async def test_an_otu_is_shown_as_it_was(api: Api, owner: Viewer, stranger: Viewer, reference: Reference) -> None:
    id = await made(api, reference, "apple", abbreviation="AV")
    new = NewSequence(accession="NC_9", definition="New", sequence="acgtu")
    await api.db.sequences.create(owner, "apple_applei0", new)
    await api.db.isolates.delete(owner, "apple_applei1")
    await api.db.otus.update(owner, "apple", OTUChanges(name="Pear virus", abbreviation=""))
    versions = [(await api.ask(owner, AT_VERSION, id=id, version=number))["atVersion"] for number in range(4)]
    seen = [
        (then["name"], then["version"], then["verified"], [len(each["sequences"]) for each in then["isolates"]])
        for then in versions
    ]
    assert seen == [
        ("Virus apple", 0, True, [1, 1]),
        ("Virus apple", 1, False, [2, 1]),
        ("Virus apple", 2, True, [2]),
        ("Pear virus", 3, True, [2]),
    ]
    assert versions[1]["isolates"][0]["sequences"][1] == {"accession": "NC_9", "sequence": "ACGTU"}
    assert versions[0]["abbreviation"] == "AV"
    for version in (-1, 4, 2**31 - 1):
        assert await api.ask(owner, AT_VERSION, id=id, version=version) == {"atVersion": None}
    assert await api.ask(stranger, AT_VERSION, id=id, version=0) is None


async def test_an_otu_that_is_gone_is_shown_as_it_was(
    api: Api, owner: Viewer, reader: Viewer, stranger: Viewer, reference: Reference
) -> None:
    await made(api, reference, "apple", "Pear virus")
    await api.db.otus.delete(owner, "apple")
    assert await descriptions(api, reader, otuId="otu_apple", first=1) == ["Removed Pear virus"]
    for entry, version, name in (("removed", 1, "Pear virus"), ("0", 0, "Virus apple")):
        shown = await api.ask(reader, ENTRY_AT_VERSION, id=f"history_apple_{entry}", version=version)
        assert (shown["otu"], shown["atVersion"]["name"], shown["atVersion"]["version"]) == (None, name, version)
        assert shown["atVersion"]["isolates"][0]["sequences"][0]["sequence"]
    shown = await api.ask(reader, ENTRY_AT_VERSION, id="history_apple_0", version=2)
    assert shown["atVersion"] is None
    assert await api.ask(stranger, ENTRY_AT_VERSION, id="history_apple_0", version=0) is None


async def test_members_are_told_of_changes(api: Api, owner: Viewer, stranger: Viewer, reference: Reference) -> None:
    async with (
        api.subscribed(owner, CHANGES) as changes,
        api.subscribed(owner, CHANGES, filter={"verbs": ["REMOVE"]}) as removals,
        api.subscribed(stranger, CHANGES) as hidden,
    ):
        await made(api, reference, "apple", "Pear virus")
        born, renamed = await changes.next(), await changes.next()
        assert born["historyEntry"]["diff"]["name"] == "Virus apple"
        assert (renamed["operation"], renamed["ids"]) == ("INSERT", ["history_apple_1"])
        assert renamed["historyEntry"]["diff"][1] == ["change", ["name"], ["Virus apple", "Pear virus"]]
        await tagged(api, "apple_0", "index000")
        built = await changes.next()
        assert (built["operation"], built["historyEntry"]["unbuilt"]) == ("UPDATE", False)
        await api.ask(owner, REVERT, id="history_apple_1")
        gone = await changes.next()
        assert gone == {"operation": "DELETE", "ids": ["history_apple_1"], "historyEntry": None}
        await api.db.otus.delete(owner, "apple")
        assert (await removals.next())["historyEntry"]["description"] == "Removed Virus apple"
        others = await stored_reference(api.db, user_id=stranger.user_id)
        await made(api, others, "lemon")
        assert (await hidden.next())["ids"] == ["history_lemon_0"]


LISTS = {
    "changes": "{ history(first: FIRST) { nodes { id diff user { handle } otu { name } reference { name } } } }",
    "births": "{ history(first: FIRST, filter: {verbs: [CREATE]}) { nodes { id diff } } }",
    "recent": "{ otus(first: FIRST) { nodes { mostRecentChange { description user { handle } } } } }",
    "histories": """{ otus(first: FIRST) { nodes { name history(first: 2) {
        nodes { description diff user { handle } } pageInfo { hasNextPage } } } } }""",
    "versions": """{ otus(first: FIRST) { nodes { then: atVersion(version: 0) {
        name isolates { sequences { accession sequence } } } now: atVersion(version: 1) { name } } } }""",
    "versions of changes": "{ history(first: FIRST) { nodes { atVersion(version: 0) { name } } } }",
}


@pytest.mark.parametrize("name", LISTS)
async def test_the_statements_do_not_grow_with_the_page(
    api: Api, owner: Viewer, reference: Reference, name: str
) -> None:
    for number in range(25):
        await made(api, reference, f"otu{number:02}")
    for number in range(25):
        await api.db.otus.update(owner, f"otu{number:02}", OTUChanges(name=f"Renamed {number}"))
    counts = {}
    for first in (2, 25):
        with api.statements() as statements:
            result = await api.ask(owner, LISTS[name].replace("FIRST", str(first)))
        assert len(result["nodes"]) == first
        counts[first] = len(statements)
    assert counts[2] == counts[25]


async def test_a_diff_is_read_only_when_it_is_asked_for(api: Api, owner: Viewer, reference: Reference) -> None:
    await made(api, reference, "apple", "Pear virus")
    with api.statements() as statements:
        await api.ask(owner, "{ history { nodes { description } } }")
    assert not any("apart" in statement for statement in statements)


def test_long_json_goes_into_the_answer_as_it_is() -> None:
    assert as_json(None) is None
    assert as_json('{"a": [1, null]}') == {"a": [1, None]}
    text = '{"sequence": "' + "A" * AS_TEXT + '"}'
    assert isinstance(as_json(text), orjson.Fragment)
    assert encode({"diff": as_json(text)}) == f'{{"diff":{text}}}'.encode()


async def test_a_large_diff_is_given_whole(api: Api, owner: Viewer, reference: Reference) -> None:
    await made(api, reference)
    new = NewSequence(accession="NC_9", definition="Large", sequence="ACGT" * 300_000)
    await api.db.sequences.create(owner, "apple_applei0", new)
    result = await api.run(owner, ONE, id="history_apple_1")
    assert result.errors is None
    answer = orjson.loads(encode(result.data))
    assert answer["historyEntry"]["diff"][1][2][0][1]["sequence"] == new.sequence


async def test_the_verbs_are_those_of_the_history(api: Api, owner: Viewer) -> None:
    asked = '{ __type(name: "HistoryVerb") { enumValues { name description } } }'
    values = (await api.ask(owner, asked))["enumValues"]
    assert {value["name"] for value in values} == {verb.name for verb in Verb}
    assert all(value["description"] for value in values)
