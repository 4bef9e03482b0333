import asyncio
import random
import sys
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest
from msgspec.structs import replace
from redis.asyncio import Redis
from sqlalchemy.ext.asyncio import create_async_engine

from tests.events.writing import GROUPS, group, groups, joined, nothing_more, seen, stream_changes, stream_entries, take
from tests.factories.conditions import until
from tests.redis_server import RedisServer
from virtool_gql.errors import UpstreamUnavailable
from virtool_gql.events import OUTBOX_CHANNEL, STREAM, Hub, Relay
from virtool_gql.events.relay import BATCH_BYTES, BATCH_LENGTH, LONGEST_BATCH, next_length
from virtool_gql.models.changes import Change, Outbox
from virtool_gql.models.documents import now
from virtool_gql.models.users import Group
from virtool_gql.stores.documents import modify
from virtool_gql.stores.postgres import PostgresStore
from virtool_gql.stores.redis import Signals, connect

LEASE = "events:relay"


@asynccontextmanager
async def relaying(client: Redis, *outboxes: Outbox, stream_length: int = 50_000) -> AsyncIterator[Relay]:
    relay = Relay(client, outboxes, stream_length=stream_length)
    async with relay.running():
        yield relay


async def moved(client: Redis, store: PostgresStore, relay: Relay | None = None) -> None:
    """Wait until the outbox is empty and everything noted about it is dropped."""

    async def nothing_left() -> bool:
        if relay is not None:
            relay.wake()
        return not await store.waiting(1) and not await client.keys("events:sent:*")

    await until(nothing_left, 30)


def in_order(changes: Sequence[Change]) -> bool:
    """Tell whether each document's versions come one by one from the first."""
    versions: dict[str, int] = defaultdict(int)
    for change in changes:
        if change.document["version"] != versions[change.ids[0]] + 1:
            return False
        versions[change.ids[0]] += 1
    return True


async def test_changes_go_from_the_outbox_to_the_stream(client: Redis, store: PostgresStore) -> None:
    await store.insert(*groups(range(450)))
    async with relaying(client, store) as relay:
        await moved(client, store, relay)
    assert seen(await stream_changes(client)) == [f"{number:06}" for number in range(450)]
    assert joined(await stream_entries(client))
    assert await client.get(LEASE) is None


async def test_the_stream_is_bounded(client: Redis, store: PostgresStore) -> None:
    await store.insert(*groups(range(450)))
    async with relaying(client, store, stream_length=100) as relay:
        await moved(client, store, relay)
    assert await client.xlen(STREAM) == 100


