"""What the tests of the wrappers stand on."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from redis.asyncio import Redis

from tests.factories.database import SteppingClock, opened
from virtool_gql.db.database import Database
from virtool_gql.embedded import ServiceUrls


@pytest.fixture
def clock() -> SteppingClock:
    return SteppingClock()


@pytest.fixture
async def db(
    services: ServiceUrls, postgres_url: str, redis: Redis, tmp_path: Path, clock: SteppingClock
) -> AsyncIterator[Database]:
    async with opened(postgres_url, services.redis, redis, tmp_path, clock) as database:
        yield database
