import pytest

from tests.factories.api import Api
from tests.factories.otus import RNA_A, full_otu, stored_otu
from tests.factories.payloads import failure
from tests.factories.references import stored_reference
from virtool_gql.access import Viewer
from virtool_gql.models.references import DataType, Reference, Target

SEQUENCE = "id accession definition host segment target length sequence"
ANSWER = f"{{ sequence {{ {SEQUENCE} isolate {{ name }} }} otu {{ version verified }} errors {{ code message path }} }}"
CREATE = f"mutation($input: CreateSequenceInput!) {{ createSequence(input: $input) {ANSWER} }}"
UPDATE = f"mutation($input: UpdateSequenceInput!) {{ updateSequence(input: $input) {ANSWER} }}"
DELETE = f"mutation($input: DeleteSequenceInput!) {{ deleteSequence(input: $input) {ANSWER} }}"
ONE = f"query($id: ID!) {{ sequence(id: $id) {{ {SEQUENCE} otu {{ name }} }} }}"

NEW = {"isolateId": "isolate_o_oi0", "accession": "NC_1", "definition": "A virus", "sequence": "acg tn"}


@pytest.fixture
async def reference(api: Api, owner: Viewer) -> Reference:
    targets = (Target(name="CPN60"),)
    reference = await stored_reference(api.db, user_id=owner.user_id, data_type=DataType.BARCODE, targets=targets)
    await stored_otu(api.db, reference.id, full_otu("o", 1, 1, schema=(RNA_A,)))
    return reference


@pytest.mark.usefixtures("reference")
async def test_accession_and_target_are_shown_with_all_the_rest(api: Api, owner: Viewer) -> None:
    new = NEW | {"host": "Malus", "segment": "RNA A", "target": "CPN60", "idempotencyKey": "k"}
    payload = await api.ask(owner, CREATE, input=new)
    assert payload["errors"] == []
    assert payload["otu"] == {"version": 1, "verified": True}
    sequence = payload["sequence"]
    assert sequence.pop("isolate") == {"name": "Isolate OI0"}
    assert (await api.ask(owner, CREATE, input=new))["sequence"]["id"] == sequence["id"]
    assert await api.ask(owner, ONE, id=sequence["id"]) == sequence | {"otu": {"name": "Virus o"}}
    del sequence["id"]
    assert sequence == {
        "accession": "NC_1",
        "definition": "A virus",
        "host": "Malus",
        "segment": "RNA A",
        "target": "CPN60",
        "length": 5,
        "sequence": "ACGTN",
    }


@pytest.mark.usefixtures("reference")
async def test_a_sequence_is_changed_in_part_and_deleted(api: Api, owner: Viewer) -> None:
    changes = {"id": "sequence_oi0s0", "sequence": "ggg", "segment": "RNA A", "expectedVersion": 0}
    payload = await api.ask(owner, UPDATE, input=changes)
    sequence = payload["sequence"]
    assert (sequence["accession"], sequence["sequence"], sequence["segment"]) == ("NC_oi0s0", "GGG", "RNA A")
    payload = await api.ask(owner, UPDATE, input={"id": "sequence_oi0s0", "segment": None, "host": None})
    assert (payload["sequence"]["segment"], payload["sequence"]["host"]) == (None, None)
    payload = await api.ask(owner, DELETE, input={"id": "sequence_oi0s0"})
    assert (payload["sequence"]["accession"], payload["sequence"]["sequence"]) == ("NC_oi0s0", None)
    assert payload["otu"] == {"version": 3, "verified": False}
    assert await api.ask(owner, ONE, id="sequence_oi0s0") is None


@pytest.mark.usefixtures("reference")
async def test_what_a_user_can_mend_comes_with_its_path(api: Api, owner: Viewer, stranger: Viewer) -> None:
    required = "The 'target' field is required for barcode references."
    undefined = "Segment X is not defined for the parent OTU."
    for mutation, input, expected in (
        (CREATE, NEW, ("BAD_USER_INPUT", required, ["target"])),
        (CREATE, NEW | {"target": "CPN60", "segment": "X"}, ("BAD_USER_INPUT", undefined, ["segment"])),
        (UPDATE, {"id": "sequence_oi0s0", "segment": "X"}, ("BAD_USER_INPUT", undefined, ["segment"])),
        (UPDATE, {"id": "sequence_oi0s0", "sequence": "AC-G"}, ("BAD_USER_INPUT", None, ["sequence"])),
        (UPDATE, {"id": "sequence_oi0s0", "accession": None}, ("BAD_USER_INPUT", None, ["accession"])),
        (CREATE, NEW | {"isolateId": "isolate_o_x"}, ("NOT_FOUND", "There is no isolate of that id.", ["isolateId"])),
        (CREATE, NEW | {"isolateId": "otu_o"}, ("NOT_FOUND", None, ["isolateId"])),
        (DELETE, {"id": "sequence_x"}, ("NOT_FOUND", "There is no sequence of that id.", ["id"])),
        (DELETE, {"id": "sequence_oi0s0", "expectedVersion": 5}, ("CONFLICT", None, ["expectedVersion"])),
    ):
        code, message, path = await failure(api, owner, mutation, **input)
        assert (code, path) == (expected[0], expected[2])
        assert expected[1] in {None, message}
    assert (await failure(api, stranger, DELETE, id="sequence_oi0s0"))[0] == "NOT_FOUND"
    assert await api.ask(stranger, ONE, id="sequence_oi0s0") is None
    assert await api.code(None, ONE, id="sequence_oi0s0") == "UNAUTHENTICATED"


async def test_changes_of_sequences_are_told_to_members(
    api: Api, owner: Viewer, stranger: Viewer, reference: Reference
) -> None:
    cursor = await api.cursor(owner)
    watch = """subscription($after: Cursor, $filter: SequenceFilter) { sequences(after: $after, filter: $filter) {
        operation ids sequence { accession target length sequence } } }"""
    await api.ask(owner, CREATE, input=NEW | {"target": "CPN60"})
    await api.ask(owner, UPDATE, input={"id": "sequence_oi0s0", "host": "Malus"})
    await api.ask(owner, DELETE, input={"id": "sequence_oi0s0"})
    async with api.subscribed(owner, watch, after=cursor) as events:
        inserted = await events.next()
        assert inserted["operation"] == "INSERT"
        assert inserted["sequence"] == {"accession": "NC_1", "target": "CPN60", "length": 5, "sequence": "ACGTN"}
        assert (await events.next())["operation"] == "UPDATE"
        assert await events.next() == {"operation": "DELETE", "ids": ["sequence_oi0s0"], "sequence": None}
    of_another = {"otuId": "otu_p"}
    async with api.subscribed(owner, watch, after=cursor, filter=of_another) as events:
        await stored_otu(api.db, reference.id, full_otu("p", 1, 1))
        assert (await events.next())["ids"] == ["sequence_pi0s0"]
    theirs = await stored_reference(api.db, "Theirs", stranger.user_id)
    async with api.subscribed(stranger, watch, after=cursor) as events:
        await stored_otu(api.db, theirs.id, full_otu("q", 1, 1))
        assert (await events.next())["ids"] == ["sequence_qi0s0"]
