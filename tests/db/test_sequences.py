import asyncio
from typing import Any

import pytest
from msgspec import UNSET, structs

from tests.factories.curators import ADMINISTRATOR, MAY, MEMBERS, OWNER, WRITER, allowed, last_sentence
from tests.factories.otus import RNA_A, RNA_B, full_otu, joined_isolate, joined_otu, joined_sequence, stored_otu
from tests.factories.references import stored_reference
from virtool_gql.access import Viewer
from virtool_gql.db.database import Database
from virtool_gql.db.isolates import NewIsolate
from virtool_gql.db.otu_writes import Stored, stored
from virtool_gql.db.sequences import NewSequence, SequenceChanges
from virtool_gql.errors import BadUserInput, Conflict, NotFound, VirtoolError
from virtool_gql.models.history import HistoryEntry, Verb
from virtool_gql.models.otus import Sequence
from virtool_gql.models.references import DataType, Target
from virtool_gql.query import Eq, Order

NEW = NewSequence(accession="NC_1", definition="A virus", sequence="acgtn")


async def two(db: Database, **of_reference: Any) -> Stored:
    """Make the OTU `otu` of two isolates, with two sequences each."""
    reference = await stored_reference(db, **MEMBERS | of_reference)
    return await stored_otu(db, reference.id, full_otu("otu", 2, 2, schema=(RNA_A, RNA_B)))


@pytest.mark.parametrize(("viewer", "refusal"), MAY)
async def test_who_may_write_sequences(db: Database, viewer: Viewer, refusal: type[VirtoolError] | None) -> None:
    otu = (await two(db)).otu
    writes = [
        lambda: db.sequences.create(viewer, "otu_otui0", NEW),
        lambda: db.sequences.create(viewer, "otu_otui0", NEW, idempotency_key="k"),
        lambda: db.sequences.update(viewer, "otui0s0", SequenceChanges(host="Malus")),
        lambda: db.sequences.delete(viewer, "otui0s0"),
    ]
    if await allowed(writes, refusal):
        assert (await db.otus.get(viewer, "otu")).revision == 4
        return
    assert await db.otus.get(ADMINISTRATOR, "otu") == otu
    assert await db.store.count(Sequence) == 4


@pytest.mark.parametrize(("viewer", "refusal"), MAY)
async def test_members_read_sequences(each_db: Database, viewer: Viewer, refusal: type[VirtoolError] | None) -> None:
    otu = await two(each_db)
    ids = ["otui0s0", "nothing0", "\0"]
    if refusal is NotFound:
        with pytest.raises(NotFound, match="no sequence of that id"):
            await each_db.sequences.get(viewer, "otui0s0")
        assert await each_db.sequences.get_many(viewer, ids) == {}
        assert await each_db.sequences.bases(viewer, ids) == dict.fromkeys(ids)
        return
    there = structs.replace(otu.sequences["otui0s0"], sequence=UNSET)
    assert await each_db.sequences.get_many(viewer, ids) == {"otui0s0": there}
    assert await each_db.sequences.bases(viewer, ids) == {
        "otui0s0": otu.joined.isolates[0].sequences[0].sequence,
        "nothing0": None,
        "\0": None,
    }


@pytest.mark.parametrize("state", [{"archived": True}, {"ready": False}])
async def test_a_reference_that_cannot_be_changed_keeps_its_sequences(db: Database, state: dict[str, Any]) -> None:
    await two(db, **state)
    for write in (
        db.sequences.create(ADMINISTRATOR, "otu_otui0", NEW),
        db.sequences.create(OWNER, "otu_otui0", NEW, idempotency_key="k"),
        db.sequences.update(OWNER, "otui0s0", SequenceChanges(host="Malus")),
        db.sequences.delete(OWNER, "otui0s0"),
    ):
        with pytest.raises(Conflict, match=r"is archived|still being made"):
            await write


