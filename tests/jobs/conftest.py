"""Runners on real services, with real child processes."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import pytest
from redis.asyncio import Redis

from jobs.manager import JobManager, Limits
from jobs.runner import Timing
from jobs.workflow import ServiceUrls
from tests.jobs.laboratory import Laboratory
from virtool_gql import embedded
from virtool_gql.db.instance import Instance
from virtool_gql.db.job_runs import JobRuns
from virtool_gql.events import Hub
from virtool_gql.files import Places
from virtool_gql.models.documents import new_id, now
from virtool_gql.stores.opening import StoreUrls
from virtool_gql.stores.postgres import PostgresStore
from virtool_gql.stores.redis import JobQueues, Signals

LIMITS = Limits(proc=2, mem=4)
TIMING = Timing()

Manager = Callable[..., AbstractAsyncContextManager[JobManager]]


@pytest.fixture
def places(tmp_path: Path) -> Places:
    places = Places(tmp_path / "data")
    places.create()
    return places


@pytest.fixture
def urls(services: embedded.ServiceUrls, postgres_url: str) -> ServiceUrls:
    return ServiceUrls(stores=StoreUrls(postgres=postgres_url), redis=services.redis)


@pytest.fixture
def instance(store: PostgresStore, redis: Redis, places: Places, urls: ServiceUrls) -> Instance:
    return Instance(
        store=store,
        hub=Hub(urls.redis),
        places=places,
        queues=JobQueues(redis),
        signals=Signals(redis),
        clock=now,
        new_id=new_id,
    )


@pytest.fixture
def lab(instance: Instance) -> Laboratory:
    return Laboratory(instance)


@pytest.fixture
def runs(instance: Instance) -> JobRuns:
    return JobRuns(instance.store, instance.queues, clock=now, new_id=new_id)


@pytest.fixture
def manager(instance: Instance, urls: ServiceUrls) -> Manager:
    """Give a function that runs a job manager."""

    @asynccontextmanager
    async def run(limits: Limits = LIMITS, timing: Timing = TIMING) -> AsyncIterator[JobManager]:
        job_manager = JobManager(instance, urls, limits, timing=timing)
        async with job_manager.running():
            yield job_manager

    return run
