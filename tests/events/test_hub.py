import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager

import pytest
from redis.asyncio import Redis

from tests.events.writing import (
    AT,
    GROUPS,
    group,
    groups,
    nothing_more,
    seen,
    stream_changes,
    stream_entries,
    take,
    write,
)
from tests.factories.conditions import until
from tests.redis_server import RedisServer, redis_server
from virtool_gql.errors import BadUserInput, CursorExpired, UpstreamUnavailable
from virtool_gql.events import STREAM, Hub, Relay
from virtool_gql.events.hub import PAGE_LENGTH
from virtool_gql.events.subscriptions import Subscription
from virtool_gql.models.changes import Change, Operation
from virtool_gql.models.users import ApiKey
from virtool_gql.stores.postgres import PostgresStore
from virtool_gql.stores.redis import connect

BOTH = frozenset({"groups", "keys"})


@pytest.fixture
async def store(database: str, client: Redis) -> AsyncIterator[PostgresStore]:
    """A store whose changes a relay moves on."""
    async with _relayed(database, client, stream_length=50_000) as store:
        yield store


@pytest.fixture
async def short(database: str, client: Redis) -> AsyncIterator[PostgresStore]:
    """The same, but the stream holds 20 changes."""
    async with _relayed(database, client, stream_length=20) as store:
        yield store


@asynccontextmanager
async def _relayed(database: str, client: Redis, stream_length: int) -> AsyncIterator[PostgresStore]:
    async with PostgresStore.open(database, on_announced=lambda: relay.wake()) as store:  # noqa: PLW0108 - comes later
        relay = Relay(client, [store], stream_length=stream_length)
        async with relay.running():
            yield store


@pytest.fixture
async def hub(server: RedisServer) -> AsyncIterator[Hub]:
    hub = Hub(server.url)
    async with hub.running():
        yield hub


def key(id: str) -> ApiKey:
    return ApiKey(id=id, name=id, key_hash=id, user_id="bob", created_at=AT)


async def in_the_stream(client: Redis, id: str) -> str:
    """Wait until the change of the document is in the stream; give its cursor."""
    cursors: list[str] = []

    async def there() -> bool:
        cursors[:] = [change.cursor for change in await stream_changes(client) if change.ids == (id,)]
        return bool(cursors)

    await until(there)
    return cursors[-1]


async def test_a_change_says_what_was_done_to_what_and_where_it_stands(hub: Hub, store: PostgresStore) -> None:
    subscription = await hub.subscribe(BOTH)
    [inserted] = await store.insert(key("k1"))
    [replaced] = await store.replace(inserted)
    await store.delete(replaced)
    changes = await take(subscription, 3)
    assert [change.operation for change in changes] == [Operation.INSERT, Operation.UPDATE, Operation.DELETE]
    assert {change.collection for change in changes} == {"keys"}
    assert seen(changes) == ["k1"] * 3
    assert [change.document["version"] for change in changes] == [1, 2, 2]
    assert all("key_hash" not in change.document for change in changes)
    assert await hub.cursor() == changes[-1].cursor == subscription.cursor


async def test_only_the_collections_that_are_asked_for_come(hub: Hub, store: PostgresStore) -> None:
    start = await hub.cursor()
    live = await hub.subscribe(frozenset({"keys"}))
    none = await hub.subscribe(frozenset())
    await store.insert(group("g"), key("k1"), group("h"), key("k2"))
    assert seen(await take(live, 2)) == ["k1", "k2"]
    replayed = await hub.subscribe(frozenset({"keys"}), start)
    assert seen(await take(replayed, 2)) == ["k1", "k2"]
    assert none.cursor == start


async def test_a_subscription_holds_when_subscribe_returns(hub: Hub, store: PostgresStore) -> None:
    subscriptions = [await hub.subscribe(GROUPS) for _ in range(50)]
    await store.insert(group("a"))
    assert [seen(await take(each, 1)) for each in subscriptions] == [["a"]] * 50


async def test_an_empty_log_has_a_cursor_after_which_nothing_is_missed(hub: Hub, store: PostgresStore) -> None:
    cursor = await hub.cursor()
    await write(store, range(3))
    subscription = await hub.subscribe(GROUPS, cursor)
    assert len(await take(subscription, 3)) == 3


