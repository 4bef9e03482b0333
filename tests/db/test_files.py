import asyncio
from datetime import timedelta

import pytest
from msgspec import structs

from tests.factories.database import SteppingClock
from tests.factories.files import READS, begun_file, ready_file
from tests.factories.references import stored_reference
from tests.factories.samples import stored_sample
from tests.factories.users import viewer_named
from virtool_gql.access import Viewer
from virtool_gql.db.database import Database
from virtool_gql.db.files import FileChanges, release, reserve_reference_file
from virtool_gql.errors import BadUserInput, Conflict, Forbidden, NotFound
from virtool_gql.models.documents import timestamp
from virtool_gql.models.files import File, FileType
from virtool_gql.models.users import Permission

STRANGER = viewer_named("stranger")
UPLOADER = viewer_named("uploader", Permission.UPLOAD_FILE)
REMOVER = viewer_named("remover", Permission.REMOVE_FILE)
ADMINISTRATOR = viewer_named("admin", administrator=True)
KEY = viewer_named("uploader", Permission.CREATE_SAMPLE, key_id="key00000")


@pytest.mark.parametrize(
    ("viewer", "may"), [(STRANGER, False), (REMOVER, False), (KEY, False), (UPLOADER, True), (ADMINISTRATOR, True)]
)
async def test_who_may_upload(db: Database, viewer: Viewer, may: bool) -> None:
    if may:
        assert (await db.files.begin(viewer, "reads.fq", FileType.READS)).user_id == viewer.user_id
    else:
        with pytest.raises(Forbidden, match="UPLOAD_FILE"):
            await db.files.begin(viewer, "reads.fq", FileType.READS)
        assert await db.files.count(ADMINISTRATOR) == 0


@pytest.mark.parametrize(
    ("viewer", "may"), [(STRANGER, False), (UPLOADER, False), (KEY, False), (REMOVER, True), (ADMINISTRATOR, True)]
)
async def test_who_may_delete(db: Database, viewer: Viewer, may: bool) -> None:
    file = await ready_file(db)
    if may:
        assert await db.files.delete(viewer, file.id) == file
    else:
        with pytest.raises(Forbidden, match="REMOVE_FILE"):
            await db.files.delete(viewer, file.id)
    assert db.places.file(file.id).exists() is not may
    assert await db.files.count(STRANGER) == (not may)


@pytest.mark.parametrize(
    ("viewer", "may"),
    [
        (STRANGER, False),
        (viewer_named("other", Permission.UPLOAD_FILE), False),
        (viewer_named("uploader"), False),
        (KEY, False),
        (UPLOADER, True),
        (viewer_named("uploader", Permission.UPLOAD_FILE, key_id="key00000"), True),
        (REMOVER, True),
        (ADMINISTRATOR, True),
    ],
)
async def test_who_may_change(db: Database, viewer: Viewer, may: bool) -> None:
    file = await ready_file(db)
    if may:
        assert (await db.files.update(viewer, file.id, FileChanges(name="b.fq"))).name == "b.fq"
    else:
        with pytest.raises(Forbidden, match="REMOVE_FILE"):
            await db.files.update(viewer, file.id, FileChanges(name="b.fq"))
        assert await db.files.get(viewer, file.id) == file


async def test_a_file_of_nobody_is_changed_by_those_who_may_remove_it(db: Database) -> None:
    file = await db.files.begin_import("a.fq", "key")
    assert file is not None
    with pytest.raises(Forbidden):
        await db.files.update(UPLOADER, file.id, FileChanges(name="b.fq"))
    assert (await db.files.update(REMOVER, file.id, FileChanges(name="b.fq"))).name == "b.fq"


async def test_name_and_end_are_changed_as_they_are_given(db: Database, clock: SteppingClock) -> None:
    file = await ready_file(db)
    at = timestamp(clock.moment + timedelta(days=1))
    ended = await db.files.update(UPLOADER, file.id, FileChanges(expires_at=at))
    assert (ended.expires_at, ended.name, ended.version) == (at, file.name, file.version + 1)
    named = await db.files.update(UPLOADER, file.id, FileChanges(name="../b.fq"), expected_version=ended.version)
    assert (named.expires_at, named.name) == (at, "b.fq")
    assert await db.files.update(UPLOADER, file.id, FileChanges(name="b.fq")) == named
    assert (await db.files.update(UPLOADER, file.id, FileChanges(expires_at=None))).expires_at is None
    with pytest.raises(Conflict):
        await db.files.update(UPLOADER, file.id, FileChanges(name="c.fq"), expected_version=ended.version)


async def test_what_cannot_be_is_refused(db: Database, clock: SteppingClock) -> None:
    file, past = await ready_file(db), timestamp(clock.moment - timedelta(seconds=1))
    for changes in (FileChanges(expires_at=past), FileChanges(name=""), FileChanges(name="a\0b")):
        with pytest.raises(BadUserInput):
            await db.files.update(UPLOADER, file.id, changes)
    with pytest.raises(BadUserInput, match="expired already"):
        await db.files.begin(UPLOADER, "a.fq", FileType.READS, past)
    with pytest.raises(NotFound):
        await db.files.update(UPLOADER, "unknown0", FileChanges(name="b.fq"))
    assert await db.files.get(UPLOADER, file.id) == file


async def test_an_upload_that_is_changed_on_its_way_is_finished(db: Database) -> None:
    begun = await begun_file(db)
    await db.files.update(UPLOADER, begun.id, FileChanges(name="b.fq"))
    finished = await db.files.finish(begun, len(READS))
    assert (finished.name, finished.ready) == ("b.fq", True)


