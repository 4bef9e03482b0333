"""The one place that knows broadcaster: a backend for it that reads a Redis stream and outlives Redis.

broadcaster's own stream backend dies with its last subscriber and with its connection, and its queues between backend
and subscribers have no bound. So only the hub sits behind one, and the backend waits while that has enough to do.
"""

import asyncio
import logging
import random
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from broadcaster import Broadcast, BroadcastBackend, Event
from redis.exceptions import RedisError

from virtool_gql.events.connections import answering, open_client
from virtool_gql.events.entries import STREAM, Entry, entry_of, newest_id, place_of

logger = logging.getLogger(__name__)

READ_COUNT = 100
AHEAD_COUNT = 400
BLOCK_MILLISECONDS = 1_000
LONGEST_WAIT_SECONDS = 0.5
BEFORE_EVERYTHING = "0-0"


class EntryEvent(Event):
    """An event that carries a stream entry past broadcaster's text messages."""

    def __init__(self, entry: Entry) -> None:
        super().__init__(channel=STREAM, message=entry.id)
        self.entry = entry


class StreamBackend(BroadcastBackend):
    """Reads the stream in one loop from the newest entry on, over reconnections, without gap or duplicate."""

    def __init__(self, url: str) -> None:
        self._redis = open_client(url, retries=0)
        self._subscribed = asyncio.Event()
        self._entries: deque[Entry] = deque()
        self._failures = 0
        self._at_work = asyncio.Lock()
        self._ahead = asyncio.Semaphore(AHEAD_COUNT)
        self.last = BEFORE_EVERYTHING

    async def connect(self) -> None:
        try:
            with answering("The event log"):
                self.last = await newest_id(self._redis)
        except BaseException:
            await self._redis.aclose()
            raise

    async def disconnect(self) -> None:
        """Close the connection once the read is over that broadcaster has cancelled and does not wait for."""
        async with self._at_work:
            await self._redis.aclose()

    async def subscribe(self, channel: str) -> None:  # noqa: ARG002 - there is one stream
        self._subscribed.set()

    async def unsubscribe(self, channel: str) -> None:
        pass

    async def publish(self, channel: str, message: Any) -> None:
        raise NotImplementedError("Only the relay writes to the stream.")

    async def next_published(self) -> Event:
        await self._subscribed.wait()
        async with self._at_work:
            while not self._entries:
                await self._read()
        await self._ahead.acquire()
        return EntryEvent(self._entries.popleft())

    def taken(self) -> None:
        """Say that the subscriber took an event."""
        self._ahead.release()

    async def _read(self) -> None:
        try:
            entries = await self._entries_after_last()
            if not entries:
                await self._notice_an_older_stream()
        except (RedisError, OSError) as error:
            await self._wait_for_redis(error)
            return
        self._failures = 0
        if entries:
            self._entries.extend(entries)
            self.last = entries[-1].id

    async def _entries_after_last(self) -> list[Entry]:
        streams: Any = await self._redis.xread({STREAM: self.last}, count=READ_COUNT, block=BLOCK_MILLISECONDS)
        if isinstance(streams, dict):
            return [entry_of(*item) for items in streams.values() for page in items for item in page]
        return [entry_of(*item) for _, items in streams or () for item in items]

    async def _notice_an_older_stream(self) -> None:
        """Read a stream that ends before our place from its start: it is another one, and will not join on to ours."""
        if place_of(await newest_id(self._redis)) < place_of(self.last):
            self.last = BEFORE_EVERYTHING

    async def _wait_for_redis(self, error: Exception) -> None:
        if self._failures == 1:
            logger.warning("The event stream cannot be read; trying again until it can: %s", error)
        wait_seconds = min(0.01 * 2**self._failures, LONGEST_WAIT_SECONDS) if self._failures else 0
        self._failures += 1
        await asyncio.sleep(wait_seconds * random.uniform(0.5, 1.5))  # noqa: S311 - jitter, no secret


@dataclass(frozen=True, slots=True)
class Reading:
    """The entries that follow the one of the id `start`."""

    start: str
    entries: AsyncIterator[Entry]


@asynccontextmanager
async def reading(url: str) -> AsyncIterator[Reading]:
    """Read the stream from now on, while the block lasts."""
    backend = StreamBackend(url)
    async with Broadcast(backend=backend) as broadcast:
        start = backend.last
        async with broadcast.subscribe(STREAM) as subscriber:
            yield Reading(start, _entries(subscriber, backend))


async def _entries(subscriber: Any, backend: StreamBackend) -> AsyncIterator[Entry]:
    while True:
        event = await subscriber.get()
        backend.taken()
        yield event.entry