async def test_a_sequence_is_created_as_it_is_kept(each_db: Database) -> None:
    before = await two(each_db)
    new = NewSequence(
        accession=" NC_1 ", definition=" A virus ", sequence="ac gt\nRYSWKMBDHVNu", host=" Malus ", segment="RNA A"
    )
    otu, sequence = await each_db.sequences.create(OWNER, "otu_otui1", new)
    assert (sequence.accession, sequence.definition, sequence.host) == ("NC_1", "A virus", "Malus")
    assert (sequence.segment, sequence.target, sequence.length, sequence.isolate_id) == ("RNA A", None, 16, "otui1")
    assert (sequence.otu_id, sequence.reference_id) == ("otu", otu.reference_id)
    assert await each_db.sequences.bases(OWNER, [sequence.id]) == {sequence.id: "ACGTRYSWKMBDHVNU"}
    assert otu.isolates[1].sequence_ids == (*before.otu.isolates[1].sequence_ids, sequence.id)
    assert (otu.verified, otu.revision, otu.modified) == (False, 1, True)
    assert await last_sentence(each_db) == (Verb.CREATE_SEQUENCE, "Created new sequence NC_1 in Isolate OTUI1")
    otu, _ = await each_db.sequences.create(OWNER, "otu_otui0", NEW)
    assert otu.verified


async def test_only_what_was_changed_of_a_sequence_is_written(each_db: Database) -> None:
    before = await two(each_db)
    otu, sequence = await each_db.sequences.update(OWNER, "otui0s1", SequenceChanges(host="Malus", segment="RNA B"))
    assert (sequence.host, sequence.segment, sequence.version) == ("Malus", "RNA B", 2)
    assert await last_sentence(each_db) == (Verb.EDIT_SEQUENCE, "Edited sequence otui0s1 in Isolate OTUI0")
    for nothing in (SequenceChanges(), SequenceChanges(host="Malus", sequence="acgtryswkmbdhvn")):
        assert await each_db.sequences.update(OWNER, "otui0s1", nothing) == (otu, sequence)
    _, sequence = await each_db.sequences.update(OWNER, "otui0s1", SequenceChanges(sequence="tt", host=None))
    assert (sequence.length, sequence.host, sequence.version) == (2, None, 3)
    after = await stored(each_db.store, "otu")
    assert after is not None
    assert after.sequences["otui0s1"].sequence == "TT"
    others = {"otui0s0", "otui1s0", "otui1s1"}
    assert {id: after.sequences[id] for id in others} == {id: before.sequences[id] for id in others}


async def test_a_sequence_is_deleted(each_db: Database) -> None:
    await two(each_db)
    otu, gone = await each_db.sequences.delete(OWNER, "otui0s0")
    assert gone.id == "otui0s0"
    assert otu.isolates[0].sequence_ids == ("otui0s1",)
    assert not otu.verified
    assert await last_sentence(each_db) == (Verb.REMOVE_SEQUENCE, "Removed sequence otui0s0 from Isolate OTUI0")
    assert await each_db.store.count(Sequence) == 3
    with pytest.raises(NotFound, match="no sequence of that id"):
        await each_db.sequences.delete(OWNER, "otui0s0")


BAD = [
    ({"accession": " "}, "accession", "A value is needed for accession."),
    ({"definition": ""}, "definition", "A value is needed for definition."),
    ({"sequence": " \n"}, "sequence", "A value is needed for sequence."),
    ({"sequence": "ACGX"}, "sequence", "The sequence has “X” at position 4"),
    ({"segment": "RNA C"}, "segment", "Segment RNA C is not defined for the parent OTU."),
    ({"target": "ITS"}, "target", "Target ITS is not defined for the parent reference."),
]


@pytest.mark.parametrize(("values", "path", "message"), BAD)
async def test_values_are_checked_on_create_and_on_edit(
    db: Database, values: dict[str, Any], path: str, message: str
) -> None:
    otu = (await two(db)).otu
    for write in (
        db.sequences.create(OWNER, "otu_otui0", structs.replace(NEW, **values)),
        db.sequences.update(OWNER, "otui0s0", SequenceChanges(**values)),
    ):
        with pytest.raises(BadUserInput) as error:
            await write
        assert error.value.message.startswith(message)
        assert error.value.path == (path,)
    assert await db.otus.get(OWNER, "otu") == otu


