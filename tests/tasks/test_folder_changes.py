"""Hearing of changes, with real folders."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from watchfiles import Change

from tests.factories.conditions import until
from virtool_gql.cancellation import cancelled
from virtool_gql.tasks.folder_changes import watch


@asynccontextmanager
async def heard_in(folder: Path, change: Change, *, polling: bool) -> AsyncIterator[set[str]]:
    """Collect the names that are told, after the watch has begun."""
    names: set[str] = set()
    begun = asyncio.Event()

    def hear(paths: Collection[Path]) -> None:
        begun.set()
        names.update(path.name for path in paths)

    task = asyncio.create_task(watch(folder, change, hear, polling=polling))
    async with asyncio.timeout(20):
        await begun.wait()
    yield names
    await cancelled(task)


@pytest.mark.parametrize("polling", [False, True])
async def test_what_is_added_and_what_is_removed_is_told(tmp_path: Path, polling: bool) -> None:
    outside, folder = tmp_path / "outside", tmp_path / "folder"
    folder.mkdir()
    outside.write_bytes(b"")
    async with (
        heard_in(folder, Change.added, polling=polling) as added,
        heard_in(folder, Change.deleted, polling=polling) as removed,
    ):
        (folder / "made").write_bytes(b"")
        outside.rename(folder / "moved")
        await until(lambda: added >= {"made", "moved"})
        (folder / "made").unlink()
        (folder / "moved").rename(outside)
        await until(lambda: removed >= {"made", "moved"})


async def test_a_folder_that_is_made_anew_is_heard_of(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    async with heard_in(folder, Change.added, polling=False) as added:
        shutil.rmtree(folder)
        folder.mkdir()
        for number in range(200):
            (folder / str(number)).write_bytes(b"")
            if added:
                break
            await asyncio.sleep(0.1)
    assert added
