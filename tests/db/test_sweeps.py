import asyncio
import os
from datetime import timedelta
from pathlib import Path

from msgspec import structs

from tests.factories.database import SteppingClock
from tests.factories.files import begun_file, ready_file
from tests.factories.otus import full_otu, joined_isolate, joined_sequence, stored_otu
from tests.factories.references import stored_reference
from tests.factories.samples import stored_sample
from tests.factories.users import stored_user, viewer_named
from virtool_gql.db.database import Database
from virtool_gql.db.files import FileChanges
from virtool_gql.db.otu_entries import at_version, new_entry
from virtool_gql.db.otu_writes import Stored, write_change
from virtool_gql.models.changes import Operation
from virtool_gql.models.documents import timestamp
from virtool_gql.models.files import FileType
from virtool_gql.models.history import HistoryEntry, Verb
from virtool_gql.models.joined import JoinedOTU
from virtool_gql.models.users import Permission
from virtool_gql.query import Eq

VIEWER = viewer_named("uploader", Permission.UPLOAD_FILE)
ADMINISTRATOR = viewer_named("admin", administrator=True)
LONG = timedelta(minutes=11)


def touch(db: Database, name: str, clock: SteppingClock, age: timedelta) -> None:
    touch_path(db.places.files / name, clock, age)


def touch_path(path: Path, clock: SteppingClock, age: timedelta) -> None:
    at = (clock.moment - age).timestamp()
    os.utime(path, (at, at))


async def test_uploads_that_nobody_writes_to_are_removed(db: Database, clock: SteppingClock) -> None:
    idle, written, finished = await begun_file(db), await begun_file(db), await ready_file(db)
    without_bytes = await db.files.begin(VIEWER, "reads.fq", FileType.READS)
    clock.moment += LONG
    new = await db.files.begin(VIEWER, "reads.fq", FileType.READS)
    for file in (idle, finished):
        touch(db, file.id, clock, LONG)
    touch(db, written.id, clock, timedelta(minutes=9))
    assert await db.sweeps.remove_abandoned_uploads() == 2
    left = {file.id for file in (await db.files.find(VIEWER)).documents}
    assert left == {written.id, finished.id, new.id}
    assert without_bytes.id not in left
    assert sorted(path.name for path in db.places.files.iterdir()) == sorted([written.id, finished.id])
    assert await db.sweeps.remove_abandoned_uploads() == 0


async def test_what_has_expired_goes_and_is_told_of(db: Database, clock: SteppingClock) -> None:
    at = timestamp(clock.moment + timedelta(hours=1))
    expiring, lasting, changed = [await ready_file(db) for _ in range(3)]
    for file in (expiring, changed):
        await db.files.update(ADMINISTRATOR, file.id, FileChanges(expires_at=at))
    assert await db.sweeps.remove_expired() == 0
    await db.files.update(ADMINISTRATOR, changed.id, FileChanges(expires_at=None))
    changes = db.files.changes(lambda: VIEWER, ids=[expiring.id])
    told = asyncio.ensure_future(anext(changes))
    await asyncio.sleep(0)
    clock.moment += timedelta(hours=1)
    assert await db.sweeps.remove_expired() == 1
    while (change := await told).operation is not Operation.DELETE:
        told = asyncio.ensure_future(anext(changes))
    await changes.aclose()
    assert change.ids == (expiring.id,)
    assert sorted(path.name for path in db.places.files.iterdir()) == sorted([lasting.id, changed.id])
    assert await db.sweeps.remove_expired() == 0


async def test_what_is_being_used_or_uploaded_expires_later(db: Database, clock: SteppingClock) -> None:
    at = timestamp(clock.moment + timedelta(hours=1))
    sample = await stored_sample(db, owner="owner")
    await db.files.update(ADMINISTRATOR, sample.file_ids[0], FileChanges(expires_at=at))
    begun = await db.files.begin(VIEWER, "reads.fq", FileType.READS, at)
    clock.moment += timedelta(hours=1)
    assert await db.sweeps.remove_expired() == 0
    await db.samples.delete(viewer_named("owner"), sample.id)
    await db.files.finish(begun, 0)
    assert await db.sweeps.remove_expired() == 2
    assert await db.files.count(VIEWER) == 0