@pytest.mark.timeout(120)
async def test_writers_that_commit_out_of_sequence_order_lose_and_reorder_nothing(
    server: RedisServer, client: Redis, database: str
) -> None:
    """Each of 200 writers tells in its document which committed one it has seen: that must come before it."""
    engine = create_async_engine(database.replace("postgresql:", "postgresql+asyncpg:"), pool_size=110, max_overflow=0)
    order = random.Random(2)  # noqa: S311 - a test's dice
    gates: dict[str, asyncio.Event] = {}
    committed = ["start"]
    shared = ["shared0", "shared1", "shared2"]

    async def writer(store: PostgresStore, id: str) -> None:
        cause = order.choice(committed)
        async with store.transaction() as transaction:
            first, second = await transaction.insert(group(id, cause), group(f"{id}b", id))
            await transaction.replace(first)
            gates[id] = asyncio.Event()
            await gates[id].wait()
            await transaction.delete(second)
        committed.append(id)
        await modify(store, Group, order.choice(shared), lambda group: replace(group, name=id))

    async def release(writers: Sequence[asyncio.Task[None]]) -> None:
        while not all(task.done() for task in writers):
            await until(lambda: _enough(gates, writers))
            for id in order.sample(sorted(gates), min(3, len(gates))):
                gates.pop(id).set()

    async def _enough(gates: dict[str, asyncio.Event], writers: Sequence[asyncio.Task[None]]) -> bool:
        unfinished = sum(not task.done() for task in writers)
        return len(gates) >= min(80, unfinished) or not unfinished

    store = PostgresStore(engine, now, lambda: relay.wake())  # noqa: PLW0108 - the relay comes after
    hub = Hub(server.url, queue_length=5_000)
    async with relaying(client, store) as relay, hub.running():
        subscription = await hub.subscribe(GROUPS)
        await store.insert(group("start"), *(group(id) for id in shared))
        writers = [asyncio.create_task(writer(store, f"w{number}")) for number in range(200)]
        await release(writers)
        await asyncio.gather(*writers)
        changes = await take(subscription, 4 + 200 * 4 + 200)
        assert await nothing_more(subscription, store)
    await store.close()

    assert in_order([change for change in changes if change.operation != "delete"])
    places = {(change.ids[0], str(change.operation)): place for place, change in enumerate(changes)}
    causes = [change for change in changes if change.operation == "insert" and change.ids[0].startswith("w")]
    assert len(causes) == 400
    assert all(places[change.document["name"], "insert"] < places[change.ids[0], "insert"] for change in causes)
    announced = [change for change in changes if change.ids[0] in shared and change.operation == "update"]
    assert all(
        places[change.document["name"], "update"] < place for place, change in enumerate(changes) if change in announced
    )
    assert sorted(change.document["name"] for change in announced) == sorted(f"w{number}" for number in range(200))
    inserted = [change.ids[0] for change in causes if not change.ids[0].endswith("b")]
    assert inserted != sorted(inserted, key=_number)


def _number(id: str) -> int:
    return int(id[1:])


@pytest.mark.parametrize("batches", [1, 3])
async def test_a_relay_killed_before_its_bookkeeping_duplicates_nothing(
    server: RedisServer, client: Redis, database: str, store: PostgresStore, batches: int
) -> None:
    hub = Hub(server.url)
    async with hub.running():
        subscription = await hub.subscribe(GROUPS)
        await store.insert(*groups(range(100)))
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, Path(__file__).with_name("stalling_relay.py"), database, server.url, str(batches)),
            stdout=asyncio.subprocess.PIPE,
            env={"PYTHONPATH": str(Path(__file__).parents[2])},
        )
        assert process.stdout is not None
        assert await asyncio.wait_for(process.stdout.readline(), 30) == b"stalled\n"
        assert await client.xlen(STREAM) == 20 * batches + 1
        assert len(await store.waiting(1000)) == 100 - 20 * (batches - 1)
        process.kill()
        await process.communicate()
        async with relaying(client, store) as relay:
            changes = await take(subscription, 100)
            await moved(client, store, relay)
            assert await nothing_more(subscription, store)
    assert seen(changes) == [f"{number:06}" for number in range(100)]
    assert joined(await stream_entries(client))


class HeldOutbox:
    """The real outbox, but at one of its doors the relay has to wait."""

    def __init__(self, store: PostgresStore, door: str) -> None:
        self._store = store
        self._door = door
        self.reached = asyncio.Event()
        self.go_on = asyncio.Event()

    async def waiting(self, limit: int) -> list[tuple[str, bytes]]:
        batch = await self._store.waiting(limit)
        await self._wait("waiting" if batch else "nothing waits")
        return batch

    async def remove(self, ids: Sequence[str]) -> None:
        await self._wait("remove")
        await self._store.remove(ids)
        await self._wait("removed")

    async def _wait(self, door: str) -> None:
        if door == self._door:
            self.reached.set()
            await self.go_on.wait()


