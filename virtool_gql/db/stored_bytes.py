"""The files folder and its collection held against one another: rows without bytes, and bytes without rows."""

import logging
import os
from collections.abc import AsyncIterator, Collection, Iterator
from contextlib import suppress
from datetime import timedelta
from itertools import islice
from pathlib import Path

from virtool_gql.db.files import remove_file
from virtool_gql.db.instance import Instance
from virtool_gql.db.users import any_users
from virtool_gql.errors import StaleDocument
from virtool_gql.executors import run_in_thread
from virtool_gql.files import ID
from virtool_gql.models.documents import Timestamp, moment_of
from virtool_gql.models.files import File
from virtool_gql.models.jobs import FINAL_STATES, Job, JobState
from virtool_gql.query import And, Eq, In, Order, Page
from virtool_gql.stores.documents import Documents

logger = logging.getLogger(__name__)

ROWS_AT_ONCE = 200
NAMES_TOLD = 5
AT_WORK = tuple(sorted(frozenset(JobState) - FINAL_STATES))


class StoredBytes:
    """The files folder of one data path; it remembers since when it has seen bytes without a row.

    A database without users has another one's data path by mistake, and removes nothing.
    """

    def __init__(self, instance: Instance, grace: timedelta) -> None:
        self._store = instance.store
        self._places = instance.places
        self._clock = instance.clock
        self._grace = grace
        self._strays: dict[str, Timestamp] = {}
        self._told_of_absence = False

    async def remove_lost_rows(self, ids: Collection[str] | None = None) -> int:
        """Remove the rows (of some ids, or all) whose bytes somebody removed; of what is being used, later."""
        if not await self._is_in_place():
            return 0
        names = await run_in_thread(_names, self._places.files)
        suspects = [row async for rows in _free(self._store, ids) for row in rows if row.id not in names]
        if suspects:
            # Listed again after the rows were read: whatever was ready by then is in it.
            names = await run_in_thread(_names, self._places.files)
        removed = sum([await self._remove_row(row) for row in suspects if row.id not in names])
        if removed:
            logger.info("%d files are gone from %s; their rows were removed.", removed, self._places.files)
        return removed

    async def _remove_row(self, row: File) -> bool:
        try:
            await self._store.delete(row)
        except StaleDocument:
            return False  # reserved or removed just now
        return True

    async def remove_strays(self) -> int:
        """Tell of bytes that belong to no row, and remove them when the grace time is over."""
        if not await any_users(self._store):
            return 0
        now = self._clock()
        names = await run_in_thread(lambda: sorted(_regular(self._places.files)))
        strays = await self._without_rows(names)
        new = [name for name in strays if name not in self._strays]
        self._strays = {name: self._strays.get(name, now) for name in strays}
        self._tell_of(new)
        over = [name for name, since in self._strays.items() if moment_of(now) - moment_of(since) >= self._grace]
        return await self._remove_bytes(over, now) if over else 0

    async def _remove_bytes(self, names: list[str], now: Timestamp) -> int:
        needed = await _needed_by_jobs(self._store)
        oldest = (moment_of(now) - self._grace).timestamp()
        strays = [name for name in await self._without_rows(names) if name not in needed]
        removed = await run_in_thread(lambda: [name for name in strays if self._remove_idle(name, oldest)])
        if removed:
            logger.warning("%d files of no row were removed: %s", len(removed), _listed(removed))
        return len(removed)

    def _remove_idle(self, name: str, oldest: float) -> bool:
        path = self._places.files / name
        try:
            if path.lstat().st_mtime > oldest:
                return False
        except FileNotFoundError:
            return False
        remove_file(path)
        return True

    async def _without_rows(self, names: list[str]) -> list[str]:
        known: set[str] = set()
        for some in _batches(name for name in names if ID.fullmatch(name)):
            known |= (await self._store.get_many(File, some)).keys()
        return [name for name in names if name not in known]

    def _tell_of(self, names: list[str]) -> None:
        if names:
            logger.warning(
                "%d files in %s belong to no row and will be removed after %g hours unless they are moved away: %s",
                *(len(names), self._places.files, self._grace / timedelta(hours=1), _listed(names)),
            )

    async def _is_in_place(self) -> bool:
        """Tell whether the folder is the one that the rows are about, and not the place where it should be mounted."""
        if await run_in_thread(self._is_as_marked):
            return await any_users(self._store)
        rows = (await self._store.find(File, Eq("ready", value=True), page=Page(first=ROWS_AT_ONCE))).documents
        names = await run_in_thread(_names, self._places.files)
        if rows and not any(row.id in names for row in rows):
            self._tell_of_absence()
            return False
        await run_in_thread(lambda: self._places.files_mark.write_text(self._kind()))
        return await any_users(self._store)

    def _is_as_marked(self) -> bool:
        try:
            return self._places.files.is_dir() and self._places.files_mark.read_text() == self._kind()
        except FileNotFoundError:
            return False

    def _kind(self) -> str:
        return "a mounted folder" if os.path.ismount(self._places.files) else "a folder"

    def _tell_of_absence(self) -> None:
        if not self._told_of_absence:
            logger.warning(
                "None of the files that the database knows is in %s; is it mounted? No row is removed.",
                self._places.files,
            )
        self._told_of_absence = True


async def _free(store: Documents, ids: Collection[str] | None) -> AsyncIterator[list[File]]:
    """Give the rows that are ready and that nothing is made from, some at a time."""
    free = And(Eq("ready", value=True), Eq("reserved_by", None))
    if ids is not None:
        for some in _batches(id for id in ids if ID.fullmatch(id)):
            yield list((await store.get_many(File, some, free)).values())
        return
    page, order = Page(first=ROWS_AT_ONCE), (Order("id"),)
    while True:
        found = await store.find(File, free, order, page)
        yield found.documents
        if not found.has_next:
            return
        page = Page(first=ROWS_AT_ONCE, after=(found.documents[-1].id,))


async def _needed_by_jobs(store: Documents) -> set[str]:
    """Give the ids of files that jobs which have not ended were given."""
    jobs = (await store.find(Job, In("state", AT_WORK), page=Page(first=None))).documents
    return {id for job in jobs for id in job.args.get("file_ids", ())}


def _batches(names: Iterator[str]) -> Iterator[list[str]]:
    while some := list(islice(names, ROWS_AT_ONCE)):
        yield some


def _names(folder: Path) -> frozenset[str]:
    with suppress(FileNotFoundError), os.scandir(folder) as entries:
        return frozenset(entry.name for entry in entries)
    return frozenset()


def _regular(folder: Path) -> Iterator[str]:
    """Give the names of the files that are not hidden. Network file systems hide what is removed while it is read."""
    with suppress(FileNotFoundError), os.scandir(folder) as entries:
        for entry in entries:
            if not entry.name.startswith(".") and entry.is_file(follow_symlinks=False):
                yield entry.name


def _listed(names: list[str]) -> str:
    shown = ", ".join(ascii(name) for name in names[:NAMES_TOLD])
    return f"{shown}, ..." if len(names) > NAMES_TOLD else shown
