import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing

import pytest
from redis.asyncio import Redis

from tests.factories.conditions import until
from tests.redis_server import RedisServer, redis_server
from virtool_gql.errors import RateLimited, UpstreamUnavailable
from virtool_gql.stores.redis import JobQueues, RateLimit, Signals, connect
from virtool_gql.workflows import Workflow


@pytest.fixture(scope="module")
async def server() -> AsyncIterator[RedisServer]:
    async with redis_server() as server:
        yield server


@pytest.fixture
async def client(server: RedisServer) -> AsyncIterator[Redis]:
    async with connect(server.url) as client:
        await client.flushall()
        yield client


@pytest.fixture
async def other(server: RedisServer) -> AsyncIterator[Redis]:
    async with connect(server.url) as client:
        yield client


async def test_a_rate_limit_counts_over_all_processes(client: Redis, other: Redis) -> None:
    limits = [RateLimit(redis, "login", 5, 60) for redis in (client, other)]
    results = await asyncio.gather(*(limits[n % 2].take("bob") for n in range(40)), return_exceptions=True)
    assert results.count(None) == 5
    assert all(isinstance(result, RateLimited) for result in results if result is not None)
    with pytest.raises(RateLimited, match=r"try again in (60|59|58) seconds\."):
        await limits[0].take("bob")
    await limits[0].take("eve")
    await limits[0].forget("bob")
    await limits[1].take("bob")


async def test_a_rate_limit_ends_and_a_refused_try_does_not_prolong_it(client: Redis) -> None:
    limit = RateLimit(client, "login", 2, 1)
    taken: list[float] = []
    async with asyncio.timeout(10):
        while len(taken) < 6:
            try:
                await limit.take("bob")
            except RateLimited:
                await asyncio.sleep(0.01)
            else:
                taken.append(asyncio.get_running_loop().time())
    assert all(later - earlier > 0.95 for earlier, later in zip(taken, taken[2:], strict=False))
    assert taken[-1] - taken[0] < 5


async def test_what_is_limited_stands_in_no_key(client: Redis) -> None:
    await RateLimit(client, "login", 5, 60).take("bob\n" * 10_000)
    [key] = await client.keys()
    assert b"bob" not in key
    assert len(key) < 100


async def test_ids_are_popped_in_the_order_of_their_pushing_once_each(client: Redis) -> None:
    queues = JobQueues(client)
    for job_id in ["a", "b", "a", "c", "b"]:
        await queues.push(Workflow.NUVS, job_id)
    assert await queues.waiting() == {"a", "b", "c"}
    assert [await queues.pop([Workflow.NUVS], 1) for _ in range(3)] == ["a", "b", "c"]
    assert await queues.pop([Workflow.NUVS], 0) is None
    assert await queues.pop([], 0) is None


async def test_a_full_list_starves_no_other(client: Redis) -> None:
    queues = JobQueues(client)
    for job_id in ["a", "b", "c"]:
        await queues.push(Workflow.CREATE_SAMPLE, job_id)
        await queues.push(Workflow.NUVS, job_id.upper())
    popped = [await queues.pop([Workflow.CREATE_SAMPLE, Workflow.NUVS], 1) for _ in range(6)]
    assert popped == ["a", "A", "b", "B", "c", "C"]


async def test_an_id_that_is_put_back_is_first_again_and_never_twice(client: Redis) -> None:
    queues = JobQueues(client)
    await queues.push(Workflow.NUVS, "a")
    await queues.push(Workflow.NUVS, "b")
    assert await queues.pop([Workflow.NUVS], 1) == "a"
    await queues.push(Workflow.NUVS, "a")
    await queues.put_back(Workflow.NUVS, "a")
    assert [await queues.pop([Workflow.NUVS], 0) for _ in range(3)] == ["a", "b", None]


async def test_a_removed_id_waits_nowhere(client: Redis) -> None:
    queues = JobQueues(client)
    await queues.push(Workflow.NUVS, "a")
    assert await queues.remove("a")
    assert not await queues.remove("a")
    assert await queues.waiting() == set()


