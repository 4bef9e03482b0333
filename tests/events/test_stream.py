import asyncio

from redis.asyncio import Redis

from tests.events.writing import GROUPS, groups, joined, nothing_more, seen, take
from tests.factories.conditions import until
from tests.redis_server import RedisServer
from virtool_gql.events import STREAM, Hub, Relay
from virtool_gql.events.entries import Entry, newest_id
from virtool_gql.events.stream import AHEAD_COUNT, StreamBackend, reading
from virtool_gql.stores.postgres import PostgresStore


async def fill(client: Redis, count: int) -> list[str]:
    previous = await newest_id(client)
    ids = []
    for number in range(count):
        added = await client.xadd(STREAM, {"previous": previous, "change": str(number)})
        previous = added.decode() if isinstance(added, bytes) else str(added)
        ids.append(previous)
    return ids


async def kill_readers(client: Redis) -> int:
    readers = [each for each in await client.client_list() if each["cmd"] == "xread"]
    for reader in readers:
        await client.client_kill_filter(_id=reader["id"])
    return len(readers)


async def test_reading_begins_with_the_newest_entry_and_skips_nothing(server: RedisServer, client: Redis) -> None:
    await fill(client, 10)
    async with reading(server.url) as stream:
        assert stream.start == await newest_id(client)
        ids = await fill(client, 1_000)
        entries: list[Entry] = []
        async with asyncio.timeout(10):
            async for entry in stream.entries:
                entries.append(entry)
                if len(entries) == 1_000:
                    break
    assert [entry.id for entry in entries] == ids
    assert entries[0].previous == stream.start
    assert joined(entries)


async def test_the_backend_does_not_run_ahead_of_who_reads(server: RedisServer, client: Redis) -> None:
    """broadcaster's own queue takes anything; what holds it back is here."""
    async with reading(server.url) as stream:
        await fill(client, 3 * AHEAD_COUNT)
        await until(lambda: _idle(client))
        backend = StreamBackend(server.url)
        await backend.connect()
        await backend.subscribe(STREAM)
        await fill(client, 3 * AHEAD_COUNT)
        for _ in range(AHEAD_COUNT):
            await backend.next_published()
        more = asyncio.ensure_future(backend.next_published())
        done, _ = await asyncio.wait([more], timeout=0.1)
        assert not done
        backend.taken()
        await asyncio.wait_for(more, 1)
        await backend.disconnect()
        assert await anext(stream.entries)


async def _idle(client: Redis) -> bool:
    return not [each for each in await client.client_list() if each["cmd"] == "xread" and "b" in each["flags"]]


async def test_a_killed_reader_goes_on_where_it_was(server: RedisServer, client: Redis, store: PostgresStore) -> None:
    relay = Relay(client, [store])
    hub = Hub(server.url, queue_length=10_000)
    killed = 0
    async with relay.running(), hub.running():
        subscription = await hub.subscribe(GROUPS)
        for start in range(0, 1_000, 10):
            await store.insert(*groups(range(start, start + 10)))
            relay.wake()
            killed += await kill_readers(client)
        changes = await take(subscription, 1_000)
        assert await nothing_more(subscription, store)
    assert seen(changes) == [f"{number:06}" for number in range(1_000)]
    assert killed > 20


async def test_two_readers_that_come_and_go_leave_the_other_alone(server: RedisServer, client: Redis) -> None:
    async with reading(server.url) as first:
        async with reading(server.url):
            await fill(client, 1)
        async with reading(server.url):
            pass
        [id] = await fill(client, 1)
        assert [(await anext(first.entries)).id for _ in range(2)][-1] == id