async def test_a_cursor_is_not_earlier_than_what_is_in_the_stream(
    hub: Hub, store: PostgresStore, client: Redis
) -> None:
    for number in range(20):
        [id] = await write(store, [number])
        newest = await in_the_stream(client, id)
        assert await hub.cursor() == newest


@pytest.mark.parametrize("seed", range(3))
async def test_after_any_cursor_comes_exactly_what_followed(
    server: RedisServer, hub: Hub, store: PostgresStore, seed: int
) -> None:
    """Subscribers come and go, with cursors new and old, at full speed and slowly, while others write."""
    dice = random.Random(seed)  # noqa: S311 - a test's dice
    cursors = [await hub.cursor()]
    results: list[tuple[str | None, list[str]]] = []
    ended = asyncio.Event()

    async def writer() -> None:
        for start in range(0, 2_000, 5):
            await store.insert(*groups(range(start, start + 5)))
        ended.set()

    async def watcher() -> None:
        async with aclosing(hub.changes(GROUPS, cursors[0])) as changes:
            async for change in changes:
                cursors.append(change.cursor)
                if len(cursors) == 2_001:
                    return

    async def visitor() -> None:
        while not ended.is_set():
            hub_here = Hub(server.url) if dice.random() < 0.2 else hub
            async with hub_here.running() if hub_here is not hub else _nothing():
                after = dice.choice(cursors)
                async with aclosing(hub_here.changes(GROUPS, after)) as changes:
                    results.append((after, await _some(changes, dice)))

    async with asyncio.timeout(100):
        await asyncio.gather(writer(), watcher(), *(visitor() for _ in range(8)))
    assert len(results) > 20
    for after, given in results:
        assert given == cursors[cursors.index(after) + 1 :][: len(given)] if after else given


async def test_who_read_further_in_the_log_than_the_hub_is_given_nothing_twice(
    server: RedisServer, store: PostgresStore, client: Redis
) -> None:
    slow = Hub(server.url)  # not running: it reads when this test says so
    slow._last = await slow.cursor()
    start = await in_the_stream(client, (await write(store, [0]))[0])
    await in_the_stream(client, (await write(store, range(1, 4)))[-1])
    subscription = await slow.subscribe(GROUPS, start)
    given = await take(subscription, 3)
    waiting = asyncio.create_task(take(subscription, 1))
    await until(lambda: _subscribed(slow))
    await in_the_stream(client, (await write(store, [4]))[0])
    for entry in (await stream_entries(client))[1:]:
        slow._hand_on(entry)
    given += await asyncio.wait_for(waiting, 5)
    assert given == (await stream_changes(client))[1:]
    await slow._redis.aclose()


@asynccontextmanager
async def _nothing() -> AsyncIterator[None]:
    yield


async def _some(changes: AsyncIterator[Change], dice: random.Random) -> list[str]:
    """Read until it is live and a little longer, or until nothing more comes."""
    given = []
    wanted = dice.randrange(1, 900)
    try:
        async with asyncio.timeout(1):
            async for change in changes:
                given.append(change.cursor)
                if len(given) == wanted:
                    return given
                if dice.random() < 0.05:
                    await asyncio.sleep(dice.random() / 100)
    except TimeoutError:
        pass
    return given


@pytest.mark.parametrize(
    "cursor",
    [
        *("", "x", "1", "1-", "-1", "1-1-1", "01-0", "1-00", "$", "+", "(1-1", " 1-1", "1-1\n"),
        *("\u0661-1", "0x1-1", "1-1\0", "9" * 20 + "-0", f"{2**64 - 1}-{2**64 - 1}"),
    ],
)
async def test_what_is_no_cursor_is_refused(hub: Hub, cursor: str) -> None:
    with pytest.raises(BadUserInput, match="not a cursor") as raised:
        await hub.subscribe(GROUPS, cursor)
    assert raised.value.path == ("after",)


@pytest.mark.parametrize("cursor", ["0-0", "1-1", "99999999999999-0", f"{2**64 - 2}-{2**64 - 2}"])
async def test_a_cursor_that_the_log_never_gave_has_expired(hub: Hub, store: PostgresStore, cursor: str) -> None:
    await write(store, range(3))
    with pytest.raises(CursorExpired):
        await hub.subscribe(GROUPS, cursor)


