"""What tests of every kind stand on: real services, started once."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from redis.asyncio import Redis

from tests.stores.fixtures import (
    announced,
    crowd,
    documents_store,
    migrated,
    mongo,
    mongo_url,
    postgres,
    postgres_url,
    store,
)
from virtool_gql.embedded import ServiceUrls, embedded_services

__all__ = [
    "announced",
    "crowd",
    "documents_store",
    "migrated",
    "mongo",
    "mongo_url",
    "postgres",
    "postgres_url",
    "store",
]


@pytest.fixture(scope="session")
async def services(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[ServiceUrls]:
    """PostgreSQL and Redis, freshly started."""
    data_path: Path = tmp_path_factory.mktemp("services")
    async with embedded_services(data_path) as urls:
        yield urls


@pytest.fixture
async def redis(services: ServiceUrls) -> AsyncIterator[Redis]:
    """A client of the Redis, which is empty."""
    async with Redis.from_url(services.redis) as client:
        await client.flushall()
        yield client