@pytest.mark.parametrize("door", ["waiting", "remove", "removed"])
async def test_a_relay_that_lost_its_lease_unknowingly_does_no_harm(
    server: RedisServer, client: Redis, store: PostgresStore, door: str
) -> None:
    """It stalls with what it read, another takes over and does all the work, and then it goes on."""
    await store.insert(*groups(range(50)))
    held = HeldOutbox(store, door)
    async with connect(server.url) as other, relaying(client, held):
        await held.reached.wait()
        await client.delete(LEASE)
        second = HeldOutbox(store, "waiting" if door == "remove" else "none")
        async with relaying(other, second) as relay:
            if door == "remove":  # the second has listed what the first removes now
                await second.reached.wait()
                held.go_on.set()
                await until(lambda: _empty(store))
                second.go_on.set()
            await moved(other, store, relay)
            held.go_on.set()
            await store.insert(*groups(range(50, 60)))
            await moved(other, store, relay)
    assert seen(await stream_changes(client)) == [f"{number:06}" for number in range(60)]
    assert joined(await stream_entries(client))


async def test_a_relay_that_lost_its_lease_does_not_drop_the_notes_of_the_next(
    server: RedisServer, client: Redis, store: PostgresStore
) -> None:
    """It saw the outbox empty; meanwhile another has sent something, and dies before the outbox knows."""
    held = HeldOutbox(store, "nothing waits")
    async with connect(server.url) as other, relaying(client, held) as first:
        await held.reached.wait()
        await client.delete(LEASE)
        await store.insert(*groups(range(5)))
        stalling = HeldOutbox(store, "remove")
        async with relaying(other, stalling):
            await stalling.reached.wait()
            held.go_on.set()
            await until(lambda: _without_lease(first))
        async with relaying(other, store) as third:
            await moved(other, store, third)
    assert seen(await stream_changes(client)) == [f"{number:06}" for number in range(5)]


async def _without_lease(relay: Relay) -> bool:
    return not relay._lease.held


async def _empty(store: PostgresStore) -> bool:
    return not await store.waiting(1)


async def test_many_relays_whose_lease_is_snatched_away_neither_duplicate_nor_reorder(
    server: RedisServer, client: Redis, store: PostgresStore
) -> None:
    async with AsyncExitStack() as stack:
        relays = [
            await stack.enter_async_context(relaying(await stack.enter_async_context(connect(server.url)), store))
            for _ in range(3)
        ]
        for start in range(0, 3_000, 30):
            await store.insert(*groups(range(start, start + 30)))
            for relay in relays:
                relay.wake()
            if start % 90 == 0:
                await client.delete(LEASE)
        await moved(client, store, relays[0])
    assert seen(await stream_changes(client)) == [f"{number:06}" for number in range(3_000)]
    assert joined(await stream_entries(client))


async def test_a_standby_takes_over_when_the_relay_ends_and_passes_on_that_it_was_woken(
    server: RedisServer, client: Redis, store: PostgresStore
) -> None:
    async with connect(server.url) as other, AsyncExitStack() as first:
        await first.enter_async_context(relaying(client, store))
        await until(lambda: client.exists(LEASE))
        async with relaying(other, store) as standby, client.pubsub(ignore_subscribe_messages=True) as heard:
            await heard.subscribe(OUTBOX_CHANNEL)
            await until(lambda: client.publish(OUTBOX_CHANNEL, "hello"))
            standby.wake()

            async def passed_on() -> bool:
                message = await heard.get_message(timeout=1)
                return message is not None and message["data"] == b""

            await until(passed_on)
            await first.aclose()
            await store.insert(*groups(range(5)))
            await moved(client, store, standby)
    assert len(await stream_changes(client)) == 5


async def test_a_signal_of_another_process_wakes_the_relay(client: Redis, store: PostgresStore) -> None:
    async with relaying(client, store) as relay:
        await moved(client, store, relay)
        await until(lambda: _listens(client))
        await store.insert(group("a"))
        await Signals(client).send(OUTBOX_CHANNEL, "")
        await moved(client, store)
    assert seen(await stream_changes(client)) == ["a"]


async def _listens(client: Redis) -> bool:
    return (await client.pubsub_numsub(OUTBOX_CHANNEL))[0][1] > 0


