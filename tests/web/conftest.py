"""The edge with the probe's schema, for tests of what the edge itself does, and with the whole one."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from redis.asyncio import Redis

from resolvers.root import schema
from tests.web.serving import Stores, Web, served
from virtool_gql.access import Viewer
from virtool_gql.embedded import ServiceUrls


@pytest.fixture
def stores(services: ServiceUrls, postgres_url: str, redis: Redis, tmp_path: Path) -> Stores:
    return Stores(postgres_url, services.redis, redis, tmp_path)


@pytest.fixture
async def web(stores: Stores) -> AsyncIterator[Web]:
    async with served(stores) as web:
        yield web


@pytest.fixture
async def ada(web: Web) -> Viewer:
    return await web.api.viewer("ada", administrator=True)


@pytest.fixture
async def site(stores: Stores) -> AsyncIterator[Web]:
    """The edge with the whole schema."""
    async with served(stores, on=schema) as web:
        yield web


@pytest.fixture
async def root(site: Web) -> Viewer:
    return await site.api.viewer("root", administrator=True)
