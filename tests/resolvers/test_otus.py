from typing import Any

import pytest
from msgspec import structs

from schema.loaders import fresh_context
from tests.factories.api import Api
from tests.factories.otus import (
    RNA_A,
    RNA_B,
    full_otu,
    joined_isolate,
    joined_otu,
    joined_sequence,
    stored_otu,
)
from tests.factories.payloads import failure
from tests.factories.references import member, stored_reference
from virtool_gql.access import Viewer
from virtool_gql.errors import QueryTooComplex
from virtool_gql.limits import Limits
from virtool_gql.models.otus import OTU
from virtool_gql.models.references import Reference

OTU_FIELDS = """id name abbreviation verified modified version lastIndexedVersion imported remoteId fastaUrl
    schema { name molecule required } reference { name } user { handle }
    issues { emptyOtu emptyIsolates { name } emptySequences { accession } isolateInconsistency }
    isolates { id sourceType sourceName name default fastaUrl otu { id }
        sequences { id accession definition host segment target length sequence fastaUrl
            isolate { id } otu { name } } }"""
ONE = f"query($id: ID!) {{ otu(id: $id) {{ {OTU_FIELDS} }} }}"
LIST = """query($referenceId: ID, $first: Int, $after: String, $search: String, $filter: OTUFilter, $by: [OTUOrder!]) {
    otus(referenceId: $referenceId, first: $first, after: $after, search: $search, filter: $filter, orderBy: $by) {
    nodes { name } totalCount pageInfo { hasNextPage endCursor } } }"""
WHOLE = f"query($first: Int) {{ otus(first: $first) {{ nodes {{ {OTU_FIELDS} }} }} }}"
CREATE = f"""mutation($input: CreateOtuInput!) {{ createOtu(input: $input) {{
    otu {{ {OTU_FIELDS} }} errors {{ code message path }} }} }}"""
UPDATE = f"""mutation($input: UpdateOtuInput!) {{ updateOtu(input: $input) {{
    otu {{ {OTU_FIELDS} }} errors {{ code message path }} }} }}"""
DELETE = """mutation($input: DeleteOtuInput!) { deleteOtu(input: $input) {
    otu { name isolates { name sequences { id } } } errors { code message path } } }"""


@pytest.fixture
async def reference(api: Api, owner: Viewer) -> Reference:
    return await stored_reference(api.db, user_id=owner.user_id)


async def names(api: Api, viewer: Viewer, **variables: Any) -> list[str]:
    return [node["name"] for node in (await api.ask(viewer, LIST, **variables))["nodes"]]


async def test_an_otu_is_shown_whole_to_members(
    api: Api, owner: Viewer, stranger: Viewer, administrator: Viewer, reference: Reference
) -> None:
    parts = [joined_sequence("s1", segment="RNA A", target="T", host=None), joined_sequence("s2", sequence="ACG")]
    isolates = [joined_isolate("a", parts, default=True), joined_isolate("b", source_type="")]
    otu = joined_otu("o1", isolates, name="Virus", abbreviation="V", schema=(RNA_A, RNA_B), remote_id="far")
    await stored_otu(api.db, reference.id, otu, user_id=owner.user_id, imported=True)
    assert await api.code(None, ONE, id="otu_o1") == "UNAUTHENTICATED"
    assert await api.ask(stranger, ONE, id="otu_o1") is None
    shown = await api.ask(owner, ONE, id="otu_o1")
    assert await api.ask(administrator, ONE, id="otu_o1") == shown
    first = {
        "id": "sequence_s1",
        "accession": "NC_s1",
        "definition": "A virus, complete genome",
        "host": None,
        "segment": "RNA A",
        "target": "T",
        "length": 15,
        "sequence": "ACGTRYSWKMBDHVN",
        "fastaUrl": "/downloads/sequences/sequence_s1.fa",
        "isolate": {"id": "isolate_o1_a"},
        "otu": {"name": "Virus"},
    }
    second = {"id": "sequence_s2", "accession": "NC_s2", "host": "", "segment": None, "target": None, "length": 3}
    assert shown["isolates"] == [
        {
            "id": "isolate_o1_a",
            "sourceType": "isolate",
            "sourceName": "A",
            "name": "Isolate A",
            "default": True,
            "fastaUrl": "/downloads/isolates/isolate_o1_a.fa",
            "otu": {"id": "otu_o1"},
            "sequences": [
                first,
                first | second | {"sequence": "ACG", "fastaUrl": "/downloads/sequences/sequence_s2.fa"},
            ],
        },
        {
            "id": "isolate_o1_b",
            "sourceType": "",
            "sourceName": "B",
            "name": "Unnamed Isolate",
            "default": False,
            "fastaUrl": "/downloads/isolates/isolate_o1_b.fa",
            "otu": {"id": "otu_o1"},
            "sequences": [],
        },
    ]
    del shown["isolates"]
    assert shown == {
        "id": "otu_o1",
        "name": "Virus",
        "abbreviation": "V",
        "verified": False,
        "modified": True,
        "version": 0,
        "lastIndexedVersion": None,
        "imported": True,
        "remoteId": "far",
        "fastaUrl": "/downloads/otus/otu_o1.fa",
        "schema": [
            {"name": "RNA A", "molecule": "SS_RNA_PLUS", "required": True},
            {"name": "RNA B", "molecule": "SS_RNA_PLUS", "required": False},
        ],
        "reference": {"name": "Plant Viruses"},
        "user": {"handle": "owner"},
        "issues": {
            "emptyOtu": False,
            "emptyIsolates": [{"name": "Unnamed Isolate"}],
            "emptySequences": [],
            "isolateInconsistency": False,
        },
    }


