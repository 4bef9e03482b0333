"""Hearing of changes in a folder: by the system where it tells of them, else by looking again and again."""

import asyncio
import logging
import os
from collections.abc import Callable, Collection
from pathlib import Path

from watchfiles import Change, awatch

from virtool_gql.executors import run_in_thread
from virtool_gql.tasks.writers import is_remote

log = logging.getLogger(__name__)
logging.getLogger("watchfiles").setLevel(logging.WARNING)  # it tells of each change

POLL_SECONDS = 2.0
LOOK_SECONDS = 1.0
RETRY_SECONDS = 5.0
GATHER_SECONDS = 0.4

OnChange = Callable[[Collection[Path]], None]


async def watch(folder: Path, change: Change, on_change: OnChange, *, polling: bool) -> None:
    """Tell of one kind of change in a folder for ever; also when the folder comes late, or is another one.

    Soon after the watch has begun it tells of no change in particular: there may have been some before.
    """
    told = ""
    while True:
        remote = polling or await run_in_thread(_is_remote, folder)
        try:
            await _watch(folder, change, on_change, polling=remote)
        except (OSError, RuntimeError) as error:  # of watchfiles' own class, and of the system
            if await run_in_thread(folder.is_dir) and not polling:
                log.warning("Nothing tells of changes in %s (%s); it is looked at again and again.", folder, error)
                polling = True
            elif told != str(error):
                told = str(error)
                log.debug("The folder %s cannot be watched now: %s", folder, error)
        await asyncio.sleep(0 if polling and not remote else RETRY_SECONDS)


async def _watch(folder: Path, wanted: Change, on_change: OnChange, *, polling: bool) -> None:
    """Tell of changes until another folder lies there."""
    handle = await run_in_thread(os.open, folder, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        await _watch_open(folder, handle, wanted, on_change, polling=polling)
    finally:
        os.close(handle)


async def _watch_open(folder: Path, handle: int, wanted: Change, on_change: OnChange, *, polling: bool) -> None:
    inode = os.fstat(handle).st_ino  # which no other folder is given while this one is open
    changes = awatch(
        folder,
        watch_filter=lambda change, path: change is wanted and Path(path) != folder,
        recursive=False,
        force_polling=polling,
        poll_delay_ms=int(POLL_SECONDS * 1000),
        debounce=int(GATHER_SECONDS * 1000),
        rust_timeout=int(LOOK_SECONDS * 1000),
        yield_on_timeout=True,
    )
    heard = False
    async for seen in changes:
        if seen or not heard:
            heard = True
            on_change([Path(path) for _, path in seen])
        if not seen and (await run_in_thread(folder.stat)).st_ino != inode:
            return


def _is_remote(folder: Path) -> bool:
    try:
        return is_remote(folder)
    except OSError:
        return False