async def test_all_that_is_unfinished_goes_when_nobody_else_is_at_work(db: Database, clock: SteppingClock) -> None:
    begun, finished = await begun_file(db), await ready_file(db)
    db.places.sample("deleted0").mkdir()
    db.places.deletion_mark("deleted0").touch()
    for path in (db.places.file(begun.id), db.places.deletion_mark("deleted0")):
        touch_path(path, clock, timedelta(0))
    clock.moment += timedelta(milliseconds=1)
    await db.sweeps.remove_unfinished()
    assert [file.id for file in (await db.files.find(VIEWER)).documents] == [finished.id]
    assert [path.name for path in db.places.files.iterdir()] == [finished.id]
    assert list(db.places.samples.iterdir()) == []


async def test_the_reads_of_deleted_samples_are_removed(db: Database, clock: SteppingClock) -> None:
    sample = await stored_sample(db)
    for id in (sample.id, "deleted0", "young000", "unasked0"):
        db.places.sample(id).mkdir()
        db.places.reads(id, 1).write_bytes(b"")
    for id, age in ((sample.id, LONG), ("deleted0", LONG), ("young000", timedelta(minutes=9))):
        db.places.deletion_mark(id).touch()
        touch_path(db.places.deletion_mark(id), clock, age)
    (db.places.samples / "README").write_bytes(b"")
    assert await db.sweeps.remove_deleted_samples() == 1
    left = {path.name for path in db.places.samples.iterdir()}
    assert left == {sample.id, "young000", "unasked0", "README"}
    assert await db.sweeps.remove_deleted_samples() == 0


async def test_a_sample_is_marked_before_it_is_deleted(db: Database, clock: SteppingClock) -> None:
    sample = await stored_sample(db, owner="owner")
    folder = db.places.sample(sample.id)
    folder.mkdir()
    held = folder.rename(folder.with_suffix(".held"))
    folder.symlink_to(held)  # which rmtree refuses, as if the server were killed before it
    await db.samples.delete(viewer_named("owner"), sample.id)
    folder.unlink()
    held.rename(folder)
    touch_path(db.places.deletion_mark(sample.id), clock, LONG)
    assert await db.sweeps.remove_deleted_samples() == 1
    assert not folder.exists()


async def test_diffs_of_changes_that_came_to_nothing_are_removed(each_db: Database, clock: SteppingClock) -> None:
    """A server that is killed between the file and the commit leaves a file that no later entry reads."""
    await stored_user(each_db, "somebody")
    before = await stored_otu(each_db, (await stored_reference(each_db)).id, full_otu("apple"))
    lost = await large_change(each_db, before, "T")
    assert lost.diff_file is not None
    written = await write_change(
        each_db.instance,
        each_db.store,
        before,
        with_large_sequence(before.joined, "A"),
        verb=Verb.EDIT,
        description="",
        user_id="owner",
        at=clock(),
    )
    assert written is not None
    assert len(list(each_db.places.history.iterdir())) == 2
    assert await each_db.sweeps.remove_stray_diffs() == 0
    for path in each_db.places.history.iterdir():
        touch_path(path, clock, timedelta(days=1, minutes=1))
    assert await each_db.sweeps.remove_stray_diffs() == 1
    assert not each_db.places.history_diff(lost.diff_file).exists()
    assert await at_version(each_db.store, each_db.instance, "apple", 0) == before.joined
    await each_db.store.delete(*(await each_db.store.find(HistoryEntry, Eq("id", "apple_1"))).documents)
    assert await each_db.sweeps.remove_stray_diffs() == 1
    assert list(each_db.places.history.iterdir()) == []


def with_large_sequence(otu: JoinedOTU, base: str) -> JoinedOTU:
    large = joined_isolate("large", [joined_sequence("larges", sequence=base * 1_200_000)])
    return structs.replace(otu, isolates=(*otu.isolates, large))


async def large_change(db: Database, before: Stored, base: str) -> HistoryEntry:
    """Make the entry of a change, whose diff lies in a file, and do not insert it."""
    return await new_entry(
        db.instance,
        before.joined,
        with_large_sequence(before.joined, base),
        verb=Verb.EDIT,
        description="",
        place=1,
        reference_id=before.otu.reference_id,
        user_id="owner",
        at=db.instance.clock(),
    )


async def test_a_database_without_users_removes_no_diffs(db: Database, clock: SteppingClock) -> None:
    before = await stored_otu(db, (await stored_reference(db)).id)
    await large_change(db, before, "T")
    (path,) = db.places.history.iterdir()
    touch_path(path, clock, timedelta(days=2))
    assert await db.sweeps.remove_stray_diffs() == 0
    await stored_user(db, "somebody")
    (db.places.history / "Notes.txt").touch()
    assert await db.sweeps.remove_stray_diffs() == 1
    assert [left.name for left in db.places.history.iterdir()] == ["Notes.txt"]