ISSUES = [
    (joined_otu("o"), {"emptyOtu": True}),
    (
        joined_otu("o", [joined_isolate("a", [joined_sequence("s", sequence="")])]),
        {"emptySequences": [{"accession": "NC_s"}]},
    ),
    (
        joined_otu(
            "o",
            [
                joined_isolate("a", [joined_sequence("s1"), joined_sequence("s2")]),
                joined_isolate("b", [joined_sequence("s3")]),
            ],
        ),
        {"isolateInconsistency": True},
    ),
    (full_otu("o"), None),
]


@pytest.mark.parametrize(("otu", "issues"), ISSUES)
async def test_what_is_wrong_with_an_otu_is_told(
    api: Api, owner: Viewer, reference: Reference, otu: Any, issues: dict[str, Any] | None
) -> None:
    await stored_otu(api.db, reference.id, otu)
    shown = await api.ask(owner, ONE, id="otu_o")
    nothing = {"emptyOtu": False, "emptyIsolates": [], "emptySequences": [], "isolateInconsistency": False}
    assert shown["issues"] == (None if issues is None else nothing | issues)
    assert shown["verified"] is (issues is None)


async def test_every_entity_has_an_id_of_its_own(
    api: Api, owner: Viewer, stranger: Viewer, reference: Reference
) -> None:
    await stored_otu(api.db, reference.id, full_otu("o", 1))
    query = """query($ids: [ID!]!) { nodes(ids: $ids) { id
        ... on OTU { name } ... on Isolate { sourceName } ... on Sequence { accession } } }"""
    ids = ["otu_o", "isolate_o_oi0", "sequence_oi0s0"]
    wrong = ["isolate_o_x", "isolate_o", "isolate_x_oi0", "otu_oi0s0", "sequence_o", "isolate__", "otu_"]
    assert await api.ask(owner, query, ids=ids + wrong) == [
        {"id": "otu_o", "name": "Virus o"},
        {"id": "isolate_o_oi0", "sourceName": "OI0"},
        {"id": "sequence_oi0s0", "accession": "NC_oi0s0"},
        *[None] * len(wrong),
    ]
    assert await api.ask(stranger, query, ids=ids) == [None] * 3
    for wrong_id in (*wrong, "\0", "sample_o"):
        assert await api.ask(owner, ONE, id=wrong_id) is None


