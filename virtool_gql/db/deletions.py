"""How documents that are gone stood at last, as the event log tells it."""

import asyncio
from collections.abc import Mapping

from virtool_gql.events import Hub
from virtool_gql.events.subscriptions import change_of
from virtool_gql.models.changes import Change, Operation
from virtool_gql.query import Predicate

PATIENCE_SECONDS = 2.0
LOOK_AGAIN_SECONDS = 0.02


class Deletions:
    """What tests, one for each collection, say of documents as they were when they were deleted.

    The log is read once, forwards from the first change that is asked about, and no further than the answers need; of
    each deletion that was passed one bit is kept. One that is not in the log yet is waited for, in all not longer than
    `patience_seconds`.
    """

    def __init__(self, hub: Hub, tests: Mapping[str, Predicate], *, patience_seconds: float = PATIENCE_SECONDS) -> None:
        self._hub = hub
        self._tests = tests
        self._collections = frozenset(tests)
        self._patience_seconds = patience_seconds
        self._position = ""
        self._last: dict[tuple[str, tuple[str, ...]], bool] = {}

    async def passed(self, change: Change) -> bool:
        """Tell whether the document of an earlier change passed at last; no, when the log does not say how it ended."""
        key = (change.collection, change.ids)
        self._position = self._position or change.cursor
        while key not in self._last:
            if not await self._read_on():
                if self._patience_seconds <= 0:
                    return False
                self._patience_seconds -= LOOK_AGAIN_SECONDS
                await asyncio.sleep(LOOK_AGAIN_SECONDS)
        return self._last[key]

    async def _read_on(self) -> bool:
        """Read a page of the log; tell whether there was one."""
        entries = await self._hub.entries_after(self._position)
        for entry in entries:
            change = change_of(entry, self._collections)
            if change is not None and change.operation is Operation.DELETE:
                self._last[change.collection, change.ids] = self._tests[change.collection](change.document)
        if entries:
            self._position = entries[-1].id
        return bool(entries)
