"""The files folder and its rows, held against one another."""

import os
from datetime import timedelta
from pathlib import Path

import pytest
from msgspec import structs

from tests.factories.database import SteppingClock
from tests.factories.files import begun_file, ready_file
from tests.factories.samples import stored_sample
from tests.factories.users import stored_user, viewer_named
from virtool_gql.db.database import Database
from virtool_gql.db.stored_bytes import StoredBytes
from virtool_gql.models.jobs import Job
from virtool_gql.workflows import CreateSample, Workflow

VIEWER = viewer_named("someone")
GRACE = timedelta(hours=24)


@pytest.fixture
async def stored(db: Database) -> StoredBytes:
    """Give the bytes of a database that somebody uses."""
    await stored_user(db, "ada")
    stored = StoredBytes(db.instance, GRACE)
    assert await stored.remove_lost_rows() == 0
    return stored


def put(db: Database, name: str, clock: SteppingClock, age: timedelta = GRACE) -> Path:
    path = db.places.files / name
    path.write_bytes(b"@read")
    at = (clock.moment - age).timestamp()
    os.utime(path, (at, at))
    return path


def names(db: Database) -> list[str]:
    return sorted(path.name for path in db.places.files.iterdir())


async def ids(db: Database) -> set[str]:
    return {file.id for file in (await db.files.find(VIEWER)).documents}


async def test_a_row_whose_bytes_were_removed_goes(db: Database, stored: StoredBytes) -> None:
    kept, lost, also_lost = [await ready_file(db) for _ in range(3)]
    on_its_way = await db.files.begin(viewer_named("a", administrator=True), "a.fq", kept.type)
    db.places.file(lost.id).unlink()
    db.places.file(also_lost.id).unlink()
    assert await stored.remove_lost_rows([lost.id, kept.id, "unknown0", ".hidden"]) == 1
    assert await ids(db) == {kept.id, also_lost.id, on_its_way.id}
    assert await stored.remove_lost_rows() == 1
    assert await ids(db) == {kept.id, on_its_way.id}


async def test_of_many_rows_those_without_bytes_go(db: Database, stored: StoredBytes) -> None:
    files = [await ready_file(db) for _ in range(5)]
    rows = [structs.replace(files[0], id=f"lost{number:04}", version=0) for number in range(450)]
    await db.store.insert(*rows)
    assert await stored.remove_lost_rows() == 450
    assert await ids(db) == {file.id for file in files}


async def test_a_reserved_row_goes_when_it_is_released(db: Database, stored: StoredBytes) -> None:
    sample = await stored_sample(db, owner="owner")
    db.places.file(sample.file_ids[0]).unlink()
    assert await stored.remove_lost_rows() == 0
    await db.samples.delete(viewer_named("owner"), sample.id)
    assert await stored.remove_lost_rows() == 1


async def test_a_folder_that_is_not_mounted_costs_no_rows(
    db: Database, stored: StoredBytes, caplog: pytest.LogCaptureFixture
) -> None:
    del stored
    file = await ready_file(db)
    db.places.files_mark.unlink()  # nothing of the data path is there
    db.places.file(file.id).rename(db.places.data_path / "elsewhere")
    again = StoredBytes(db.instance, GRACE)
    for _ in range(2):
        assert await again.remove_lost_rows() == 0
    assert [record.getMessage() for record in caplog.records if "mounted" in record.getMessage()] == [
        f"None of the files that the database knows is in {db.places.files}; is it mounted? No row is removed."
    ]
    db.places.files.rmdir()
    assert await again.remove_lost_rows() == 0
    db.places.files.mkdir()
    (db.places.data_path / "elsewhere").rename(db.places.file(file.id))
    assert await again.remove_lost_rows() == 0
    db.places.file(file.id).unlink()
    assert await again.remove_lost_rows() == 1


async def test_a_database_without_users_removes_nothing(db: Database, clock: SteppingClock) -> None:
    stored = StoredBytes(db.instance, GRACE)
    assert await stored.remove_lost_rows() == 0
    file = await ready_file(db)
    db.places.file(file.id).unlink()
    put(db, "ofothers", clock)
    for _ in range(2):
        assert await stored.remove_strays() == 0
        assert await stored.remove_lost_rows() == 0
        clock.moment += GRACE
    assert names(db) == ["ofothers"]
    assert await ids(db) == {file.id}


async def test_bytes_of_no_row_are_told_of_once_and_go_after_the_grace_time(
    db: Database, stored: StoredBytes, clock: SteppingClock, caplog: pytest.LogCaptureFixture
) -> None:
    file, coming = await ready_file(db), await begun_file(db)
    for number in range(7):
        put(db, f"stray{number}", clock)
    put(db, "reads of Ada.fq", clock)
    put(db, ".nfs0001", clock)
    (db.places.files / "folder").mkdir()
    (db.places.files / "link").symlink_to("folder")
    for _ in range(2):
        assert await stored.remove_strays() == 0
        clock.moment += GRACE / 3
    (told,) = [record.getMessage() for record in caplog.records]
    assert told.startswith(f"8 files in {db.places.files} belong to no row and will be removed after 24 hours")
    assert told.endswith("'reads of Ada.fq', 'stray0', 'stray1', 'stray2', 'stray3', ...")
    clock.moment += GRACE
    assert await stored.remove_strays() == 8
    assert names(db) == sorted([".nfs0001", "folder", "link", file.id, coming.id])


async def test_bytes_that_somebody_writes_or_whose_row_comes_late_stay(
    db: Database, stored: StoredBytes, clock: SteppingClock
) -> None:
    late = structs.replace(await ready_file(db), id="late0000", version=0)
    put(db, "written0", clock, timedelta(0))
    put(db, late.id, clock)
    assert await stored.remove_strays() == 0
    clock.moment += GRACE
    put(db, "written0", clock, GRACE / 2)
    await db.store.insert(late)
    assert await stored.remove_strays() == 0
    assert {"written0", late.id} <= set(names(db))


async def test_what_a_job_was_given_stays(db: Database, stored: StoredBytes, clock: SteppingClock) -> None:
    path = put(db, "needed00", clock)
    job: Job = db.jobs.new(Workflow.CREATE_SAMPLE, CreateSample(sample_id="s1", file_ids=("needed00",)), "owner")
    job = (await db.store.insert(job))[0]
    assert await stored.remove_strays() == 0
    clock.moment += GRACE + timedelta(seconds=1)
    assert await stored.remove_strays() == 0
    assert path.exists()
    await db.store.delete(job)
    assert await stored.remove_strays() == 1