async def test_a_cursor_expires_when_what_followed_it_is_trimmed_away(
    hub: Hub, server: RedisServer, short: PostgresStore, client: Redis
) -> None:
    subscription = await hub.subscribe(GROUPS)
    await write(short, range(40))
    changes = await take(subscription, 40)
    assert await client.xlen(STREAM) == 20
    fresh = Hub(server.url)  # one that remembers nothing
    async with fresh.running():
        for expired in changes[:19]:
            with pytest.raises(CursorExpired):
                await fresh.subscribe(GROUPS, expired.cursor)
        for place, kept in enumerate(changes[19:], start=20):
            again = await fresh.subscribe(GROUPS, kept.cursor)
            assert await take(again, 40 - place) == changes[place:]


async def test_all_cursors_expire_when_redis_is_wiped_and_who_listens_is_told(
    hub: Hub, store: PostgresStore, client: Redis
) -> None:
    old = await hub.cursor()
    live = await hub.subscribe(GROUPS)
    await write(store, range(3))
    [*_, last] = await take(live, 3)
    waiting = asyncio.ensure_future(anext(live))
    await client.flushall()
    with pytest.raises(CursorExpired):
        await asyncio.wait_for(waiting, 10)
    for cursor in (old, last.cursor):
        with pytest.raises(CursorExpired):
            await hub.subscribe(GROUPS, cursor)
    anew = await hub.subscribe(GROUPS, await hub.cursor())
    await write(store, range(3, 6))
    assert len(await take(anew, 3)) == 3


async def test_a_log_that_was_replaced_by_an_older_one_is_noticed(
    hub: Hub, store: PostgresStore, client: Redis
) -> None:
    """As when Redis comes back without its last second: the clock says nothing, the places do."""
    live = await hub.subscribe(GROUPS)
    await write(store, range(3))
    await take(live, 3)
    entries = await stream_entries(client)
    async with client.pipeline(transaction=True) as both:
        both.delete(STREAM)
        for entry in entries[:2]:
            both.xadd(
                STREAM, {"previous": entry.previous, **({"change": entry.payload} if entry.payload else {})}, entry.id
            )
        await both.execute()
    with pytest.raises(CursorExpired):
        await asyncio.wait_for(anext(live), 10)
    with pytest.raises(CursorExpired):
        await hub.subscribe(GROUPS, entries[-1].id)
    replayed = await hub.subscribe(GROUPS, entries[1].id)
    assert await nothing_more(replayed, store)


async def test_who_is_slow_gets_everything_and_disturbs_nobody(server: RedisServer, store: PostgresStore) -> None:
    hub = Hub(server.url, queue_length=10)
    async with hub.running():
        idle, slow, fast = [await hub.subscribe(GROUPS) for _ in range(3)]
        [first, second] = await write(store, range(2))
        assert seen(await take(slow, 2)) == [first, second]
        reading = asyncio.create_task(take(fast, 102))
        await write(store, range(2, 102))
        assert len(await reading) == 102
        assert len(slow._changes) == len(idle._changes) == 10
        assert seen(await take(slow, 100)) == [f"{number:06}" for number in range(2, 102)]
        assert not slow.replays
        [third] = await write(store, [102])
        assert seen(await take(slow, 1)) == [third]
        assert seen(await take(idle, 103)) == [f"{number:06}" for number in range(103)]
        assert hub._live["groups"] == {fast: None, slow: None}


async def test_a_burst_reaches_everybody_whole_and_in_order_while_little_of_it_is_held(
    server: RedisServer, store: PostgresStore
) -> None:
    dice = random.Random(5)  # noqa: S311 - a test's dice
    hub = Hub(server.url, queue_length=50)
    most = 0

    async def read(subscription: Subscription, restful: float) -> list[str]:
        nonlocal most
        given = []
        async for change in subscription:
            given += change.ids
            most = max(most, len(subscription._changes))
            if dice.random() < restful:
                await asyncio.sleep(0)
            if given[-1] == "after":
                return given
        return given

    async with hub.running():
        subscriptions = [await hub.subscribe(GROUPS) for _ in range(3)]
        readers = [asyncio.create_task(read(each, number / 2)) for number, each in enumerate(subscriptions)]
        await store.insert(*groups(range(4_000)))
        await store.insert(group("after"))
        expected = [*(f"{number:06}" for number in range(4_000)), "after"]
        async with asyncio.timeout(60):
            assert await asyncio.gather(*readers) == [expected] * 3
    assert most <= PAGE_LENGTH