async def test_who_waits_for_a_job_is_given_it_at_once(client: Redis, other: Redis) -> None:
    waiting = asyncio.create_task(JobQueues(client).pop([Workflow.NUVS, Workflow.CREATE_SAMPLE], 30))
    await _blocked(other)
    await JobQueues(other).push(Workflow.CREATE_SAMPLE, "a")
    assert await asyncio.wait_for(waiting, 1) == "a"


async def test_a_cancelled_pop_leaves_the_client_usable(client: Redis, other: Redis) -> None:
    waiting = asyncio.create_task(JobQueues(client).pop([Workflow.NUVS], 30))
    await _blocked(other)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert await JobQueues(client).waiting() == set()


async def _blocked(client: Redis) -> None:
    async def somebody_waits() -> bool:
        return bool((await client.info("clients"))["blocked_clients"])

    await until(somebody_waits)


async def test_signals_arrive_from_the_moment_of_listening(client: Redis, other: Redis) -> None:
    async with Signals(client).listening("channel:cancel") as messages:
        for message in ["a", "b"]:
            await Signals(other).send("channel:cancel", message)
        await Signals(other).send("channel:log", "c")
        await Signals(other).send("channel:cancel", "d")
        assert [await anext(messages) for _ in range(3)] == ["a", "b", "d"]


async def test_listening_ends_cleanly_by_closing_and_by_cancellation(client: Redis, other: Redis) -> None:
    async with aclosing(Signals(client).listen("channel:log")) as messages:
        first = asyncio.ensure_future(anext(messages))
        await _listeners(other, 1)
        await Signals(other).send("channel:log", "a")
        assert await first == "a"
    await _listeners(other, 0)
    second = asyncio.ensure_future(anext(Signals(client).listen("channel:log")))
    await _listeners(other, 1)
    second.cancel()
    with pytest.raises(asyncio.CancelledError):
        await second
    await _listeners(other, 0)


async def _listeners(client: Redis, count: int) -> None:
    async def so_many() -> bool:
        return len(await client.client_list(_type="pubsub")) == count

    await until(so_many)


async def test_a_killed_listener_listens_again(client: Redis, other: Redis) -> None:
    async with Signals(client).listening("channel:cancel") as messages:
        awaited = asyncio.ensure_future(anext(messages))
        [before] = await other.client_list(_type="pubsub")
        await other.client_kill_filter(_id=before["id"])
        await until(lambda: other.publish("channel:cancel", "a"))
        assert await asyncio.wait_for(awaited, 5) == "a"


async def test_a_restart_of_redis_keeps_jobs_and_listeners() -> None:
    async with redis_server() as server, connect(server.url) as client, connect(server.url) as other:
        await JobQueues(client).push(Workflow.NUVS, "a")
        async with Signals(client).listening("channel:cancel") as messages:
            awaited = asyncio.ensure_future(anext(messages))
            await server.kill()
            await server.start()
            assert await JobQueues(client).pop([Workflow.NUVS], 1) == "a"
            await until(lambda: other.publish("channel:cancel", "back"))
            assert await asyncio.wait_for(awaited, 10) == "back"


async def test_a_redis_that_is_not_there_is_a_sentence_of_ours() -> None:
    async with redis_server() as server, connect(server.url) as client:
        await server.kill()
        with pytest.raises(UpstreamUnavailable, match="Redis does not answer"):
            await JobQueues(client).waiting()


async def test_hundreds_of_commands_are_answered_at_once(client: Redis) -> None:
    limit = RateLimit(client, "login", 1, 60)
    await asyncio.gather(*(limit.take(str(number)) for number in range(300)))


async def test_a_cancelled_command_ends_whenever_it_is_cancelled(client: Redis) -> None:
    """redis-py with a socket timeout swallows some cancellations: one in twenty of these."""

    async def work() -> None:
        while True:
            await client.blpop(["nothing"], timeout=0.02)

    for steps in range(200):
        working = asyncio.create_task(work())
        for _ in range(steps % 40):
            await asyncio.sleep(0)
        working.cancel()
        done, _ = await asyncio.wait([working], timeout=5)
        assert done
