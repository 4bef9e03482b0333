"""Hands the changes of the one stream to the subscriptions of one process."""

import asyncio
import logging
from collections import defaultdict, deque
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import chain, dropwhile

from virtool_gql.cancellation import cancelled
from virtool_gql.errors import CursorExpired, UpstreamUnavailable, VirtoolError
from virtool_gql.events.connections import answering, open_client
from virtool_gql.events.entries import (
    Entry,
    Place,
    check_cursor,
    entries_after,
    expired,
    newest_id,
    oldest_place,
    place_of,
)
from virtool_gql.events.stream import reading
from virtool_gql.events.subscriptions import Subscription, change_of
from virtool_gql.models.changes import Change

logger = logging.getLogger(__name__)

PAGE_LENGTH = 200
RECENT_LENGTH = 256
Observer = Callable[[Change | None], None]
TURN_SECONDS = 0.002
"""How long the hub hands out changes before others on the event loop have their turn."""


@dataclass(frozen=True, slots=True)
class _Recent:
    """A change that came by a moment ago."""

    previous: str
    place: Place
    change: Change | None


class Hub:
    """Reads the stream once for the whole process and hands each change to the subscriptions that ask for it."""

    def __init__(self, redis_url: str, *, queue_length: int = 1_000) -> None:
        self._url = redis_url
        self._queue_length = queue_length
        self._redis = open_client(redis_url, retries=8)
        self._last: str | None = None
        self._epoch = 0
        self._recent: deque[_Recent] = deque(maxlen=min(RECENT_LENGTH, queue_length))
        self._live: defaultdict[str, dict[Subscription, None]] = defaultdict(dict)
        self._observers: defaultdict[str, list[Observer]] = defaultdict(list)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Read the stream while the block lasts; what is still subscribed then ends with UpstreamUnavailable."""
        async with self._redis, reading(self._url) as stream:
            self._last = stream.start
            task = asyncio.create_task(self._hand_out(stream.entries))
            try:
                yield
            finally:
                await cancelled(task)
                self._stop()

    def observe(self, collection: str, observer: Observer) -> None:
        """Call a function with each change of a collection, before it is handed out, and with None when some got lost.

        It may neither raise nor take long.
        """
        self._observers[collection].append(observer)

    async def cursor(self) -> str:
        """Give the place of the newest change in the stream: what is subscribed after it misses nothing since."""
        with answering("The event log"):
            return await newest_id(self._redis)

    async def subscribe(self, collections: frozenset[str], after: str | None = None) -> Subscription:
        """Open a subscription to the changes after the cursor, or to those from now on; it holds when this returns.

        Raises BadUserInput when `after` is no cursor, CursorExpired when the log does not reach back to it. Iterating
        raises CursorExpired when changes got lost before this process read them, and when the caller is so slow that
        the log no longer reaches back to what comes next. Of what waits for the caller `queue_length` changes are held;
        the rest is read from the log when its turn comes.
        """
        if after is not None:
            check_cursor(after)
        position = after or self._running_at()
        subscription = Subscription(self, collections, position, epoch=self._epoch, limit=self._queue_length)
        await subscription.catch_up()
        return subscription

    async def changes(self, collections: frozenset[str], after: str | None = None) -> AsyncGenerator[Change, None]:
        """Give the changes of a subscription, which begins with the first `anext` and ends with the generator."""
        subscription = await self.subscribe(collections, after)
        try:
            async for change in subscription:
                yield change
        finally:
            subscription.close()

    async def past(self, collections: frozenset[str]) -> AsyncGenerator[Change, None]:
        """Give what the log holds of some collections, but for what is trimmed away while it is read."""
        position = await self._oldest_place()
        while position is not None:
            try:
                entries = await self.entries_after(position)
            except CursorExpired:
                position = await self._oldest_place()
                continue
            for entry in entries:
                if change := change_of(entry, collections):
                    yield change
            position = entries[-1].id if entries else None

    async def _oldest_place(self) -> str | None:
        with answering("The event log"):
            return await oldest_place(self._redis)

    def join(self, subscription: Subscription) -> bool:
        if subscription.epoch != self._epoch:
            raise expired()
        missed = self._since(subscription)
        if missed is None:
            return False
        for collection in subscription.collections:
            self._live[collection][subscription] = None
        for recent in missed:
            if recent.change is not None and recent.change.collection in subscription.collections:
                subscription.offer(recent.change, recent.place)
        return True

    def leave(self, subscription: Subscription) -> None:
        for collection in subscription.collections:
            self._live[collection].pop(subscription, None)

    async def entries_after(self, position: str) -> list[Entry]:
        with answering("The event log"):
            return await entries_after(self._redis, position, PAGE_LENGTH)

    def _since(self, subscription: Subscription) -> list[_Recent] | None:
        """Give the recent changes after the subscription's position; None when the hub cannot know all of them."""
        last = self._running_at()
        if subscription.position == last:
            return []
        if subscription.proven and place_of(subscription.position) > place_of(last):
            return []
        return list(dropwhile(lambda recent: recent.previous != subscription.position, self._recent)) or None

    def _running_at(self) -> str:
        if self._last is None:
            raise UpstreamUnavailable("The event log is not being read; try again in a moment.")
        return self._last

    async def _hand_out(self, entries: AsyncIterator[Entry]) -> None:
        time = asyncio.get_running_loop().time
        turn_ends = time() + TURN_SECONDS
        try:
            async for entry in entries:
                self._hand_on(entry)
                if time() > turn_ends:
                    await asyncio.sleep(0)
                    turn_ends = time() + TURN_SECONDS
        except Exception:
            logger.exception("The event log can no longer be read.")
            self._stop()

    def _hand_on(self, entry: Entry) -> None:
        if entry.previous != self._last:
            self._lose()
        self._last = entry.id
        recent = _Recent(entry.previous, place_of(entry.id), change_of(entry))
        self._recent.append(recent)
        if recent.change is not None:
            for observer in self._observers.get(recent.change.collection, ()):
                observer(recent.change)
            for subscription in tuple(self._live.get(recent.change.collection, ())):
                subscription.offer(recent.change, recent.place)

    def _lose(self) -> None:
        """End every subscription: changes were trimmed or wiped before they were read here."""
        logger.warning("Changes are missing from the event stream after %s; all subscriptions end.", self._last)
        self._epoch += 1
        self._recent.clear()
        for observer in chain.from_iterable(self._observers.values()):
            observer(None)
        self._end_all(expired())

    def _stop(self) -> None:
        self._last = None
        self._end_all(UpstreamUnavailable("The event log is no longer read; subscribe again after your last cursor."))

    def _end_all(self, error: VirtoolError) -> None:
        for subscription in {subscription: None for live in self._live.values() for subscription in live}:
            subscription.end(error)
