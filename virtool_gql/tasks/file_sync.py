"""The files folder and its collection, kept in step while the server runs."""

import asyncio
import logging
from collections.abc import AsyncIterator, Collection
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from pathlib import Path

from watchfiles import Change

from virtool_gql.cancellation import cancelled
from virtool_gql.db.instance import Instance
from virtool_gql.db.stored_bytes import StoredBytes
from virtool_gql.errors import VirtoolError
from virtool_gql.tasks.folder_changes import watch
from virtool_gql.tasks.periodic import repeated

log = logging.getLogger(__name__)

LOOK_SECONDS = 30.0
SHORTEST_LOOK_SECONDS = 1.0


class FileSync:
    """Hears at once of bytes that were removed by hand, and looks at everything from time to time."""

    def __init__(self, instance: Instance, *, grace: timedelta, polling: bool = False) -> None:
        self._folder = instance.places.files
        self._bytes = StoredBytes(instance, grace)
        self._polling = polling
        self._every_seconds = min(LOOK_SECONDS, max(SHORTEST_LOOK_SECONDS, grace.total_seconds() / 4))
        self._gone: set[str] = set()
        self._woken = asyncio.Event()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Keep both in step while the block lasts."""
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(
                repeated("Looking for rows without bytes", self._bytes.remove_lost_rows, LOOK_SECONDS)
            )
            await stack.enter_async_context(
                repeated("Looking for bytes without rows", self._bytes.remove_strays, self._every_seconds)
            )
            tasks = [
                asyncio.create_task(watch(self._folder, Change.deleted, self._hear, polling=self._polling)),
                asyncio.create_task(self._follow()),
            ]
            stack.push_async_callback(cancelled, *tasks)
            yield

    def _hear(self, paths: Collection[Path]) -> None:
        self._gone |= {path.name for path in paths}
        self._woken.set()

    async def _follow(self) -> None:
        """Remove the rows of what was removed; look at all when it is not known what."""
        while True:
            await self._woken.wait()
            self._woken.clear()
            gone, self._gone = self._gone, set()
            try:
                await self._bytes.remove_lost_rows(gone or None)
            except VirtoolError as error:
                log.warning("Rows of files that are gone are left to the next look: %s", error.message)
            except Exception:
                log.exception("Rows of files that are gone are left to the next look")
