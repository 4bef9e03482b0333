"""Exports hold the OTUs as they were at the beginning, and an import of one gives them back."""

import gzip
import json
import unicodedata
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from tests.factories.indexes import stored_index
from tests.factories.otus import full_otu, joined_isolate, joined_otu, joined_sequence, stored_otu
from tests.factories.reference_files import (
    OFFICIAL,
    Contents,
    barcodes,
    canonical,
    changed,
    made_up_reference,
    needs_real_references,
    written,
)
from tests.factories.references import member, stored_reference
from tests.factories.tasks import performed
from tests.factories.users import viewer_named
from virtool_gql.access import Viewer
from virtool_gql.db.database import Database
from virtool_gql.db.otu_writes import Stored, stored, write_change
from virtool_gql.db.reference_clones import manifest_of
from virtool_gql.db.reference_exports import AT_ONCE, Export, Scope, Vanished
from virtool_gql.db.reference_files import checked_reference
from virtool_gql.db.reference_imports import NewImport
from virtool_gql.db.reference_writing import IdKind, Packer
from virtool_gql.errors import Conflict, NotFound
from virtool_gql.models.files import FileType
from virtool_gql.models.history import Verb
from virtool_gql.models.indexes import Index
from virtool_gql.models.joined import JoinedOTU
from virtool_gql.models.otus import OTU, Molecule, Segment
from virtool_gql.models.references import DataType, Reference, Target
from virtool_gql.models.tasks import TaskState
from virtool_gql.models.users import Permission
from virtool_gql.query import Eq

STRANGER = viewer_named("stranger")
READER = viewer_named("reader")
GROUPED = structs.replace(viewer_named("grouped"), group_ids=frozenset({"readers"}))
OWNER: Viewer = viewer_named("owner", Permission.CREATE_REF, Permission.UPLOAD_FILE)
ADMINISTRATOR = viewer_named("admin", administrator=True)


async def shared_reference(db: Database, **values: Any) -> Reference:
    members = {"users": (member("reader"), member("owner")), "groups": (member("readers"),)}
    return await stored_reference(db, **members | values)


async def built(db: Database, reference: Reference, number: int = 0) -> Index:
    """Make an index of the reference as it is."""
    return await stored_index(db, reference.id, number, manifest=await manifest_of(db.store, reference.id))


async def edited(db: Database, otu: Stored, after: JoinedOTU | None) -> Stored | None:
    verb, at = (Verb.EDIT if after else Verb.REMOVE), db.instance.clock()
    await write_change(db.instance, db.store, otu, after, verb=verb, description="Edited", user_id="owner", at=at)
    return await stored(db.store, otu.otu.id)


async def renamed(db: Database, otu: Stored, name: str) -> Stored:
    now = await edited(db, otu, structs.replace(otu.joined, name=name))
    assert now is not None
    return now


async def bytes_of(export: Export) -> bytes:
    return b"".join([chunk async for chunk in export.chunks()])


async def contents_of(export: Export) -> Contents:
    return dict(json.loads(gzip.decompress(await bytes_of(export))))


async def exported(
    db: Database, reference: Reference, scope: Scope = Scope.ALL, ids: IdKind = IdKind.REMOTE
) -> Contents:
    return await contents_of(await db.reference_exports.of_reference(ADMINISTRATOR, reference.id, scope, ids))


async def names_in(db: Database, reference: Reference, scope: Scope) -> list[str]:
    return [otu["name"] for otu in (await exported(db, reference, scope))["otus"]]


async def imported(db: Database, contents: Any) -> Reference:
    file = await db.files.begin(OWNER, "reference.json.gz", FileType.REFERENCE)
    path = written(db.places.file(file.id), contents)
    await db.files.finish(file, path.stat().st_size)
    reference, task = await db.reference_imports.create(OWNER, NewImport(file_id=file.id))
    ended = await performed(db, task)
    assert (ended.state, ended.problems) == (TaskState.COMPLETE, ())
    return await db.references.get(OWNER, reference.id)