async def test_ids_of_two_outboxes_do_not_collide(client: Redis, store: PostgresStore) -> None:
    async with PostgresStore.open(str(store.engine.url.set(drivername="postgresql"))) as same:
        twin = Renumbered(same)
        await store.insert(*groups(range(10)))
        async with relaying(client, store, twin) as relay:
            await until(lambda: _length(client, 16))
            await moved(client, store, relay)
    assert sorted(seen(await stream_changes(client))) == sorted([*(f"{n:06}" for n in range(10)), *["twin"] * 5])


class Renumbered:
    """An outbox whose ids are those of another one too."""

    def __init__(self, store: PostgresStore) -> None:
        self._payloads = {str(number): b"" for number in range(1, 6)}
        self._store = store

    async def waiting(self, limit: int) -> list[tuple[str, bytes]]:
        change = b'{"collection":"groups","operation":"insert","ids":["twin"],"at":"","document":{}}'
        return [(id, change) for id in self._payloads][:limit]

    async def remove(self, ids: Sequence[str]) -> None:
        for id in ids:
            del self._payloads[id]


async def _length(client: Redis, length: int) -> bool:
    return bool(await client.xlen(STREAM) == length)


class FailingOutbox:
    """The real outbox of a database that is away for a while."""

    def __init__(self, store: PostgresStore, failures: int) -> None:
        self._store = store
        self.failures = failures

    async def waiting(self, limit: int) -> list[tuple[str, bytes]]:
        self._fail()
        return await self._store.waiting(limit)

    async def remove(self, ids: Sequence[str]) -> None:
        self._fail()
        await self._store.remove(ids)

    def _fail(self) -> None:
        self.failures -= 1
        if self.failures >= 0 and self.failures != 2:
            raise UpstreamUnavailable("The database does not answer.")


async def test_an_outage_of_the_store_is_told_once_and_survived(
    client: Redis, store: PostgresStore, caplog: pytest.LogCaptureFixture
) -> None:
    await store.insert(*groups(range(30)))
    async with relaying(client, FailingOutbox(store, 5)) as relay:
        await moved(client, store, relay)
    assert seen(await stream_changes(client)) == [f"{number:06}" for number in range(30)]
    assert len([record for record in caplog.records if record.levelname == "ERROR"]) == 1


async def test_redis_killed_and_restarted_in_mid_stream_loses_nothing(
    server: RedisServer, client: Redis, store: PostgresStore
) -> None:
    hub = Hub(server.url, queue_length=10_000)
    async with relaying(client, store) as relay, hub.running():
        subscription = await hub.subscribe(GROUPS)

        async def write() -> None:
            for start in range(0, 2_000, 20):
                await store.insert(*groups(range(start, start + 20)))
                relay.wake()

        writing = asyncio.create_task(write())
        changes = []
        for _ in range(3):
            changes += await take(subscription, 300)
            await server.kill()
            await server.start()
        changes += await take(subscription, 1_100)
        await writing
        assert await nothing_more(subscription, store)
    assert seen(changes) == [f"{number:06}" for number in range(2_000)]


@pytest.mark.parametrize(
    ("size", "count", "length"),
    [
        (600, BATCH_LENGTH, LONGEST_BATCH),
        (600, 1, LONGEST_BATCH),
        (BATCH_BYTES // 200, LONGEST_BATCH, 200),
        (BATCH_BYTES, BATCH_LENGTH, BATCH_LENGTH),
        (0, 1, LONGEST_BATCH),
    ],
)
def test_many_small_changes_are_moved_at_a_time_and_few_large_ones(size: int, count: int, length: int) -> None:
    assert next_length([("id", b"x" * size)] * count) == length


async def test_a_backlog_is_moved_whole_whatever_the_batches(client: Redis, store: PostgresStore) -> None:
    large = [group(f"{number:06}", "x" * 20_000 * (number % 3)) for number in range(3 * LONGEST_BATCH + 7)]
    await store.insert(*large)
    async with relaying(client, store) as relay:
        await moved(client, store, relay)
    assert seen(await stream_changes(client)) == [each.id for each in large]
    assert joined(await stream_entries(client))
