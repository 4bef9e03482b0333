"""A database of its own for each test, on the real stores."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from redis.asyncio import Redis

from virtool_gql.db.database import Database
from virtool_gql.db.jobs import JobLimits
from virtool_gql.events import Hub, Relay
from virtool_gql.files import Places
from virtool_gql.models.documents import Timestamp, timestamp
from virtool_gql.stores.opening import StoreUrls, open_store, outboxes_of

LIMITS = JobLimits(sm_proc=1, sm_mem=2, lg_proc=3, lg_mem=4)


class SteppingClock:
    """A clock that a test moves; it goes on by a millisecond each time it is read."""

    def __init__(self) -> None:
        self.moment = datetime(2026, 3, 1, tzinfo=UTC)

    def __call__(self) -> Timestamp:
        self.moment += timedelta(milliseconds=1)
        return timestamp(self.moment)


@asynccontextmanager
async def opened(
    urls: StoreUrls,
    redis_url: str,
    redis: Redis,
    folder: Path,
    clock: Callable[[], Timestamp],
) -> AsyncIterator[Database]:
    """Give a database whose changes reach its hub."""
    places = Places(folder)
    places.create()
    async with open_store(urls, clock=clock) as store:
        relay = Relay(redis, outboxes_of(store))
        hub = Hub(redis_url)
        async with relay.running(), hub.running():
            yield Database(store, redis, hub, places, job_limits=LIMITS, clock=clock, bcrypt_rounds=4)
