"""The watch directory: who looks at it when, and how many files are imported at once."""

import asyncio
import logging
import os
import threading
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from watchfiles import Change

from virtool_gql.cancellation import cancelled
from virtool_gql.db.files import Files
from virtool_gql.errors import VirtoolError
from virtool_gql.executors import run_in_thread
from virtool_gql.tasks.folder_changes import watch
from virtool_gql.tasks.imports import Imports, Outcome
from virtool_gql.tasks.removal import mend
from virtool_gql.tasks.settling import FOR_GOOD, Candidate, Settling
from virtool_gql.tasks.sources import REJECTED, LeftAlone, Stopped
from virtool_gql.tasks.writers import Writers, is_remote

log = logging.getLogger(__name__)

COPIES_AT_ONCE = 2
LOOK_SECONDS = 30.0
RETRY_SECONDS = 5.0
LATER_SECONDS = 60.0
PAUSE_SECONDS = 0.1
BUSY_PART = 0.1
"""Looking at the folder takes no more than this part of the time, however many files are in it."""
NAMES_TOLD = 5


class WatchFolder:
    """Imports the FASTQ files of a folder by themselves."""

    def __init__(self, folder: Path, files: Files, *, quiet_seconds: float, polling: bool = False) -> None:
        self._folder = folder
        self._polling = polling
        self._stopped = threading.Event()
        self._woken = asyncio.Event()
        self._settled: asyncio.Queue[Candidate | None] = asyncio.Queue()
        self._writers = Writers()
        self._settling = Settling(folder, quiet_seconds)
        self._imports = Imports(folder, files, self._writers, quiet_seconds, self._stopped.is_set)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Import files while the block lasts; a copy that is not whole at its end is begun again the next time."""
        watching = asyncio.create_task(self._run())
        importing = [asyncio.create_task(self._import_all()) for _ in range(COPIES_AT_ONCE)]
        try:
            yield
        finally:
            self._stopped.set()
            await cancelled(watching)
            for _ in importing:
                self._settled.put_nowait(None)
            await asyncio.gather(*importing)

    async def _run(self) -> None:
        """Watch the folder; again from the start when something went wrong with it."""
        told = ""
        while True:
            try:
                await run_in_thread(_prepare, self._folder)
                told = ""
                await self._watch()
            except (OSError, LeftAlone) as error:
                reason = error.strerror if isinstance(error, OSError) else str(error)
                if told != reason:
                    log.warning("The watch folder %s cannot be used: %s. It is tried again.", self._folder, reason)
                told = str(reason)
            except Exception:
                log.exception("The watch folder goes on after a fault")
            await asyncio.sleep(RETRY_SECONDS)

    async def _watch(self) -> None:
        self._writers.remote = await run_in_thread(is_remote, self._folder)
        await run_in_thread(mend, self._folder, self._writers)
        log.info("FASTQ files in %s are imported by themselves.", self._folder.absolute())
        hearing = asyncio.create_task(
            watch(self._folder, Change.added, lambda _: self._woken.set(), polling=self._polling)
        )
        try:
            while True:
                await self._wait(await self._look())
        finally:
            await cancelled(hearing)

    async def _look(self) -> float:
        """Look at the folder once; give for how many seconds nothing new is to be expected."""
        self._woken.clear()
        begun = time.monotonic()
        await run_in_thread(_check_rights, self._folder)
        look = await run_in_thread(self._settling.look, begun)
        for candidate in look.settled:
            self._settled.put_nowait(candidate)
        if look.others:
            names = ", ".join(ascii(name) for name in look.others[:NAMES_TOLD])
            log.info(
                "Left alone in the watch folder are folders, links and the like: %d new, %s", len(look.others), names
            )
        now = time.monotonic()
        await asyncio.sleep(max(PAUSE_SECONDS, (now - begun) / BUSY_PART))
        return min(LOOK_SECONDS, look.next_due - now)

    async def _wait(self, seconds: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(max(0.0, seconds)):
                await self._woken.wait()

    async def _import_all(self) -> None:
        """Take one settled file after the other, until the end."""
        while (candidate := await self._settled.get()) is not None and not self._stopped.is_set():
            source = candidate.source
            outcome = await self._outcome(candidate)
            if outcome.message and self._settling.is_news(source, outcome.message):
                log.warning("%s", outcome.message)
            if outcome.again_seconds != FOR_GOOD:
                self._settling.again(source, time.monotonic() + outcome.again_seconds)
                self._woken.set()

    async def _outcome(self, candidate: Candidate) -> Outcome:
        shown = candidate.source.shown
        try:
            return await self._imports.take(candidate)
        except Stopped:
            return Outcome()
        except VirtoolError as error:
            return Outcome(RETRY_SECONDS, f"The file {shown} will be tried again: {error.message}")
        except OSError as error:
            return Outcome(LATER_SECONDS, f"The file {shown} will be tried again: {error.strerror}.")
        except Exception:
            log.exception("The file %s will be tried again", shown)
            return Outcome(LATER_SECONDS)


def _prepare(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    _check_rights(folder)


def _check_rights(folder: Path) -> None:
    if not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
        folder.stat()
        raise LeftAlone(
            f"the server's user must be allowed to read, write and enter it (and to make {REJECTED!r} in it)"
        )
