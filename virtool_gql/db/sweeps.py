"""What clears away the uploads that were cut off together with the process that took them."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

from virtool_gql.db.files import remove_file
from virtool_gql.db.instance import Instance
from virtool_gql.errors import StaleDocument
from virtool_gql.executors import run_in_thread
from virtool_gql.files import ID
from virtool_gql.models.documents import moment_of, timestamp
from virtool_gql.models.files import File
from virtool_gql.models.users import User
from virtool_gql.query import And, Eq, Page, Range

IDLE = timedelta(minutes=10)
ROWS_AT_ONCE = 1_000


class Sweeps:
    """The sweeps of uploads; each can run at any time, any number of times, in any number of processes."""

    def __init__(self, instance: Instance) -> None:
        self._store = instance.store
        self._places = instance.places
        self._clock = instance.clock

    async def remove_abandoned_uploads(self) -> int:
        """Remove the rows that are not ready and whose bytes nobody has touched lately, with the bytes."""
        long_ago = self._long_ago()
        idle = And(Eq("ready", value=False), Range("created_at", lt=timestamp(long_ago)))
        rows = (await self._store.find(File, idle, page=Page(first=None))).documents
        return sum([await self._remove_abandoned(row, long_ago) for row in rows])

    async def _remove_abandoned(self, row: File, long_ago: datetime) -> bool:
        path = self._places.file(row.id)
        if await run_in_thread(_touched_since, path, long_ago):
            return False
        try:
            await self._store.delete(row)
        except StaleDocument:
            return False  # finished or removed just now
        await run_in_thread(remove_file, path)
        return True

    async def remove_stray_bytes(self) -> int:
        """Remove the bytes of uploads that have no row and that nobody has touched lately.

        A database without users has another one's data path by mistake, and removes nothing.
        """
        if not (await self._store.find(User, page=Page(first=1))).documents:
            return 0
        ids = await run_in_thread(lambda: list(_idle_ids(self._places.files, self._long_ago())))
        removed = 0
        for start in range(0, len(ids), ROWS_AT_ONCE):
            some = ids[start : start + ROWS_AT_ONCE]
            strays = set(some) - set(await self._store.get_many(File, some))
            for id in strays:
                await run_in_thread(remove_file, self._places.file(id))
            removed += len(strays)
        return removed

    def _long_ago(self) -> datetime:
        return moment_of(self._clock()) - IDLE


def _touched_since(path: Path, moment: datetime) -> bool:
    try:
        return path.stat().st_mtime >= moment.timestamp()
    except FileNotFoundError:
        return False


def _idle_ids(folder: Path, moment: datetime) -> Iterator[str]:
    for path in folder.iterdir():
        if ID.fullmatch(path.name) and path.is_file() and not _touched_since(path, moment):
            yield path.name
