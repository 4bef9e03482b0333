"""What clears away that which has had its time, or was left behind by a process that was killed."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path

from virtool_gql.db.diff_files import entry_id_of
from virtool_gql.db.files import remove_file, remove_folder
from virtool_gql.db.instance import Instance
from virtool_gql.db.users import any_users
from virtool_gql.errors import StaleDocument
from virtool_gql.executors import run_in_thread
from virtool_gql.files import ID, Places
from virtool_gql.models.documents import moment_of, timestamp
from virtool_gql.models.files import File
from virtool_gql.models.history import HistoryEntry
from virtool_gql.models.samples import Sample
from virtool_gql.query import And, Eq, Page, Range

IDLE = timedelta(minutes=10)
LONGEST_TRANSACTION = timedelta(days=1)
AT_ONCE = 200


class Sweeps:
    """The sweeps; each can run at any time, any number of times, in any number of processes.

    `idle` tells for how long nobody may have touched what is removed.
    """

    def __init__(self, instance: Instance) -> None:
        self._store = instance.store
        self._places = instance.places
        self._clock = instance.clock

    async def remove_unfinished(self) -> None:
        """Remove what earlier processes left behind, however lately: for a time when nobody else is at work."""
        await self.remove_abandoned_uploads(idle=timedelta(0))
        await self.remove_deleted_samples(idle=timedelta(0))

    async def remove_abandoned_uploads(self, idle: timedelta = IDLE) -> int:
        """Remove the rows that are not ready and whose bytes nobody has touched lately, with the bytes."""
        long_ago = self._ago(idle)
        abandoned = And(Eq("ready", value=False), Range("created_at", lt=timestamp(long_ago)))
        rows = (await self._store.find(File, abandoned, page=Page(first=None))).documents
        return sum([await self._remove_abandoned(row, long_ago) for row in rows])

    async def _remove_abandoned(self, row: File, long_ago: datetime) -> bool:
        if await run_in_thread(_touched_since, self._places.file(row.id), long_ago):
            return False
        return await self._remove(row)

    async def remove_expired(self) -> int:
        """Remove the files whose time has come, rows first; one that is being used goes when it is released."""
        expired = And(Range("expires_at", lte=self._clock()), Eq("ready", value=True), Eq("reserved_by", None))
        rows = (await self._store.find(File, expired, page=Page(first=None))).documents
        return sum([await self._remove(row) for row in rows])

    async def _remove(self, row: File) -> bool:
        try:
            await self._store.delete(row)
        except StaleDocument:
            return False  # finished, reserved or removed just now
        await run_in_thread(remove_file, self._places.file(row.id))
        return True

    async def remove_deleted_samples(self, idle: timedelta = IDLE) -> int:
        """Remove the folders of samples that were deleted; any other folder holds reads."""
        ids = await run_in_thread(lambda: list(_deleted_ids(self._places, self._ago(idle))))
        deleted = set(ids) - set(await self._store.get_many(Sample, ids))
        for id in deleted:
            await run_in_thread(remove_folder, self._places.sample(id))
        return len(deleted)

    async def remove_stray_diffs(self, idle: timedelta = LONGEST_TRANSACTION) -> int:
        """Remove the diffs in files that no entry of the history names: those of changes that came to nothing.

        A database without users has another one's data path by mistake, and removes nothing.
        """
        if not await any_users(self._store):
            return 0
        old = await run_in_thread(_untouched_diffs, self._places, self._ago(idle))
        return sum([await self._remove_strays(some) for some in _in_batches(old)])

    async def _remove_strays(self, diff_files: Sequence[str]) -> int:
        entries = await self._store.get_many(HistoryEntry, map(entry_id_of, diff_files))
        named = {entry.diff_file for entry in entries.values()}
        strays = [name for name in diff_files if name not in named]
        for name in strays:
            await run_in_thread(remove_file, self._places.history_diff(name))
        return len(strays)

    def _ago(self, idle: timedelta) -> datetime:
        return moment_of(self._clock()) - idle


def _touched_since(path: Path, moment: datetime) -> bool:
    try:
        return path.stat().st_mtime >= moment.timestamp()
    except FileNotFoundError:
        return False


def _deleted_ids(places: Places, moment: datetime) -> Iterator[str]:
    for folder in places.samples.iterdir():
        if ID.fullmatch(folder.name):
            mark = places.deletion_mark(folder.name)
            if mark.exists() and not _touched_since(mark, moment):
                yield folder.name


def _untouched_diffs(places: Places, moment: datetime) -> list[str]:
    names = (path.name.removesuffix(".json.gz") for path in places.history.glob("*.json.gz"))
    return [name for name in names if ID.fullmatch(name) and not _touched_since(places.history_diff(name), moment)]


def _in_batches(names: Sequence[str]) -> Iterator[Sequence[str]]:
    return (names[start : start + AT_ONCE] for start in range(0, len(names), AT_ONCE))