async def test_otus_are_listed_by_name_filtered_searched_and_ordered(
    api: Api, owner: Viewer, stranger: Viewer, reference: Reference
) -> None:
    other = await stored_reference(api.db, "Other", owner.user_id, users=(member(stranger.user_id),))
    await stored_otu(api.db, reference.id, name="b mosaic virus", abbreviation="ZZ")
    await stored_otu(api.db, reference.id, joined_otu("o2", name="A mosaic virus", abbreviation="BMV"))
    built = await stored_otu(api.db, reference.id, name="C streak virus", imported=True)
    await api.db.store.replace(structs.replace(built.otu, modified=False, built_revision=0))
    await stored_otu(api.db, other.id, name="D")
    everything = ["A mosaic virus", "b mosaic virus", "C streak virus", "D"]
    mine = {"referenceId": f"reference_{reference.id}"}
    assert await names(api, owner) == everything
    assert await names(api, owner, **mine) == everything[:3]
    assert await names(api, owner, filter=mine) == everything[:3]
    assert await names(api, stranger) == ["D"]
    assert await names(api, stranger, **mine) == []
    assert await names(api, owner, referenceId="nothing") == []
    assert await names(api, owner, search="VIRUS mosaic") == everything[:2]
    assert await names(api, owner, search="bmv") == everything[:1]
    assert await names(api, owner, **mine, search="zz") == everything[1:2]
    for filter, expected in (
        ({"verified": False}, ["A mosaic virus"]),
        ({"verified": True, **mine}, ["b mosaic virus", "C streak virus"]),
        ({"modified": False}, ["C streak virus"]),
        ({"imported": True}, ["C streak virus"]),
        ({"name": "D"}, ["D"]),
        ({"abbreviation": "ZZ"}, ["b mosaic virus"]),
        ({"ids": ["otu_o2", "nothing"]}, ["A mosaic virus"]),
    ):
        assert await names(api, owner, filter=filter) == expected
    assert await names(api, owner, by=[{"field": "NAME", "direction": "DESC"}]) == everything[::-1]
    assert (await names(api, owner, by=[{"field": "ABBREVIATION"}]))[-1] == "b mosaic virus"
    first = await api.ask(owner, LIST, first=3)
    assert (first["totalCount"], first["pageInfo"]["hasNextPage"]) == (4, True)
    assert await names(api, owner, after=first["pageInfo"]["endCursor"]) == ["D"]


async def test_a_page_takes_as_many_statements_whatever_its_size(api: Api, owner: Viewer, reference: Reference) -> None:
    for number in range(25):
        otu = full_otu(f"o{number}", 1 + number % 3, 2)
        odd = (joined_isolate("odd", [joined_sequence(f"x{number}", sequence="")]), joined_isolate("empty"))
        await stored_otu(api.db, reference.id, structs.replace(otu, isolates=otu.isolates + odd), user_id=owner.user_id)
    counts = {}
    for first in (2, 25):
        with api.statements() as statements:
            page = await api.ask(owner, WHOLE, first=first)
        assert len(page["nodes"]) == first
        counts[first] = len(statements)
    shown = [one["sequence"] for otu in page["nodes"] for each in otu["isolates"] for one in each["sequences"]]
    assert set(shown) == {"ACGTRYSWKMBDHVN", ""}
    # The references that one may read, the page, and then references, users, sequences, bases, isolates and OTUs,
    # most of them after the first of these.
    assert counts[2] == counts[25] <= 16


async def test_a_page_by_name_is_one_statement_and_bases_are_read_only_when_asked_for(
    api: Api, owner: Viewer, administrator: Viewer, reference: Reference
) -> None:
    for number in range(3):
        await stored_otu(api.db, reference.id, full_otu(f"o{number}", 2, 2))
    plain = "query($id: ID) { otus(referenceId: $id) { nodes { name abbreviation verified isolates { name } } } }"
    id = f"reference_{reference.id}"
    for viewer, expected in ((administrator, 1), (owner, 2)):
        with api.statements() as statements:
            await api.ask(viewer, plain, id=id)
        assert len(statements) == expected
    sequences = "query($id: ID) { otus(referenceId: $id) { nodes { isolates { sequences { accession length } } } } }"
    with api.statements() as statements:
        await api.ask(administrator, sequences, id=id)
    assert len(statements) == 2
    assert not any("apart" in statement for statement in statements)
    with api.statements() as statements:
        await api.ask(administrator, sequences.replace("length", "sequence"), id=id)
    assert len(statements) == 3
    assert "apart" in statements[-1]


