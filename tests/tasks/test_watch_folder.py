"""The watch directory, with real processes that write to it."""

import asyncio
import gzip
import os
import shutil
import time
from itertools import pairwise
from pathlib import Path

import pytest

from tests.factories.conditions import until
from tests.tasks.watching import READS, files, folder_of, imported, rejected, watched
from tests.tasks.writer import Writer, another_process
from virtool_gql.access import Viewer
from virtool_gql.db.database import Database
from virtool_gql.models.changes import Operation
from virtool_gql.models.files import File, FileType
from virtool_gql.tasks import watch_folder
from virtool_gql.tasks.sources import Source, copy
from virtool_gql.tasks.watch_folder import WatchFolder
from virtool_gql.tasks.writers import Writers

VIEWER = Viewer(user_id="someone", handle="someone")
RECORD = READS.decode()


def names_in(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


async def test_what_is_put_into_the_folder_becomes_a_file(db: Database) -> None:
    async with watched(db) as folder:
        packed = gzip.compress(READS * 1000)
        (folder / "a.fq.gz").write_bytes(packed)
        (folder / "B.FASTQ").write_bytes(READS)
        rows = await imported(db, "B.FASTQ", "a.fq.gz")
    assert [(row.type, row.user_id, row.size) for row in rows] == [
        (FileType.READS, None, len(READS)),
        (FileType.READS, None, len(packed)),
    ]
    assert db.places.file(rows[1].id).read_bytes() == packed
    assert names_in(folder) == []


async def test_what_lay_there_before_is_imported_too(db: Database) -> None:
    folder_of(db).mkdir()
    (folder_of(db) / "a.fq").write_bytes(READS)
    async with watched(db):
        await imported(db, "a.fq")


async def test_by_looking_again_and_again_it_works_too(db: Database) -> None:
    async with watched(db, polling=True) as folder:
        await asyncio.to_thread((folder / "a.fq").write_bytes, READS)
        await imported(db, "a.fq")


async def test_a_file_on_its_way_is_shown_and_told_of(db: Database) -> None:
    changes = db.files.changes(lambda: VIEWER)
    waiting = asyncio.ensure_future(anext(changes))
    async with watched(db) as folder:
        (folder / "a.fq").write_bytes(READS)
        first = await waiting
        second = await anext(changes)
    await changes.aclose()
    assert (first.operation, first.document["ready"], first.document["name"]) == (Operation.INSERT, False, "a.fq")
    assert (second.operation, second.document["ready"]) == (Operation.UPDATE, True)
    assert "source_key" not in first.document


async def test_a_file_that_is_held_open_waits_however_long_it_is_quiet(db: Database) -> None:
    async with watched(db) as folder:
        with another_process() as writer:
            held = folder / "held.fq"
            writer.open(held)
            writer.write(held, RECORD)
            for number in range(3):  # each of them settles after the held one was quiet
                (folder / f"{number}.fq").write_bytes(READS)
                await imported(db, *(f"{earlier}.fq" for earlier in range(number + 1)))
            writer.write(held, RECORD)
            writer.close(held)
        rows = await imported(db, "0.fq", "1.fq", "2.fq", "held.fq")
    assert rows[-1].size == 2 * len(READS)


async def test_a_file_that_is_written_slowly_is_imported_whole_by_several_writers(db: Database) -> None:
    async with watched(db) as folder:
        with another_process() as one, another_process() as other:
            for _ in range(4):  # each opens and closes the file, and is quick enough for the quiet time
                for writer, name in ((one, "one.fq"), (other, "other.fq")):
                    await asyncio.to_thread(append, writer, folder / name)
                await asyncio.sleep(0.1)
        rows = await imported(db, "one.fq", "other.fq")
    assert [row.size for row in rows] == [4 * len(READS)] * 2


def append(writer: Writer, path: Path) -> None:
    writer.open(path, "a")
    writer.write(path, RECORD)
    writer.close(path)


@pytest.mark.parametrize("origin", ["a.fq.part", "../a.fq.part"])
async def test_a_file_that_is_renamed_into_place_is_imported(db: Database, origin: str) -> None:
    async with watched(db) as folder:
        (folder / origin).write_bytes(READS)
        (folder / "b.fq").write_bytes(READS)
        await imported(db, "b.fq")
        assert (folder / origin).exists()
        (folder / origin).rename(folder / "a.fq")
        await imported(db, "a.fq", "b.fq")


async def test_what_vanishes_leaves_nothing(db: Database) -> None:
    async with watched(db) as folder:
        (folder / "a.fq").write_bytes(READS)
        (folder / "a.fq").unlink()
        big = folder / "big.fq"
        big.write_bytes(READS * 4_000_000)
        await until(lambda: bool(names_in(db.places.files)))
        big.unlink()
        (folder / "b.fq").write_bytes(READS)
        await until(lambda: not (folder / "b.fq").exists())

        async def only_b() -> bool:
            return [row.name for row in await files(db)] == ["b.fq"]

        await until(only_b)
    (row,) = await files(db)
    assert names_in(db.places.files) == [row.id]


async def test_what_is_no_fastq_is_set_apart_with_the_reason(db: Database) -> None:
    reasons = {"a.txt": "name does not end", "b.fq": "empty", "c.fq.gz": "not compressed", "d.fastq": "FASTA"}
    async with watched(db) as folder:
        for name, content in zip(reasons, (READS, b"", READS, b">seq\nACGT\n"), strict=True):
            (folder / name).write_bytes(content)
        await until(lambda: all(reason in rejected(folder, name) for name, reason in reasons.items()))
        (folder / "a.txt").write_bytes(b"another")
        await until(lambda: bool(rejected(folder, "a (2).txt")))
    assert (folder / "rejected" / "a.txt").read_bytes() == READS
    assert await files(db) == []


async def test_folders_and_links_are_left_alone_and_told_of_once(
    db: Database, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("INFO", logger=watch_folder.__name__):
        async with watched(db) as folder:
            (folder / "run 7").mkdir()
            (folder / "run 7" / "inner.fq").write_bytes(READS)
            (folder / "link.fq").symlink_to(folder / "run 7" / "inner.fq")
            for number in range(2):
                (folder / f"{number}.fq").write_bytes(READS)
                await imported(db, *(f"{earlier}.fq" for earlier in range(number + 1)))
    assert (folder / "run 7" / "inner.fq").exists()
    assert (folder / "link.fq").is_symlink()
    told = [record.getMessage() for record in caplog.records if "Left alone" in record.getMessage()]
    assert "".join(told).count("'link.fq'") == 1
    assert "".join(told).count("'run 7'") == 1


async def test_the_same_name_and_bytes_again_are_another_file(db: Database) -> None:
    async with watched(db) as folder:
        for number in range(2):
            (folder / "a.fq").write_bytes(READS)
            await imported(db, *["a.fq"] * (number + 1))


async def test_the_very_file_that_was_imported_before_a_crash_is_removed_and_not_imported_again(db: Database) -> None:
    """As after a kill between the row's becoming ready and the removal of the source."""
    folder_of(db).mkdir()
    path = folder_of(db) / "a.fq"
    path.write_bytes(READS)
    row = await begun(db, path)
    db.places.file(row.id).write_bytes(READS)
    await db.files.finish(row, len(READS))
    async with watched(db):
        await until(lambda: not path.exists())
    assert [file.id for file in await files(db)] == [row.id]


def source_of(path: Path) -> Source:
    return Source.of(path.name, path.stat())


async def begun(db: Database, path: Path) -> File:
    row = await db.files.begin_import(path.name, source_of(path).key)
    assert row is not None
    return row


async def test_an_import_that_died_in_the_middle_is_begun_again(db: Database) -> None:
    folder_of(db).mkdir()
    path = folder_of(db) / "a.fq"
    path.write_bytes(READS)
    row = await begun(db, path)
    db.places.file(row.id).write_bytes(READS[:4])
    async with watched(db):
        (again,) = await imported(db, "a.fq")
    assert again.id != row.id
    assert names_in(db.places.files) == [again.id]


async def test_an_import_that_another_server_is_at_is_left_to_it(db: Database) -> None:
    folder_of(db).mkdir()
    path = folder_of(db) / "a.fq"
    path.write_bytes(READS)
    row = await begun(db, path)
    source = source_of(path)
    made = copy(folder_of(db), source, db.places.file(row.id), Writers(), lambda: False)
    async with watched(db) as folder:
        (folder / "b.fq").write_bytes(READS)
        await imported(db, "b.fq")
        assert [file.id for file in await files(db) if file.name == "a.fq"] == [row.id]
        await db.files.finish(row, len(READS))
        os.close(made)
        assert [file.id for file in await imported(db, "a.fq", "b.fq") if file.name == "a.fq"] == [row.id]


async def test_of_several_servers_one_imports_each_file(db: Database) -> None:
    names = [f"{number:02}.fq" for number in range(40)]
    async with watched(db) as folder, watched(db), watched(db):
        for name in names:
            (folder / name).write_bytes(READS)
        await imported(db, *names)
    assert len(names_in(db.places.files)) == 40


async def test_an_end_in_the_middle_of_a_copy_leaves_the_source_for_the_next_start(db: Database) -> None:
    async with watched(db) as folder:
        (folder / "big.fq").write_bytes(READS * 8_000_000)
        await until(lambda: bool(names_in(db.places.files)))
    assert await files(db) == []
    assert names_in(db.places.files) == []
    async with watched(db):
        await imported(db, "big.fq")


async def test_a_folder_that_is_missing_or_exchanged_is_found_again(
    db: Database, caplog: pytest.LogCaptureFixture
) -> None:
    folder = folder_of(db)
    folder.write_text("no folder")
    async with WatchFolder(folder, db.files, quiet_seconds=0.3).running():
        await until(lambda: any("cannot be used" in record.getMessage() for record in caplog.records))
        folder.unlink()
        await until(folder.is_dir)
        (folder / "a.fq").write_bytes(READS)
        await imported(db, "a.fq")
        shutil.rmtree(folder)
        folder.mkdir()
        (folder / "b.fq").write_bytes(READS)
        await imported(db, "a.fq", "b.fq")


async def test_the_event_loop_is_never_held_up(db: Database) -> None:
    ticks = [time.perf_counter()]

    async def tick() -> None:
        while True:
            await asyncio.sleep(0.001)
            ticks.append(time.perf_counter())

    task = asyncio.create_task(tick())
    names = [f"{number:03}.fq" for number in range(300)]
    async with watched(db) as folder:
        await asyncio.to_thread(lambda: [(folder / name).write_bytes(READS) for name in names])
        await until(lambda: len(names_in(db.places.files)) == len(names))
    task.cancel()
    gaps = sorted(later - earlier for earlier, later in pairwise(ticks))
    assert gaps[len(gaps) * 99 // 100] < 0.05