async def test_who_may_export(db: Database) -> None:
    reference = await shared_reference(db)
    index = await built(db, reference)
    exports = db.reference_exports
    for viewer in (READER, GROUPED, OWNER, ADMINISTRATOR):
        assert (await exports.of_reference(viewer, reference.id, Scope.ALL, IdKind.LOCAL)).reference == reference
        assert (await exports.of_index(viewer, index.id, IdKind.LOCAL)).reference == reference
    for id in (reference.id, "none0000", "../etc"):
        with pytest.raises(NotFound, match="no reference of that id"):
            await exports.of_reference(STRANGER, id, Scope.ALL, IdKind.LOCAL)
    for id in (index.id, "none0000", "../etc"):
        with pytest.raises(NotFound, match="no index of that id"):
            await exports.of_index(STRANGER, id, IdKind.LOCAL)


async def test_a_file_has_the_keys_of_the_format_in_their_order(each_db: Database) -> None:
    db = each_db
    reference = await shared_reference(db, organism="virus")
    sequence = joined_sequence("s1", host=None, segment="RNA A", remote_id="r1")
    isolate = joined_isolate("I-1", [sequence], default=True)
    schema = (Segment(name="RNA A", molecule=Molecule.SS_RNA), Segment(name="RNA B", required=False))
    await stored_otu(db, reference.id, joined_otu("o1", [isolate], abbreviation="TMV", schema=schema))
    export = await db.reference_exports.of_reference(READER, reference.id, Scope.ALL, IdKind.REMOTE)
    text = gzip.decompress(await bytes_of(export)).decode()
    assert text == (
        '{"data_type":"genome","organism":"virus","otus":[{"_id":"o1","name":"Virus o1","abbreviation":"TMV",'
        '"schema":[{"name":"RNA A","molecule":"ssRNA","required":true},{"name":"RNA B","molecule":"",'
        '"required":false}],'
        '"isolates":[{"id":"I-1","source_type":"isolate","source_name":"I-1","default":true,'
        '"sequences":[{"_id":"r1","accession":"NC_s1","definition":"A virus, complete genome","host":null,'
        '"segment":"RNA A","sequence":"ACGTRYSWKMBDHVN"}]}]}]}'
    )
    assert export.name == "Plant Viruses.json.gz"


async def test_segment_and_target_are_both_kept(db: Database) -> None:
    """2023's export keeps only one of them (9.1, 19)."""
    targets = (Target(name="ITS", description="A spacer", required=True, length=600),)
    reference = await shared_reference(db, data_type=DataType.BARCODE, targets=targets)
    sequence = joined_sequence("s1", segment="RNA A", target="ITS")
    await stored_otu(db, reference.id, joined_otu("o1", [joined_isolate("i1", [sequence], default=True)]))
    contents = await exported(db, reference)
    assert contents["targets"] == [{"name": "ITS", "description": "A spacer", "required": True, "length": 600}]
    (line,) = contents["otus"][0]["isolates"][0]["sequences"]
    assert (line["segment"], line["target"]) == ("RNA A", "ITS")


async def test_ids_are_local_or_those_of_the_source(db: Database) -> None:
    reference = await imported(db, made_up_reference(2))
    await stored_otu(db, reference.id, full_otu("own00000", name="A virus of our own"))
    local = await exported(db, reference, ids=IdKind.LOCAL)
    remote = await exported(db, reference, ids=IdKind.REMOTE)
    assert [otu["_id"] for otu in remote["otus"]] == ["own00000", "otu00000", "otu00001"]
    otus = (await db.store.find(OTU, Eq("reference_id", reference.id))).documents
    assert {otu["_id"] for otu in local["otus"]} == {otu.id for otu in otus}
    ids = {s["_id"] for otu in local["otus"] for isolate in otu["isolates"] for s in isolate["sequences"]}
    assert ids == {id for otu in otus for isolate in otu.isolates for id in isolate.sequence_ids}


async def test_otus_are_in_the_order_of_their_names(db: Database) -> None:
    reference = await shared_reference(db)
    for name in ("tobacco mosaic virus", "Potato virus Y", "Abaca bunchy top virus", "potato virus X"):
        await stored_otu(db, reference.id, name=name)
    assert await names_in(db, reference, Scope.ALL) == [
        "Abaca bunchy top virus",
        "potato virus X",
        "Potato virus Y",
        "tobacco mosaic virus",
    ]


