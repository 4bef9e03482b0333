import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.tasks.writer import another_process
from virtool_gql.tasks.writers import Writers, _open_for_writing, is_remote


@contextmanager
def opened(path: Path) -> Iterator[int]:
    handle = os.open(path, os.O_RDONLY)
    yield handle
    os.close(handle)


def test_a_file_that_another_process_has_open_for_writing_is_known(tmp_path: Path) -> None:
    path = tmp_path / "a"
    with another_process() as writer:
        writer.open(path)
        with opened(path) as handle:
            assert Writers().has_one(handle) is True
            writer.close(path)
            assert Writers().has_one(handle) is False


def test_readers_are_no_writers(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_text("x")
    with another_process() as reader, opened(path) as handle:
        reader.open(path, "r")
        assert Writers().has_one(handle) is False
        path.write_text("no lease is left that would hold this up")


def test_of_another_machine_nothing_is_known(tmp_path: Path) -> None:
    writers = Writers()
    writers.remote = True
    (tmp_path / "a").write_text("x")
    with opened(tmp_path / "a") as handle:
        assert writers.has_one(handle) is None
        with (tmp_path / "a").open("a"):
            assert writers.has_one(handle) is True


def test_where_there_are_no_leases_nothing_is_sure() -> None:
    """As on some file systems, none is given on a pipe."""
    reading, writing = os.pipe()
    assert Writers().has_one(reading) is None
    os.close(reading)
    os.close(writing)


def test_the_open_files_of_processes_are_read(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_text("x")
    inode = (path.stat().st_dev, path.stat().st_ino)
    with another_process() as writer:
        writer.open(path, "r")
        assert inode not in set(_open_for_writing())
        writer.close(path)
        for mode in ("a", "r+"):
            writer.open(path, mode)
            assert inode in set(_open_for_writing())
            writer.close(path)


def test_a_folder_of_this_machine_is_not_remote(tmp_path: Path) -> None:
    assert is_remote(tmp_path) is False