async def test_who_is_so_slow_that_the_log_is_trimmed_ends_there(server: RedisServer, short: PostgresStore) -> None:
    hub = Hub(server.url, queue_length=10)
    async with hub.running():
        slow, fast = [await hub.subscribe(GROUPS) for _ in range(2)]
        for number in range(60):
            await write(short, [number])
            await take(fast, 1)
        assert seen(await take(slow, 10)) == [f"{number:06}" for number in range(10)]
        for _ in range(2):
            with pytest.raises(CursorExpired):
                await anext(slow)
        with pytest.raises(CursorExpired):
            await hub.subscribe(GROUPS, slow.cursor)


async def test_who_is_behind_when_the_log_is_wiped_or_no_longer_read_is_told(
    server: RedisServer, store: PostgresStore, client: Redis
) -> None:
    hub = Hub(server.url, queue_length=10)
    async with hub.running():
        behind, other, live = [await hub.subscribe(GROUPS) for _ in range(3)]
        reading = asyncio.create_task(take(live, 30))
        await write(store, range(30))
        await reading
        ending = asyncio.create_task(anext(live))
        await client.flushall()
        with pytest.raises(CursorExpired):
            await ending
        await take(behind, 10)
        with pytest.raises(CursorExpired):
            await anext(behind)
    await take(other, 10)
    with pytest.raises(CursorExpired):
        await anext(other)


async def test_who_falls_behind_while_it_reads_the_past_is_not_said_to_replay_for_ever(
    server: RedisServer, store: PostgresStore
) -> None:
    """What had been in the log before is a replay, what came while it was live is none, however it was read."""
    hub = Hub(server.url, queue_length=10)
    async with hub.running():
        start, watch = await hub.cursor(), await hub.subscribe(GROUPS)
        await write(store, range(5))
        await take(watch, 5)
        late = await hub.subscribe(GROUPS, start)
        reading = asyncio.create_task(take(watch, 40))
        await write(store, range(5, 45))
        await reading
        replays = []
        for _ in range(45):
            await anext(late)
            replays.append(late.replays)
    assert replays == [True] * 5 + [False] * 40


async def test_a_closed_generator_leaves_nothing_behind(hub: Hub, store: PostgresStore) -> None:
    for _ in range(3):
        async with aclosing(hub.changes(BOTH, await hub.cursor())) as changes:
            await write(store, [random.randrange(10**6)])  # noqa: S311 - a test's dice
            await anext(changes)
            assert [len(live) for live in hub._live.values()] == [1, 1]
        assert not any(hub._live.values())


async def test_a_cancelled_subscriber_leaves_nothing_behind(hub: Hub) -> None:
    async def read() -> None:
        async with aclosing(hub.changes(GROUPS)) as changes:
            await anext(changes)

    reading = asyncio.create_task(read())
    await until(lambda: _subscribed(hub))
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
    assert not any(hub._live.values())


async def _subscribed(hub: Hub) -> bool:
    return any(hub._live.values())


async def test_a_closed_subscription_ends_for_who_waits_on_it(hub: Hub) -> None:
    subscription = await hub.subscribe(GROUPS)
    waiting = asyncio.ensure_future(anext(subscription, None))
    await asyncio.sleep(0)
    subscription.close()
    subscription.close()
    assert await waiting is None


async def test_a_hub_that_stops_tells_its_subscribers(server: RedisServer) -> None:
    hub = Hub(server.url)
    async with hub.running():
        subscription = await hub.subscribe(GROUPS)
        waiting = asyncio.ensure_future(anext(subscription))
        await asyncio.sleep(0)
    with pytest.raises(UpstreamUnavailable):
        await waiting
    with pytest.raises(UpstreamUnavailable):
        await hub.subscribe(GROUPS)