async def test_scopes(each_db: Database) -> None:
    db = each_db
    reference = await shared_reference(db)
    edited_since, broken_since, removed_since = [
        await stored_otu(db, reference.id, full_otu(f"otu0000{number}", name=f"Built {number}")) for number in range(3)
    ]
    with pytest.raises(Conflict, match="has not been built yet"):
        await names_in(db, reference, Scope.BUILT)
    await built(db, reference, 1)
    await stored_index(db, reference.id, 0, latest=False)
    await stored_index(db, reference.id, 2, latest=False, ready=False)
    await renamed(db, await renamed(db, edited_since, "Now another"), "Now yet another")
    await edited(db, broken_since, structs.replace(broken_since.joined, name="Broken", isolates=()))
    await edited(db, removed_since, None)
    await stored_otu(db, reference.id, joined_otu("new00000", name="Never verified"))
    assert await names_in(db, reference, Scope.BUILT) == ["Built 0", "Built 1", "Built 2"]
    assert await names_in(db, reference, Scope.UNBUILT) == ["Built 1", "Now yet another"]
    assert await names_in(db, reference, Scope.ALL) == ["Broken", "Never verified", "Now yet another"]


async def test_a_reference_that_is_not_ready_is_not_exported(db: Database) -> None:
    reference = await shared_reference(db, ready=False)
    with pytest.raises(Conflict, match="still being made"):
        await exported(db, reference)


async def test_an_index_stays_the_same_file_whatever_is_edited(each_db: Database) -> None:
    db = each_db
    reference = await shared_reference(db, name="Plants v1.5")
    first, second, third = [
        await stored_otu(db, reference.id, full_otu(f"otu0000{n}", name=f"Virus {n}")) for n in range(3)
    ]
    index = await built(db, reference, 4)
    exports = db.reference_exports
    before = await exports.of_index(READER, index.id, IdKind.LOCAL)
    packed = await bytes_of(before)
    await renamed(db, first, "Zucchini virus")
    await edited(db, second, None)
    now = await renamed(db, third, "Abaca virus")
    await renamed(db, now, "Virus 2")
    assert await bytes_of(await exports.of_index(READER, index.id, IdKind.LOCAL)) == packed
    assert [otu["name"] for otu in json.loads(gzip.decompress(packed))["otus"]] == ["Virus 0", "Virus 1", "Virus 2"]
    assert before.name == "Plants v1_5_4.json.gz"


async def test_edits_meanwhile_are_not_in_an_export(db: Database) -> None:
    reference = await shared_reference(db)
    otus = [await stored_otu(db, reference.id, name=f"Virus {number:04}") for number in range(AT_ONCE + 5)]
    chunks = (await db.reference_exports.of_reference(READER, reference.id, Scope.ALL, IdKind.LOCAL)).chunks()
    packed = [await anext(chunks), await anext(chunks)]
    await renamed(db, otus[-1], "Renamed")
    await edited(db, otus[-2], None)
    await stored_otu(db, reference.id, name="New")
    packed += [chunk async for chunk in chunks]
    names = [otu["name"] for otu in json.loads(gzip.decompress(b"".join(packed)))["otus"]]
    assert names == [f"Virus {number:04}" for number in range(AT_ONCE + 5)]


async def test_what_is_taken_back_meanwhile_cuts_the_export_off(db: Database) -> None:
    reference = await shared_reference(db)
    otu = await stored_otu(db, reference.id)
    chunks = (await db.reference_exports.of_reference(READER, reference.id, Scope.ALL, IdKind.LOCAL)).chunks()
    await anext(chunks)
    await db.store.delete(otu.otu)
    with pytest.raises(Vanished):
        await anext(chunks)


async def test_an_empty_reference_is_a_file_too(db: Database) -> None:
    assert await exported(db, await shared_reference(db)) == {"data_type": "genome", "organism": "", "otus": []}


BARCODES_WITH_ODDITIES = changed(barcodes(3), "otus.1.isolates.0.sequences.1.target", None)
GENOMES_WITH_ODDITIES = changed(made_up_reference(3), "otus.2.isolates.1.sequences", [])