async def test_the_answer_is_bounded_by_isolates_sequences_and_bases(
    api: Api, owner: Viewer, reference: Reference
) -> None:
    parts = [joined_sequence(f"s{number}", sequence="ACGT" * 5_000) for number in range(10)]
    isolates = [joined_isolate("a", parts, default=True), *(joined_isolate(f"i{n}") for n in range(20))]
    await stored_otu(api.db, reference.id, joined_otu("o", isolates))

    async def answer(fields: str, most: int) -> Any:
        context = fresh_context(api.db, api.context(owner).caller, Limits(answer_fields=most))
        return await api.run(context, f'{{ otu(id: "otu_o") {{ {fields} }} }}')

    for fields, most in (
        ("isolates { id }", 50),
        ("isolates { sequences { id } }", 120),
        ("isolates { sequences { sequence } }", 600),
    ):
        assert (await answer(fields, most)).errors is None
        (error,) = (await answer(fields, 20)).errors
        assert isinstance(error.original_error, QueryTooComplex)
    (error,) = (await answer("isolates { sequences { sequence } }", 200)).errors
    assert isinstance(error.original_error, QueryTooComplex)


async def test_an_otu_is_created_with_its_schema(api: Api, owner: Viewer, reference: Reference) -> None:
    schema = [{"name": "RNA A", "molecule": "DS_RNA"}, {"name": "B", "molecule": None, "required": False}]
    input = {"referenceId": f"reference_{reference.id}", "name": "Virus", "abbreviation": "V", "schema": schema}
    payload = await api.ask(owner, CREATE, input=input)
    assert payload["errors"] == []
    otu = payload["otu"]
    assert (otu["name"], otu["abbreviation"], otu["version"]) == ("Virus", "V", 0)
    assert otu["schema"] == [
        {"name": "RNA A", "molecule": "DS_RNA", "required": True},
        {"name": "B", "molecule": None, "required": False},
    ]
    assert otu["issues"]["emptyOtu"]
    plain = {"referenceId": input["referenceId"], "name": "Plain", "idempotencyKey": "k"}
    again = [(await api.ask(owner, CREATE, input=plain))["otu"]["id"] for _ in range(2)]
    assert again[0] == again[1]


async def test_an_otu_is_updated_in_part(api: Api, owner: Viewer, reference: Reference) -> None:
    await stored_otu(api.db, reference.id, full_otu("o", abbreviation="V", schema=(RNA_A,)))
    payload = await api.ask(owner, UPDATE, input={"id": "otu_o", "name": "New", "expectedVersion": 0})
    assert payload["errors"] == []
    otu = payload["otu"]
    assert (otu["name"], otu["abbreviation"], otu["version"], len(otu["schema"])) == ("New", "V", 1, 1)
    payload = await api.ask(owner, UPDATE, input={"id": "otu_o", "schema": [], "abbreviation": ""})
    assert (payload["otu"]["abbreviation"], payload["otu"]["schema"]) == ("", [])


async def test_an_otu_is_deleted(api: Api, owner: Viewer, reference: Reference) -> None:
    await stored_otu(api.db, reference.id, full_otu("o", 1))
    payload = await api.ask(owner, DELETE, input={"id": "otu_o"})
    assert payload == {"otu": {"name": "Virus o", "isolates": [{"name": "Isolate OI0", "sequences": []}]}, "errors": []}
    assert await api.ask(owner, ONE, id="otu_o") is None