async def test_a_hub_without_redis_says_so() -> None:
    async with redis_server() as server:
        await server.kill()
        hub = Hub(server.url)
        with pytest.raises(UpstreamUnavailable, match="event log does not answer"):
            async with hub.running():
                pass
        with pytest.raises(UpstreamUnavailable, match="event log does not answer"):
            await hub.cursor()


async def test_an_entry_that_is_no_change_is_passed_over(
    hub: Hub, client: Redis, store: PostgresStore, caplog: pytest.LogCaptureFixture
) -> None:
    start = await hub.cursor()
    live = await hub.subscribe(GROUPS)
    await client.xadd(STREAM, {"previous": start, "change": b"{"})
    assert await nothing_more(live, store)
    assert "holds no change" in caplog.text
    async with Hub(await _url(client)).running():
        replayed = await hub.subscribe(GROUPS, start)
        assert seen(await take(replayed, 1)) == ["last"]


async def _url(client: Redis) -> str:
    return f"unix://{client.connection_pool.connection_kwargs['path']}"


async def test_a_burst_leaves_the_event_loop_to_others(server: RedisServer, store: PostgresStore) -> None:
    hub = Hub(server.url, queue_length=100_000)
    async with hub.running(), connect(server.url):
        subscriptions = [await hub.subscribe(GROUPS) for _ in range(300)]
        await store.insert(*groups(range(3_000)))
        for subscription in subscriptions:
            assert len(await take(subscription, 3_000)) == 3_000


# Those who observe everything, and the whole log


async def test_an_observer_hears_each_change_of_its_collection_before_anybody_is_told(
    hub: Hub, store: PostgresStore
) -> None:
    heard: list[str] = []

    def observe(change: Change | None) -> None:
        assert change is not None
        assert not subscription._changes or subscription._changes[-1].cursor != change.cursor
        heard.extend(change.ids)

    subscription = await hub.subscribe(BOTH)
    hub.observe("groups", observe)
    hub.observe("groups", observe)
    await store.insert(group("g"), key("k1"), group("h"), key("k2"))
    assert seen(await take(subscription, 4)) == ["g", "k1", "h", "k2"]
    assert heard == ["g", "g", "h", "h"]


async def test_an_observer_is_told_that_changes_got_lost_before_it_hears_of_the_next(
    hub: Hub, store: PostgresStore, client: Redis
) -> None:
    heard: list[str | None] = []
    hub.observe("groups", lambda change: heard.append(change.ids[0] if change else None))
    await write(store, [1])
    await until(lambda: heard)
    await client.delete(STREAM)
    await write(store, [2])
    await until(lambda: heard[-1] == "000002")
    assert heard == ["000001", None, "000002"]


@pytest.mark.parametrize("count", [0, 1, PAGE_LENGTH, 2 * PAGE_LENGTH + 1])
async def test_the_whole_log_can_be_read(hub: Hub, store: PostgresStore, client: Redis, count: int) -> None:
    await store.insert(*groups(range(count)), key("k1"))
    await in_the_stream(client, "k1")
    assert seen([change async for change in hub.past(GROUPS)]) == [f"{number:06}" for number in range(count)]
    assert seen([change async for change in hub.past(BOTH)])[-1:] == ["k1"]


async def test_an_empty_log_holds_nothing(hub: Hub, client: Redis) -> None:
    assert [change async for change in hub.past(GROUPS)] == []
    await client.delete(STREAM)
    assert [change async for change in hub.past(GROUPS)] == []


async def test_what_is_trimmed_while_the_log_is_read_is_passed_over(
    hub: Hub, store: PostgresStore, client: Redis
) -> None:
    await store.insert(*groups(range(3 * PAGE_LENGTH)))
    await in_the_stream(client, f"{3 * PAGE_LENGTH - 1:06}")
    past = hub.past(GROUPS)
    async with aclosing(past):
        first = seen([await anext(past) for _ in range(PAGE_LENGTH)])
        await client.xtrim(STREAM, maxlen=PAGE_LENGTH, approximate=False)
        rest = seen([change async for change in past])
    assert first + rest == [
        f"{number:06}" for number in (*range(PAGE_LENGTH), *range(2 * PAGE_LENGTH, 3 * PAGE_LENGTH))
    ]
