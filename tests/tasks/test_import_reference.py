"""References are filled from uploaded files: with all that is in the file, or not at all."""

import gzip
from typing import Any

import pytest
from msgspec import structs

from tests.db.conftest import clock, db, each_db, split_db, split_urls
from tests.factories.otus import joined_isolate, joined_otu, joined_sequence
from tests.factories.reference_files import (
    OFFICIAL,
    barcodes,
    changed,
    made_up_reference,
    needs_real_references,
    written,
)
from tests.factories.tasks import performed, task_now
from tests.factories.users import viewer_named
from virtool_gql.access import Viewer
from virtool_gql.db.database import Database
from virtool_gql.db.otu_writes import stored
from virtool_gql.db.reference_imports import NewImport
from virtool_gql.models.files import File, FileType
from virtool_gql.models.history import HistoryEntry, Verb
from virtool_gql.models.otus import OTU, Sequence
from virtool_gql.models.references import DataType, Reference
from virtool_gql.models.tasks import Task, TaskState
from virtool_gql.models.users import Permission
from virtool_gql.query import And, Eq, Order, Page
from virtool_gql.tasks.filling_from_file import MOST_BASES, MOST_OTUS, batches

__all__ = ["clock", "db", "each_db", "split_db", "split_urls"]

EVERY = Page(first=None)
GOOD = made_up_reference()
CURATOR: Viewer = viewer_named("curator", Permission.CREATE_REF, Permission.UPLOAD_FILE)


async def uploaded(db: Database, contents: Any) -> File:
    file = await db.files.begin(CURATOR, "reference.json.gz", FileType.REFERENCE)
    path = written(db.places.file(file.id), contents)
    return await db.files.finish(file, path.stat().st_size)


async def begun(db: Database, contents: Any, **values: Any) -> tuple[Reference, Task]:
    file = await uploaded(db, contents)
    return await db.reference_imports.create(CURATOR, NewImport(file_id=file.id, **values))


async def otus_of(db: Database, reference: Reference) -> list[OTU]:
    where = Eq("reference_id", reference.id)
    return (await db.store.find(OTU, where, [Order("name_key")], EVERY)).documents


async def nothing_is_left(db: Database, reference: Reference, task: Task) -> None:
    """See that only the task tells of an import that failed."""
    assert await db.store.get(Reference, reference.id) is None
    for kind in (OTU, Sequence, HistoryEntry):
        assert await db.store.count(kind) == 0
    file = await db.store.get(File, str(task.args["file_id"]))
    assert file is None or file.reserved_by is None


async def test_a_reference_is_filled_from_a_file(each_db: Database) -> None:
    reference, task = await begun(each_db, GOOD)
    ended = await performed(each_db, task)
    assert (ended.state, ended.error, ended.problems, ended.warnings) == (TaskState.COMPLETE, None, (), ())
    ready = await each_db.store.get(Reference, reference.id)
    assert ready is not None
    assert (ready.ready, ready.name, ready.organism, ready.data_type) == (
        True,
        "Unnamed Import",
        "virus",
        DataType.GENOME,
    )
    file = await each_db.store.get(File, str(task.args["file_id"]))
    assert file is not None
    assert file.reserved_by is None
    otus = await otus_of(each_db, reference)
    assert [(otu.name, otu.remote_id) for otu in otus] == [(otu["name"], otu["_id"]) for otu in GOOD["otus"]]
    assert all(otu.verified and otu.imported and otu.modified and otu.revision == 0 for otu in otus)


async def test_otus_and_sequences_get_ids_of_their_own_and_isolates_keep_theirs(db: Database) -> None:
    reference, task = await begun(db, GOOD)
    await performed(db, task)
    otu, given = (await otus_of(db, reference))[1], GOOD["otus"][1]
    assert otu.id != given["_id"]
    whole = await stored(db.store, otu.id)
    assert whole is not None
    for isolate, told in zip(whole.joined.isolates, given["isolates"], strict=True):
        assert (isolate.id, isolate.source_name, isolate.default) == (told["id"], told["source_name"], told["default"])
        for sequence, said in zip(isolate.sequences, told["sequences"], strict=True):
            assert sequence.id != said["_id"]
            assert (sequence.remote_id, sequence.accession) == (said["_id"], said["accession"])
            assert (sequence.sequence, sequence.host, sequence.segment) == (
                said["sequence"],
                said["host"],
                said["segment"],
            )


async def test_the_history_tells_of_the_import(db: Database) -> None:
    reference, task = await begun(db, GOOD)
    await performed(db, task)
    entries = (await db.store.find(HistoryEntry, Eq("reference_id", reference.id), [Order("description")])).documents
    assert [entry.description for entry in entries] == [
        "Imported Made-up virus 00000",
        "Imported Made-up virus 00001 (MuV1)",
        "Imported Made-up virus 00002",
    ]
    assert {(entry.verb, entry.user_id, entry.otu_revision) for entry in entries} == {(Verb.IMPORT, "curator", 0)}


async def test_barcodes_bring_their_targets(db: Database) -> None:
    reference, task = await begun(db, barcodes(), organism="fungus")
    await performed(db, task)
    ready = await db.store.get(Reference, reference.id)
    assert ready is not None
    assert (ready.data_type, ready.organism) == (DataType.BARCODE, "fungus")
    assert [target.name for target in ready.targets] == ["ITS", "COI"]


