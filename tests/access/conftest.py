"""One live server with the people and the documents of the matrix."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis

from tests.access.references import show_outside
from tests.access.world import World
from tests.factories.outside import World as Outside
from tests.live.server import LiveServer
from tests.web.serving import Stores
from virtool_gql.embedded import embedded_services
from virtool_gql.models.documents import now


@pytest.fixture(scope="session")
async def world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    folder = tmp_path_factory.mktemp("access")
    data = folder / "server" / "data"
    data.mkdir(parents=True)
    async with (
        embedded_services(folder / "stores") as urls,
        Redis.from_url(urls.redis) as redis,
        Outside().open() as outside,
    ):
        show_outside(outside)
        arguments = ("--postgres-url", urls.postgres, "--redis-url", urls.redis, "--no-runner", "--no-tasks")
        ways = ("--github-url", outside.url, "--ncbi-url", outside.url)
        live = LiveServer(data, (*arguments, *ways, "--limit-logins-per-minute", "100000"))
        await asyncio.to_thread(live.start)
        try:
            async with Stores(urls.postgres, urls.redis, redis, data).opened(now) as db:
                made = World(live.url, db, outside)
                async with made.client:
                    await made.settle()
                    yield made
        finally:
            assert await asyncio.to_thread(live.stop) == 0
