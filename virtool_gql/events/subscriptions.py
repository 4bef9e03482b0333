"""What one subscriber waits for, and how it gets from the log to the live changes."""

import asyncio
import logging
from collections import deque
from collections.abc import AsyncIterator
from typing import Protocol

import msgspec

from virtool_gql.errors import VirtoolError
from virtool_gql.events.entries import Entry, Place, place_of
from virtool_gql.models.changes import Change

logger = logging.getLogger(__name__)


class _Header(msgspec.Struct):
    """As much of a change as says whether it is asked for."""

    collection: str


_header = msgspec.json.Decoder(_Header)
_change = msgspec.json.Decoder(Change)


def change_of(entry: Entry, collections: frozenset[str] | None = None) -> Change | None:
    """Give the change of an entry, with its cursor, if there is one and the collections are not given or have it."""
    if entry.payload is None:
        return None
    try:
        if collections is not None and _header.decode(entry.payload).collection not in collections:
            return None
        return msgspec.structs.replace(_change.decode(entry.payload), cursor=entry.id)
    except msgspec.MsgspecError:
        logger.exception("Entry %s of the event stream holds no change.", entry.id)
        return None


class Source(Protocol):
    """What a subscription needs of its hub."""

    def join(self, subscription: "Subscription") -> bool:
        """Let the subscription take part in the live changes after its position, if the hub still knows them all."""

    def leave(self, subscription: "Subscription") -> None: ...

    async def entries_after(self, position: str) -> list[Entry]: ...


class Subscription(AsyncIterator[Change]):
    """The changes of some collections from a place in the stream on, for one consumer.

    It reads the log until it has caught up with the hub, and then is handed the changes. When more of them come at once
    than it may hold, it goes back to the log for the rest. `cursor` is the place of the newest change that was given,
    and before the first the place where it began. Whoever opened it closes it.

    `position` is the place up to which it has read the log, `proven` when the log was seen to reach back to there.
    `replays` says of the change that was given last whether it had been in the log before the subscription was live for
    the first time.
    """

    __slots__ = (
        "_changes",
        "_closed",
        "_error",
        "_limit",
        "_live",
        "_past",
        "_place",
        "_source",
        "_waiter",
        "_was_live",
        "collections",
        "cursor",
        "epoch",
        "position",
        "proven",
        "replays",
    )

    def __init__(self, source: Source, collections: frozenset[str], position: str, *, epoch: int, limit: int) -> None:
        self.collections = collections
        self.cursor = position
        self.position = position
        self._place = place_of(position)
        self.epoch = epoch
        self.proven = False
        self.replays = False
        self._source = source
        self._limit = limit
        self._changes: deque[Change] = deque()
        self._past = 0
        self._live = False
        self._was_live = False
        self._closed = False
        self._error: VirtoolError | None = None
        self._waiter: asyncio.Future[None] | None = None

    async def __anext__(self) -> Change:
        while not self._changes:
            if self._error is not None:
                raise self._error
            if self._closed:
                raise StopAsyncIteration
            await (self._wait() if self._live else self.catch_up())
        change = self._changes.popleft()
        self.replays = self._past > 0
        self._past -= self.replays
        self.cursor = change.cursor
        return change

    async def catch_up(self) -> None:
        """Join the live changes, or read one more page of the log."""
        self._live = self._source.join(self)
        if not self._live:
            await self._read_page()
        self._past = 0 if self._was_live else len(self._changes)
        self._was_live = self._was_live or self._live

    async def _read_page(self) -> None:
        entries = await self._source.entries_after(self.position)
        changes = (change_of(entry, self.collections) for entry in entries)
        self._changes.extend(change for change in changes if change is not None)
        self.position = entries[-1].id if entries else self.position
        self._place = place_of(self.position)
        self.proven = True

    def offer(self, change: Change, place: Place) -> None:
        """Hand over a live change; a subscription that is full leaves it in the log for later."""
        if place <= self._place:
            return
        if len(self._changes) < self._limit:
            self._changes.append(change)
            self._wake()
        else:
            self._fall_behind()

    def _fall_behind(self) -> None:
        """Go on in the log after what is held here, once that is read."""
        self._source.leave(self)
        self._live = False
        self.position = self._changes[-1].cursor
        self._place = place_of(self.position)

    def end(self, error: VirtoolError) -> None:
        """Let it fail once what it holds is read."""
        self._error = error
        self._leave()

    def close(self) -> None:
        """Take part in nothing any more; safe to call twice."""
        self._changes.clear()
        self._leave()

    def _leave(self) -> None:
        self._source.leave(self)
        self._closed = True
        self._wake()

    async def _wait(self) -> None:
        self._waiter = asyncio.get_running_loop().create_future()
        try:
            await self._waiter
        finally:
            self._waiter = None

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)