async def test_targets_of_barcodes_are_checked_on_create_and_on_edit(each_db: Database) -> None:
    targets = (Target(name="CPN60"), Target(name="ITS2"))
    reference = await stored_reference(each_db, data_type=DataType.BARCODE, targets=targets)
    parts = [joined_sequence("s1", target="CPN60"), joined_sequence("s2", target="ITS2")]
    isolates = [joined_isolate("a", parts, default=True), joined_isolate("b", [joined_sequence("s3", target="CPN60")])]
    await stored_otu(each_db, reference.id, joined_otu("otu", isolates))
    required = "The 'target' field is required for barcode references."
    used = "Target CPN60 is already used in isolate a."
    for write, message in (
        (each_db.sequences.create(OWNER, "otu_a", NEW), required),
        (each_db.sequences.create(OWNER, "otu_a", structs.replace(NEW, target="CPN60")), used),
        (each_db.sequences.update(OWNER, "s2", SequenceChanges(target="CPN60")), used),
        (each_db.sequences.update(OWNER, "s1", SequenceChanges(target=None)), required),
    ):
        with pytest.raises(BadUserInput) as error:
            await write
        assert error.value.message == message
    await each_db.sequences.update(OWNER, "s1", SequenceChanges(target="CPN60", host="Malus"))
    _, created = await each_db.sequences.create(OWNER, "otu_b", structs.replace(NEW, target="ITS2"))
    assert (await each_db.sequences.get(OWNER, created.id)).target == "ITS2"


async def test_many_at_once_all_land(each_db: Database) -> None:
    await two(each_db)
    creations = [
        each_db.sequences.create(OWNER, f"otu_otui{number % 2}", structs.replace(NEW, accession=str(number)))
        for number in range(10)
    ]
    edits = [each_db.sequences.update(WRITER, "otui0s0", SequenceChanges(host=str(number))) for number in range(5)]
    isolates = [each_db.isolates.create(OWNER, "otu", NewIsolate(source_name=str(n), default=True)) for n in range(5)]
    await asyncio.gather(*creations, *edits, *isolates)
    after = await stored(each_db.store, "otu")
    assert after is not None
    accessions = {sequence.accession for sequence in after.sequences.values()}
    assert {str(number) for number in range(10)} <= accessions
    assert len(after.sequences) == await each_db.store.count(Sequence) == 14
    assert len(after.otu.isolates) == 7
    assert sum(isolate.default for isolate in after.otu.isolates) == 1
    entries = (await each_db.store.find(HistoryEntry, Eq("otu_id", "otu"), [Order("place")])).documents
    assert [entry.otu_revision for entry in entries] == list(range(21))


async def test_the_same_idempotency_key_gives_the_same_sequence(each_db: Database) -> None:
    await two(each_db)
    creations = (
        each_db.sequences.create(OWNER, "otu_otui0", NEW, idempotency_key="k", expected_version=0) for _ in range(15)
    )
    answers = await asyncio.gather(*creations)
    assert len({sequence.id for _, sequence in answers}) == 1
    assert {otu.revision for otu, _ in answers} == {1}
    again = structs.replace(NEW, accession="Else")
    assert (await each_db.sequences.create(OWNER, "otu_otui1", again, idempotency_key="k"))[1].accession == "NC_1"
    _, other = await each_db.sequences.create(WRITER, "otu_otui1", again, idempotency_key="k")
    assert other.accession == "Else"
    assert await each_db.store.count(Sequence) == 6


async def test_an_expected_version_is_that_of_the_otu(db: Database) -> None:
    await two(db)
    await db.sequences.create(OWNER, "otu_otui0", NEW, expected_version=0)
    for write in (
        db.sequences.create(OWNER, "otu_otui0", NEW, expected_version=0),
        db.sequences.update(OWNER, "otui0s0", SequenceChanges(), expected_version=0),
        db.sequences.delete(OWNER, "otui0s0", expected_version=2),
    ):
        with pytest.raises(Conflict, match="Somebody else changed the OTU first"):
            await write


@pytest.mark.parametrize("id", ["nothing0", "", "\0", "otu_otui9"])
async def test_what_is_not_there_cannot_be_changed(db: Database, id: str) -> None:
    await two(db)
    for write in (db.sequences.update(ADMINISTRATOR, id, SequenceChanges()), db.sequences.delete(ADMINISTRATOR, id)):
        with pytest.raises(NotFound, match="no sequence of that id"):
            await write
    for isolate_id in (id, f"otu_{id}", f"{id}_otui0"):
        with pytest.raises(NotFound, match="no isolate of that id") as error:
            await db.sequences.create(ADMINISTRATOR, isolate_id, NEW)
        assert error.value.path == ("isolate_id",)