async def test_of_many_who_import_one_source_one_does(db: Database) -> None:
    begun = await asyncio.gather(*(db.files.begin_import("a.fq", "the same key") for _ in range(20)))
    (file,) = [row for row in begun if row is not None]
    assert await db.files.imported("the same key") == file
    assert (file.user_id, file.type, file.ready) == (None, FileType.READS, False)
    await db.files.abandon(file)
    assert await db.files.imported("the same key") is None


async def test_a_file_becomes_ready_when_it_is_finished(db: Database) -> None:
    begun = await begun_file(db)
    assert (begun.ready, begun.size, begun.uploaded_at) == (False, None, None)
    finished = await db.files.finish(begun, len(READS))
    assert (finished.ready, finished.size, finished.uploaded_at is not None) == (True, len(READS), True)
    assert await db.files.get(STRANGER, begun.id) == finished


async def test_a_name_is_never_a_path(db: Database) -> None:
    file = await db.files.begin(UPLOADER, "../../etc/passwd", FileType.READS)
    assert file.name == "passwd"
    assert db.places.file(file.id).parent == db.places.files
    for name in ("a\0b", "x" * 10_000, "..", ""):
        with pytest.raises(BadUserInput):
            await db.files.begin(UPLOADER, name, FileType.READS)
    assert await db.files.count(STRANGER) == 1


async def test_an_abandoned_upload_leaves_neither_row_nor_bytes(db: Database) -> None:
    file = await begun_file(db)
    await db.files.abandon(file)
    assert await db.files.count(STRANGER) == 0
    assert not db.places.file(file.id).exists()
    await db.files.abandon(file)


async def test_abandoning_leaves_a_finished_upload_alone(db: Database) -> None:
    begun = await begun_file(db)
    finished = await db.files.finish(begun, len(READS))
    await db.files.abandon(begun)
    assert await db.files.get(STRANGER, begun.id) == finished
    assert db.places.file(begun.id).exists()


async def test_an_upload_whose_row_went_away_cannot_be_finished(db: Database) -> None:
    file = await begun_file(db)
    await db.files.delete(REMOVER, file.id)
    with pytest.raises(Conflict, match="deleted while"):
        await db.files.finish(file, len(READS))


async def test_a_reserved_file_stays_and_says_for_whom_if_one_may_know(db: Database) -> None:
    sample = await stored_sample(db, name="Leaf 1", all_read=False)
    with pytest.raises(Conflict, match=r"used by the sample “Leaf 1”"):
        await db.files.delete(ADMINISTRATOR, sample.file_ids[0])
    with pytest.raises(Conflict, match=r"used by a sample and"):
        await db.files.delete(REMOVER, sample.file_ids[0])
    assert db.places.file(sample.file_ids[0]).exists()


async def test_a_file_that_is_imported_stays_and_says_for_which_reference_if_one_may_know(db: Database) -> None:
    reference = await stored_reference(db, "Plant Viruses")
    file = await ready_file(db, "reference.json.gz", FileType.REFERENCE)
    assert (await reserve_reference_file(db.store, file.id, reference.id)).reserved_by == reference.id
    with pytest.raises(Conflict, match=r"used by the reference “Plant Viruses” and"):
        await db.files.delete(ADMINISTRATOR, file.id)
    with pytest.raises(Conflict, match=r"used by a reference and"):
        await db.files.delete(REMOVER, file.id)
    await release(db.store, reference.id)
    await db.files.delete(REMOVER, file.id)


async def test_which_files_a_reference_can_be_made_from(db: Database) -> None:
    reads = await ready_file(db)
    with pytest.raises(BadUserInput, match="not uploaded as a reference"):
        await reserve_reference_file(db.store, reads.id, "r")
    begun = await begun_file(db, "reference.json.gz", FileType.REFERENCE)
    with pytest.raises(Conflict, match="still being uploaded"):
        await reserve_reference_file(db.store, begun.id, "r")
    for id in ("nothing0", "../etc"):
        with pytest.raises(NotFound, match="File not found"):
            await reserve_reference_file(db.store, id, "r")


async def test_of_many_references_one_takes_a_file(db: Database) -> None:
    file = await ready_file(db, "reference.json.gz", FileType.REFERENCE)
    takes = (reserve_reference_file(db.store, file.id, f"r{number}") for number in range(10))
    answers = await asyncio.gather(*takes, return_exceptions=True)
    assert sum(isinstance(answer, File) for answer in answers) == 1
    assert sum(isinstance(answer, Conflict) for answer in answers) == 9


async def test_of_many_who_delete_one_does(db: Database) -> None:
    file = await ready_file(db)
    answers = await asyncio.gather(*(db.files.delete(REMOVER, file.id) for _ in range(20)), return_exceptions=True)
    assert [answer for answer in answers if isinstance(answer, File)] == [file]
    assert sum(isinstance(answer, NotFound | Conflict) for answer in answers) == 19


async def test_a_file_is_not_deleted_while_it_is_being_reserved(db: Database) -> None:
    file = await ready_file(db)
    async with db.store.transaction() as documents:
        await documents.replace(structs.replace(file, reserved_by="sample00"))
        deleting = asyncio.ensure_future(db.files.delete(REMOVER, file.id))
        await asyncio.wait([deleting], timeout=0.2)
    with pytest.raises(Conflict):
        await deleting
    assert db.places.file(file.id).exists()
