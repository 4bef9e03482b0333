"""Diffs that are too large for a document: files below the data path, each of its own name.

A file is written and on the disk before the transaction that inserts its entry. Its name holds a part that is new for
each attempt, so that a file of an attempt that came to nothing is read by no later entry of the same id; a sweep
removes it.
"""

import gzip
import os
from collections.abc import Iterable
from pathlib import Path

from virtool_gql.db.files import remove_file
from virtool_gql.db.instance import Instance
from virtool_gql.errors import UpstreamUnavailable
from virtool_gql.executors import run_in_thread
from virtool_gql.models.history import HistoryEntry

FAST = 1


def entry_id_of(diff_file: str) -> str:
    """Give the id of the entry that a file is the diff of."""
    return diff_file.rpartition("_")[0]


async def write_diff(instance: Instance, entry_id: str, diff: str) -> str:
    """Put a diff on the disk, where it survives a power cut; give the name of its file."""
    name = f"{entry_id}_{instance.new_id()}"
    await run_in_thread(_write, instance.places.history_diff(name), diff)
    return name


def _write(path: Path, diff: str) -> None:
    with path.open("xb") as file:
        with gzip.GzipFile(fileobj=file, mode="wb", compresslevel=FAST) as packed:
            packed.write(diff.encode())
        file.flush()
        os.fsync(file.fileno())
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


async def read_diff(instance: Instance, diff_file: str) -> str:
    return await run_in_thread(_read, instance.places.history_diff(diff_file))


def _read(path: Path) -> str:
    try:
        with gzip.open(path) as file:
            return file.read().decode()
    except (OSError, EOFError) as error:
        raise UpstreamUnavailable(f"The diff of a change cannot be read from the file {path.name}.") from error


async def remove_diffs(instance: Instance, entries: Iterable[HistoryEntry]) -> None:
    """Remove the files of entries that are gone, after the transaction in which they went."""
    paths = [instance.places.history_diff(entry.diff_file) for entry in entries if entry.diff_file]
    if paths:
        await run_in_thread(_remove, paths)


def _remove(paths: Iterable[Path]) -> None:
    for path in paths:
        remove_file(path)
