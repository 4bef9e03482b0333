"""Moves changes from the outboxes to the stream, each exactly once, by one relay at a time.

What makes it safe to kill at any moment: one script puts a batch into the stream and notes the outbox ids as sent, in
one step and only while the relay holds the lease. Then the outbox forgets them, and only then the notes are dropped,
again only under the lease. A relay that takes over lists the outbox after it got the lease, and skips what is noted.
"""

import asyncio
import logging
import random
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from redis.asyncio import Redis
from redis.exceptions import RedisError

from virtool_gql.cancellation import cancelled
from virtool_gql.events.entries import BEGIN, STREAM
from virtool_gql.events.leases import RelayLease
from virtool_gql.models.changes import Outbox

logger = logging.getLogger(__name__)

OUTBOX_CHANNEL = "channel:outbox"
"""Where a process without a relay says that it filled an outbox."""

BATCH_LENGTH = 100
LONGEST_BATCH = 500
BATCH_BYTES = 512 * 1024
"""How much is moved at a time while there is more: many small changes, few large ones."""

STREAM_LENGTH = 100_000
"""How many changes the stream holds: ten imports of the largest reference, in some 60 MB of Redis."""

POLL_SECONDS = 0.25
LONGEST_WAIT_SECONDS = 2.0

_PUT = (
    BEGIN
    + """
if redis.call('GET', KEYS[3]) ~= ARGV[1] then return 0 end
local first = 4 + ARGV[3]
for n = 4, first - 1 do redis.call('SREM', KEYS[2], ARGV[n]) end
local previous = newest()
for n = first, #ARGV, 2 do
  if redis.call('SADD', KEYS[2], ARGV[n]) == 1 then
    previous = redis.call('XADD', KEYS[1], '*', 'previous', previous, 'change', ARGV[n + 1])
  end
end
redis.call('XTRIM', KEYS[1], 'MAXLEN', ARGV[2])
return 1
"""
)

_FORGET_ALL = """
if redis.call('GET', KEYS[2]) ~= ARGV[1] then return 0 end
redis.call('DEL', KEYS[1])
return 1
"""


class LeaseLost(Exception):
    """Another relay may be at work: what was read from the outbox no longer counts."""


def next_length(batch: Sequence[tuple[str, bytes]]) -> int:
    """Give how many changes to ask for next when they are as large as these on average."""
    size = sum(len(payload) for _, payload in batch)
    return min(max(len(batch) * BATCH_BYTES // max(size, 1), BATCH_LENGTH), LONGEST_BATCH)


class _Route:
    """The way of one outbox's changes into the stream. `removed` are sent ids that the outbox has forgotten."""

    def __init__(self, redis: Redis, outbox: Outbox, number: int, stream_length: int) -> None:
        self._outbox = outbox
        self._sent_key = f"events:sent:{number}"
        self._stream_length = stream_length
        self._put = redis.register_script(_PUT)
        self._forget_all = redis.register_script(_FORGET_ALL)
        self._removed: list[str] | None = None
        self._length = BATCH_LENGTH

    async def move(self, lease: RelayLease) -> bool:
        """Move a batch; tell whether there may be more."""
        token = lease.token
        length = self._length
        batch = await self._outbox.waiting(length)
        if not batch:
            await self._tidy(lease, token)
            return False
        await self._send(lease, token, batch)
        ids = [id for id, _ in batch]
        await self._outbox.remove(ids)
        self._removed = ids
        self._length = next_length(batch)
        return len(batch) == length

    async def _send(self, lease: RelayLease, token: str, batch: Sequence[tuple[str, bytes]]) -> None:
        removed = self._removed or []
        changes = [part for change in batch for part in change]
        held = await self._put(
            keys=[STREAM, self._sent_key, lease.key],
            args=[token, self._stream_length, len(removed), *removed, *changes],
        )
        if not held:
            raise LeaseLost

    async def _tidy(self, lease: RelayLease, token: str) -> None:
        """With the outbox empty no id that was sent can be listed again, whoever sent it."""
        if self._removed == []:
            return
        if not await self._forget_all(keys=[self._sent_key, lease.key], args=[token]):
            raise LeaseLost
        self._removed = []


class Relay:
    """Moves changes from the outboxes to the stream. Of all the relays of an instance one is at work at a time.

    The order of an outbox is kept; between outboxes there is none.
    """

    def __init__(self, redis: Redis, outboxes: Sequence[Outbox], *, stream_length: int = STREAM_LENGTH) -> None:
        self._redis = redis
        self._routes = [_Route(redis, outbox, number, stream_length) for number, outbox in enumerate(outboxes)]
        self._lease = RelayLease(redis)
        self._woken = asyncio.Event()
        self._told = False
        self._failures = 0

    def wake(self) -> None:
        """Say that an outbox has something; a relay that slept until then works at once. Cheap, never blocks."""
        self._told = True
        self._woken.set()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Run the relay as a task while the block lasts."""
        tasks = [asyncio.create_task(run()) for run in (self._work, self._listen, self._lease.keep)]
        try:
            yield
        finally:
            await cancelled(*tasks)
            await self._lease.release()

    async def _work(self) -> None:
        while True:
            self._woken.clear()
            told, self._told = self._told, False
            try:
                await self._turn(told=told)
            except LeaseLost:
                self._lease.lost()
            except Exception as error:  # noqa: BLE001 - whatever a store raises, the next try may succeed
                await self._back_off(error)
            else:
                self._recover()
                await self._rest()

    async def _turn(self, *, told: bool) -> None:
        if self._lease.held or await self._lease.take():
            while any([await route.move(self._lease) for route in self._routes]):
                pass
        elif told:
            await self._redis.publish(OUTBOX_CHANNEL, b"")

    async def _rest(self) -> None:
        try:
            async with asyncio.timeout(POLL_SECONDS):
                await self._woken.wait()
        except TimeoutError:
            pass

    async def _back_off(self, error: Exception) -> None:
        if not self._failures:
            logger.error("Changes wait in the outbox until this is over: %r", error)
        self._failures += 1
        wait_seconds = min(0.05 * 2**self._failures, LONGEST_WAIT_SECONDS)
        await asyncio.sleep(wait_seconds * random.uniform(0.5, 1.5))  # noqa: S311 - jitter, no secret

    def _recover(self) -> None:
        if self._failures:
            logger.info("Changes leave the outbox again.")
        self._failures = 0

    async def _listen(self) -> None:
        async with self._redis.pubsub(ignore_subscribe_messages=True) as pubsub:
            while True:
                try:
                    if not pubsub.subscribed:
                        await pubsub.subscribe(OUTBOX_CHANNEL)
                    if await pubsub.get_message(timeout=1) is not None:
                        self._woken.set()
                except (RedisError, OSError):
                    await asyncio.sleep(POLL_SECONDS)
