import asyncio

from redis.asyncio import Redis

from tests.factories.conditions import until
from tests.redis_server import redis_server
from virtool_gql.events import OUTBOX_CHANNEL
from virtool_gql.stores.redis import Signals
from virtool_gql.stores.wakening import Wakening


async def test_relays_are_woken_and_not_once_for_each_of_many_changes(redis: Redis) -> None:
    signals = Signals(redis)
    heard: list[str] = []

    async def listen() -> None:
        async for message in messages:
            heard.append(message)  # noqa: PERF401 - others look meanwhile

    async with signals.listening(OUTBOX_CHANNEL) as messages:
        listening = asyncio.create_task(listen())
        wakening = Wakening(signals)
        for _ in range(1000):
            wakening.wake()
        await until(lambda: heard)
        wakening.wake()
        await until(lambda: len(heard) > 1)
        listening.cancel()
        await asyncio.wait({listening})
    assert len(heard) < 10


async def test_a_redis_that_does_not_answer_disturbs_nobody() -> None:
    async with redis_server() as server, Redis.from_url(server.url) as client:
        await server.kill()
        wakening = Wakening(Signals(client))
        wakening.wake()
        assert wakening._sending is not None
        await wakening._sending
