"""Files and their rows, while the server runs."""

import os
from datetime import timedelta

from tests.factories.conditions import until
from tests.factories.database import SteppingClock
from tests.factories.files import ready_file
from tests.factories.users import stored_user
from tests.tasks.watching import files
from virtool_gql.db.database import Database
from virtool_gql.tasks.file_sync import FileSync

GRACE = timedelta(hours=24)


async def rows_are(db: Database, *ids: str) -> None:
    async def alike() -> bool:
        return {row.id for row in await files(db)} == set(ids)

    await until(alike)


async def test_rows_follow_their_bytes_at_once(db: Database) -> None:
    await stored_user(db, "ada")
    async with FileSync(db.instance, grace=GRACE).running():
        kept, removed, moved = [await ready_file(db) for _ in range(3)]
        await until(db.places.files_mark.exists)
        db.places.file(removed.id).unlink()
        await rows_are(db, kept.id, moved.id)
        db.places.file(moved.id).rename(db.places.data_path / "elsewhere")
        await rows_are(db, kept.id)


async def test_what_was_removed_before_the_start_is_found(db: Database) -> None:
    await stored_user(db, "ada")
    async with FileSync(db.instance, grace=GRACE).running():
        await until(db.places.files_mark.exists)
    kept, removed = await ready_file(db), await ready_file(db)
    db.places.file(removed.id).unlink()
    async with FileSync(db.instance, grace=GRACE).running():
        await rows_are(db, kept.id)


async def test_strays_go_after_their_grace_time(db: Database, clock: SteppingClock) -> None:
    await stored_user(db, "ada")
    kept = await ready_file(db)
    stray = db.places.files / "stray000"
    stray.write_bytes(b"")
    os.utime(stray, (0, 0))
    async with FileSync(db.instance, grace=timedelta(seconds=1)).running():
        await until(db.places.files_mark.exists)
        clock.moment += GRACE
        await until(lambda: not stray.exists())
    assert db.places.file(kept.id).exists()
