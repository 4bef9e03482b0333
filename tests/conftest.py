"""What tests of every kind stand on: real services, started once."""

from collections.abc import AsyncIterator, Generator
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
    rows,
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
    "rows",
    "store",
]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Have pytest tell in one line, and not in one for each test, that tests are left out and why."""
    report = yield
    if report.skipped and isinstance(report.longrepr, tuple) and "left out" in report.longrepr[2]:
        report.longrepr = ("tests", None, report.longrepr[2])  # type: ignore[assignment] # a place without a line
    return report


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
