"""The whole application: opened, asked, and closed in order."""

import asyncio
import gc
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from redis.asyncio import Redis
from starlette.types import Message

from tests.web.serving import listening
from virtool_gql.app import GC_THRESHOLDS, Application, build, migrate, opened
from virtool_gql.config import Config
from virtool_gql.embedded import ServiceUrls

FIRST = 'mutation { createFirstUser(input: {handle: "ada", password: "analytical engine"}) { errors { message } } }'


@pytest.fixture
def config(services: ServiceUrls, postgres_url: str, redis: Redis, tmp_path: Path) -> Config:
    del redis  # it is emptied
    watch_path = tmp_path / "watch"
    urls = {"postgres_url": postgres_url, "redis_url": services.redis}
    return Config(data_path=tmp_path, watch_path=watch_path, no_runner=True, **urls)


@asynccontextmanager
async def started(application: Any) -> AsyncIterator[str]:
    """Run the application's lifespan around a server, as uvicorn does."""
    said: asyncio.Queue[Message] = asyncio.Queue()
    heard: asyncio.Queue[Message] = asyncio.Queue()
    scope = {"type": "lifespan", "asgi": {"version": "3.0"}, "state": {}}
    task = asyncio.create_task(application(scope, heard.get, said.put))
    heard.put_nowait({"type": "lifespan.startup"})
    assert (await said.get())["type"] == "lifespan.startup.complete"
    async with listening(application) as address:
        yield address
    heard.put_nowait({"type": "lifespan.shutdown"})
    assert (await said.get())["type"] == "lifespan.shutdown.complete"
    await task


async def test_the_application_serves_the_real_schema(config: Config) -> None:
    application = build(config)
    async with started(application) as address, httpx.AsyncClient(base_url=f"http://{address}", timeout=30) as client:
        assert (await client.get("/health/ready")).status_code == 200
        ask = {"query": "{ server { setupRequired } viewer { handle } }"}
        data = (await client.post("/graphql", json=ask)).json()["data"]
        assert data["server"] == {"setupRequired": True}
        assert (await client.post("/graphql", json={"query": FIRST})).cookies
        data = (await client.post("/graphql", json=ask)).json()["data"]
        assert (data["server"], data["viewer"]) == ({"setupRequired": False}, {"handle": "ada"})
        assert (await client.get("/nothing")).json()["code"] == "NOT_FOUND"
    assert isinstance(application, Application)
    assert application.graphql is None


async def test_an_instance_is_opened_again_on_what_it_kept(config: Config) -> None:
    async with opened(config) as instance:
        await instance.db.users.create_first("ada", "analytical engine")
    await migrate(config)
    async with opened(config) as instance:
        assert await instance.db.users.any_exist()


def test_a_collection_of_garbage_holds_the_event_loop_shortly() -> None:
    pauses = []
    gc.disable()
    try:
        for _ in range(10):
            for _ in range(GC_THRESHOLDS[0]):
                cycle: list[Any] = []
                cycle.append(cycle)
            begun = time.thread_time()
            gc.collect(0)
            pauses.append(time.thread_time() - begun)
    finally:
        gc.enable()
    assert min(pauses) < 0.005