async def test_what_a_user_can_mend_comes_with_its_path(
    api: Api, owner: Viewer, stranger: Viewer, reference: Reference
) -> None:
    await stored_otu(api.db, reference.id, full_otu("o", name="Virus", abbreviation="V"))
    await stored_otu(api.db, reference.id, full_otu("p", name="Other"))
    of = {"referenceId": f"reference_{reference.id}"}
    for mutation, input, expected in (
        (CREATE, {**of, "name": "VIRUS"}, ("CONFLICT", "Name already exists.", ["name"])),
        (
            CREATE,
            {**of, "name": "X", "abbreviation": "V"},
            ("CONFLICT", "Abbreviation already exists.", ["abbreviation"]),
        ),
        (
            UPDATE,
            {"id": "otu_p", "name": "virus", "abbreviation": "V"},
            ("CONFLICT", "Name and abbreviation already exist.", ["name"]),
        ),
        (CREATE, {**of, "name": ""}, ("BAD_USER_INPUT", "A value is needed for name.", ["name"])),
        (
            CREATE,
            {**of, "name": "X", "schema": [{"name": "A"}, {"name": "A"}]},
            ("BAD_USER_INPUT", "Segment names must be unique.", ["schema"]),
        ),
        (UPDATE, {"id": "otu_o", "name": None}, ("BAD_USER_INPUT", None, ["name"])),
        (UPDATE, {"id": "otu_o", "schema": None}, ("BAD_USER_INPUT", None, ["schema"])),
        (UPDATE, {"id": "otu_o", "expectedVersion": 3}, ("CONFLICT", None, ["expectedVersion"])),
        (UPDATE, {"id": "otu_nothing0"}, ("NOT_FOUND", "There is no OTU of that id.", ["id"])),
        (DELETE, {"id": "reference_o"}, ("NOT_FOUND", None, ["id"])),
        (CREATE, {"referenceId": "otu_o", "name": "X"}, ("NOT_FOUND", None, ["referenceId"])),
    ):
        code, message, path = await failure(api, owner, mutation, **input)
        assert (code, path) == (expected[0], expected[2])
        assert expected[1] in {None, message}
    assert (await failure(api, stranger, DELETE, id="otu_o"))[0] == "NOT_FOUND"
    reader = await api.viewer("reader")
    await api.db.store.replace(structs.replace(reference, users=(member(reader.user_id),)))
    code, message, _ = await failure(api, reader, DELETE, id="otu_o")
    assert (code, "MODIFY_OTU" in message) == ("FORBIDDEN", True)
    assert await api.db.store.count(OTU) == 2


async def test_a_second_mutation_of_one_request_shows_what_it_made(
    api: Api, owner: Viewer, reference: Reference
) -> None:
    await stored_otu(api.db, reference.id, full_otu("o", 1))
    fields = "{ otu { isolates { sequences { sequence host } } } }"
    both = f"""mutation {{
        a: updateSequence(input: {{id: "sequence_oi0s0", sequence: "AA", host: "1"}}) {fields}
        b: updateSequence(input: {{id: "sequence_oi0s0", sequence: "CC", host: "2"}}) {fields} }}"""
    result = await api.run(owner, both)
    assert result.errors is None
    assert result.data is not None
    shown = [result.data[name]["otu"]["isolates"][0]["sequences"] for name in ("a", "b")]
    assert shown == [[{"sequence": "AA", "host": "1"}], [{"sequence": "CC", "host": "2"}]]


async def test_changes_of_otus_are_told_to_members(
    api: Api, owner: Viewer, stranger: Viewer, reference: Reference
) -> None:
    other = await stored_reference(api.db, "Other", "somebody")
    cursor = await api.cursor(owner)
    watch = """subscription($after: Cursor, $filter: OTUFilter) { otus(after: $after, filter: $filter) {
        operation ids otu { name version isolates { name sequences { sequence } } } } }"""
    await stored_otu(api.db, other.id, name="Hidden")
    await stored_otu(api.db, reference.id, full_otu("o", 1))
    await api.ask(owner, UPDATE, input={"id": "otu_o", "name": "New"})
    await api.ask(owner, DELETE, input={"id": "otu_o"})
    isolates = [{"name": "Isolate OI0", "sequences": []}]
    of_reference = {"referenceId": f"reference_{reference.id}"}
    for filter in (None, of_reference):
        async with api.subscribed(owner, watch, after=cursor, filter=filter) as events:
            assert await events.next() == {
                "operation": "INSERT",
                "ids": ["otu_o"],
                "otu": {"name": "Virus o", "version": 0, "isolates": isolates},
            }
            updated = await events.next()
            assert (updated["operation"], updated["otu"]["name"], updated["otu"]["version"]) == ("UPDATE", "New", 1)
            assert await events.next() == {"operation": "DELETE", "ids": ["otu_o"], "otu": None}
    async with api.subscribed(stranger, watch, after=cursor) as events:
        await stored_otu(api.db, reference.id, full_otu("p", 1))
        readable = await stored_reference(api.db, "Theirs", stranger.user_id)
        await stored_otu(api.db, readable.id, full_otu("q", 1))
        assert (await events.next())["ids"] == ["otu_q"]