async def test_an_isolate_without_a_usable_id_gets_a_new_one(db: Database) -> None:
    contents = changed(changed(GOOD, "otus.0.isolates.0.id", "a/b"), "otus.0.isolates.1.id", ...)
    reference, task = await begun(db, contents)
    ended = await performed(db, task)
    assert len(ended.warnings) == 1
    ids = [isolate.id for isolate in (await otus_of(db, reference))[0].isolates]
    assert all(ids)
    assert len(set(ids)) == 2


async def test_what_is_odd_is_kept_with_the_task(db: Database) -> None:
    """The issues of OTUs are not computed and thrown away (9.1, 22)."""
    reference, task = await begun(db, changed(GOOD, "otus.0.isolates.1.sequences", []))
    ended = await performed(db, task)
    assert ended.state is TaskState.COMPLETE
    assert [(warning.otu_name, warning.message) for warning in ended.warnings] == [
        ("Made-up virus 00000", "Isolate Field 0000001 has no sequences.")
    ]
    assert [otu.verified for otu in await otus_of(db, reference)] == [False, True, True]


async def test_a_file_with_problems_leaves_nothing_but_the_task_that_tells_them(each_db: Database) -> None:
    contents = changed(changed(GOOD, "otus.0.isolates", []), "otus.1.name", "Made-up virus 00002")
    reference, task = await begun(each_db, contents)
    ended = await performed(each_db, task)
    assert (ended.state, ended.error) == (TaskState.FAILED, "The file has problems; nothing was imported from it.")
    assert [(problem.otu_id, problem.message) for problem in ended.problems] == [
        ("otu00000", "The OTU is empty: it has no isolates."),
        ("otu00002", "The name “Made-up virus 00002” is used twice: it is also that of “Made-up virus 00002”."),
    ]
    await nothing_is_left(each_db, reference, task)


@pytest.mark.parametrize(
    ("contents", "sentence"),
    [
        (b'{"otus": ]', "The file is not JSON: Expecting value (line 1, column 10)."),
        (b"BM\x00", "The gzipped file holds no JSON object."),
    ],
)
async def test_what_cannot_be_read_is_told_with_its_place(db: Database, contents: bytes, sentence: str) -> None:
    """The message of invalid JSON is not cut out of another text (9.1, 30)."""
    reference, task = await begun(db, contents)
    ended = await performed(db, task)
    assert (ended.state, ended.error) == (TaskState.FAILED, sentence)
    await nothing_is_left(db, reference, task)


async def test_bytes_that_are_gone_fail_the_import(db: Database) -> None:
    reference, task = await begun(db, GOOD)
    db.places.file(str(task.args["file_id"])).unlink()
    ended = await performed(db, task)
    assert ended.error == "The bytes of the file are not there any more; upload it again."
    await nothing_is_left(db, reference, task)


async def test_a_reference_that_is_deleted_before_it_is_filled_stays_so(db: Database) -> None:
    reference, task = await begun(db, GOOD)
    await db.store.delete(reference)
    ended = await performed(db, task)
    assert (ended.state, ended.error) == (TaskState.FAILED, "What this was about was deleted before it was done.")
    await nothing_is_left(db, reference, task)


async def test_an_import_that_is_done_already_is_not_done_twice(split_db: Database) -> None:
    """A crash between the commits of the two stores: the documents are there, and the task is not yet complete."""
    reference, task = await begun(split_db, GOOD)
    before = await task_now(split_db, task)
    await performed(split_db, task)
    made, done = await otus_of(split_db, reference), await task_now(split_db, task)
    await split_db.store.replace(structs.replace(before, version=done.version))
    assert (await performed(split_db, task)).state is TaskState.COMPLETE
    assert await otus_of(split_db, reference) == made


async def test_one_file_can_be_imported_again_and_again(db: Database) -> None:
    file = await uploaded(db, GOOD)
    for _ in range(2):
        reference, task = await db.reference_imports.create(CURATOR, NewImport(file_id=file.id))
        assert (await performed(db, task)).state is TaskState.COMPLETE
        assert len(await otus_of(db, reference)) == 3


def test_large_otus_are_inserted_few_at_once() -> None:
    small = [joined_otu(str(number)) for number in range(MOST_OTUS + 1)]
    assert [len(some) for some in batches(small)] == [MOST_OTUS, 1]
    large = [joined_otu("a", [joined_isolate("b", [joined_sequence("c", sequence="A" * MOST_BASES)])])] * 2
    assert [len(some) for some in batches([*large, *small[:2]])] == [1, 1, 2]
    assert list(batches([])) == []


@needs_real_references
async def test_the_official_reference_is_imported(db: Database) -> None:
    reference, task = await begun(db, gzip.decompress(OFFICIAL.read_bytes()), name="Plant Viruses")
    ended = await performed(db, task)
    assert (ended.state, ended.problems, len(ended.warnings)) == (TaskState.COMPLETE, (), 37)
    of_reference = Eq("reference_id", reference.id)
    assert await db.store.count(OTU, And(of_reference, Eq("verified", value=True))) == 2_084
    assert await db.store.count(Sequence, of_reference) == 4_783
    assert await db.store.count(HistoryEntry, of_reference) == 2_084
