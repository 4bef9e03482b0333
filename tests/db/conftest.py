"""What the tests of the wrappers stand on."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from redis.asyncio import Redis

from tests.factories.database import SteppingClock, opened
from tests.stores.mongo_server import fresh_database
from virtool_gql.db.database import Database
from virtool_gql.embedded import ServiceUrls
from virtool_gql.stores.opening import StoreUrls


@pytest.fixture
def clock() -> SteppingClock:
    return SteppingClock()


@pytest.fixture
async def db(
    services: ServiceUrls, postgres_url: str, redis: Redis, tmp_path: Path, clock: SteppingClock
) -> AsyncIterator[Database]:
    async with opened(StoreUrls(postgres_url), services.redis, redis, tmp_path, clock) as database:
        yield database


@pytest.fixture
def split_urls(postgres_url: str, mongo_url: str) -> StoreUrls:
    """Documents in MongoDB, rows in PostgreSQL."""
    return StoreUrls(postgres_url, fresh_database(mongo_url))


@pytest.fixture
async def split_db(
    services: ServiceUrls, split_urls: StoreUrls, redis: Redis, tmp_path: Path, clock: SteppingClock
) -> AsyncIterator[Database]:
    async with opened(split_urls, services.redis, redis, tmp_path, clock) as database:
        yield database


@pytest.fixture(params=["db", "split_db"])
def each_db(request: pytest.FixtureRequest) -> Database:
    """Give a database on each of the stores in turn."""
    chosen: Database = request.getfixturevalue(request.param)
    return chosen