async def goes_round(db: Database, contents: Contents) -> None:
    """See that an export gives what was imported, and another import of it the very same export."""
    exports = db.reference_exports
    reference = await imported(db, contents)
    export = await bytes_of(await exports.of_reference(OWNER, reference.id, Scope.ALL, IdKind.REMOTE))
    assert json.loads(gzip.decompress(export)) == canonical(contents)
    again = await imported(db, gzip.decompress(export))
    assert await bytes_of(await exports.of_reference(OWNER, again.id, Scope.ALL, IdKind.REMOTE)) == export


@pytest.mark.parametrize(
    "contents", [made_up_reference(8, 3), barcodes(), BARCODES_WITH_ODDITIES, GENOMES_WITH_ODDITIES]
)
async def test_what_is_imported_is_exported_and_the_other_way_round(each_db: Database, contents: Contents) -> None:
    await goes_round(each_db, contents)


async def test_a_reference_of_several_batches_goes_round(db: Database) -> None:
    await goes_round(db, made_up_reference(2 * AT_ONCE + 5))


@needs_real_references
async def test_the_official_reference_goes_round(db: Database) -> None:
    await goes_round(db, json.loads(gzip.decompress(OFFICIAL.read_bytes())))


LETTERS = st.characters(codec="utf-8", categories=("L", "N", "P"))
LINES = st.text(LETTERS, min_size=1, max_size=8).map(lambda text: unicodedata.normalize("NFC", text))
IDS = st.text("abAB01-", min_size=1, max_size=8)


@st.composite
def references(draw: st.DrawFn) -> tuple[Reference, list[JoinedOTU]]:
    """Give a reference that a file can hold; what must be unique is numbered."""
    data_type = draw(st.sampled_from(DataType))
    is_barcode = data_type is DataType.BARCODE
    targets = (Target(name="ITS"), Target(name="COI", required=True, length=650)) if is_barcode else ()
    otus = [_otu(draw, str(number), is_barcode=is_barcode) for number in range(draw(st.integers(0, 3)))]
    at: Any = "2026-01-01T00:00:00.000Z"
    reference = Reference(
        id="r",
        name="R",
        name_key="r",
        organism=draw(LINES),
        data_type=data_type,
        targets=targets,
        user_id="u",
        created_at=at,
        updated_at=at,
    )
    return reference, otus


def _otu(draw: st.DrawFn, number: str, *, is_barcode: bool) -> JoinedOTU:
    isolates = [
        joined_isolate(
            f"{each}{draw(IDS)}",
            [_sequence(draw, f"{number}s{each}s{i}", is_barcode=is_barcode) for i in range(draw(st.integers(1, 2)))],
            source_type=draw(LINES).lower(),
            source_name=draw(LINES),
            default=each == 0,
        )
        for each in range(draw(st.integers(1, 3)))
    ]
    schema = tuple(
        Segment(name=f"{name}", molecule=draw(st.none() | st.sampled_from(Molecule)), required=draw(st.booleans()))
        for name in range(draw(st.integers(0, 2)))
    )
    return joined_otu(
        f"o{number}",
        isolates,
        name=f"{number}{draw(LINES)}",
        abbreviation=draw(st.sampled_from(["", f"A{number}"])),
        schema=schema,
        remote_id=f"o{number}",
    )


def _sequence(draw: st.DrawFn, id: str, *, is_barcode: bool) -> Any:
    return joined_sequence(
        id,
        accession=draw(LINES),
        definition=draw(LINES),
        host=draw(st.none() | LINES),
        segment=draw(st.none() | LINES),
        target=draw(st.sampled_from(["ITS", "COI", None])) if is_barcode else draw(st.none() | LINES),
        sequence=draw(st.text("ACGTURYSWKMBDHVN", max_size=6)),
        remote_id=id,
    )


def packed(reference: Reference, otus: list[JoinedOTU]) -> bytes:
    packer = Packer(IdKind.REMOTE)
    return gzip.decompress(packer.begin(reference) + packer.add(otus) + packer.end())


@settings(max_examples=50, deadline=None)
@given(references())
def test_what_is_written_is_read_as_it_was(made: tuple[Reference, list[JoinedOTU]]) -> None:
    reference, otus = made
    text = packed(reference, otus)
    file = checked_reference(json.loads(text), strict=False)
    assert file.problems == ()
    assert list(file.otus) == otus
    read = structs.replace(reference, organism=file.organism, data_type=file.data_type, targets=file.targets)
    assert packed(read, list(file.otus)) == text
