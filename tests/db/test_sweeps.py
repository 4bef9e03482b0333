import os
from datetime import timedelta

from tests.factories.database import SteppingClock
from tests.factories.files import begun_file, ready_file
from tests.factories.users import stored_user, viewer_named
from virtool_gql.db.database import Database
from virtool_gql.models.files import FileType
from virtool_gql.models.users import Permission

VIEWER = viewer_named("uploader", Permission.UPLOAD_FILE)
LONG = timedelta(minutes=11)


def touch(db: Database, name: str, clock: SteppingClock, age: timedelta) -> None:
    at = (clock.moment - age).timestamp()
    os.utime(db.places.files / name, (at, at))


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


async def test_a_database_in_which_nothing_is_yet_removes_nothing(db: Database, clock: SteppingClock) -> None:
    (db.places.files / "ofothers").write_bytes(b"@read")
    touch(db, "ofothers", clock, LONG)
    assert await db.sweeps.remove_stray_bytes() == 0
    assert (db.places.files / "ofothers").exists()


async def test_bytes_without_a_row_are_removed(db: Database, clock: SteppingClock) -> None:
    await stored_user(db, "ada")
    file = await ready_file(db)
    for name in ("stray000", "young000", "not ours.txt"):
        (db.places.files / name).write_bytes(b"")
        touch(db, name, clock, LONG)
    touch(db, file.id, clock, LONG)
    touch(db, "young000", clock, timedelta(minutes=9))
    (db.places.files / "folder00").mkdir()
    touch(db, "folder00", clock, LONG)
    assert await db.sweeps.remove_stray_bytes() == 1
    left = sorted(path.name for path in db.places.files.iterdir())
    assert left == sorted([file.id, "young000", "not ours.txt", "folder00"])
    assert await db.sweeps.remove_stray_bytes() == 0
