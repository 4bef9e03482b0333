"""The runner's side of jobs on a real store: leases, fences, lists."""

import asyncio
from collections.abc import Callable
from datetime import timedelta

import pytest
from msgspec import structs
from redis.asyncio import Redis

from virtool_gql.db.job_runs import CancelRequested, JobRuns, LeaseLost
from virtool_gql.errors import StaleDocument
from virtool_gql.models.documents import Timestamp, moment_of, new_id, now, timestamp
from virtool_gql.models.jobs import Job, JobError, JobState
from virtool_gql.models.users import Group
from virtool_gql.stores.documents import Documents
from virtool_gql.stores.redis import JobQueues
from virtool_gql.workflows import Workflow

START = Timestamp("2026-01-02T03:04:05.000Z")


class Hands:
    """A clock whose hands are set."""

    def __init__(self) -> None:
        self.at = START

    def __call__(self) -> Timestamp:
        return self.at

    def pass_seconds(self, seconds: float) -> None:
        self.at = timestamp(moment_of(self.at) + timedelta(seconds=seconds))


@pytest.fixture
def clock() -> Hands:
    return Hands()


@pytest.fixture
def queues(redis: Redis) -> JobQueues:
    return JobQueues(redis)


@pytest.fixture
def runs(documents_store: Documents, queues: JobQueues, clock: Hands) -> JobRuns:
    return JobRuns(documents_store, queues, clock=clock, new_id=new_id, lease_seconds=30)


@pytest.fixture
def job_of(documents_store: Documents) -> Callable[[], "asyncio.Future[Job]"]:
    async def make() -> Job:
        waiting = Job(id=new_id(), workflow=Workflow.NUVS, args={}, user_id="bob", proc=1, mem=1, created_at=now())
        return (await documents_store.insert(waiting))[0]

    return lambda: asyncio.ensure_future(make())


async def expired(runs: JobRuns) -> list[Job]:
    return [job for job in await runs.held() if runs.has_expired(job)]


async def test_a_waiting_job_is_leased_once(runs: JobRuns, job_of: Callable[[], "asyncio.Future[Job]"]) -> None:
    job = await job_of()
    leased = await runs.acquire(job.id, "first")
    assert leased is not None
    assert leased.lease is not None
    assert (leased.state, leased.attempts, leased.lease.runner) == (JobState.PREPARING, 1, "first")
    assert await runs.acquire(job.id, "second") is None
    assert await runs.acquire("nothing", "first") is None


async def test_of_many_runners_one_gets_the_job(runs: JobRuns, job_of: Callable[[], "asyncio.Future[Job]"]) -> None:
    job = await job_of()
    leased = await asyncio.gather(*(runs.acquire(job.id, f"runner {number}") for number in range(8)))
    assert sum(one is not None for one in leased) == 1


async def test_reports_add_an_entry_for_each_stage_and_replace_its_progress(
    runs: JobRuns, job_of: Callable[[], "asyncio.Future[Job]"]
) -> None:
    leased = await runs.acquire((await job_of()).id, "runner")
    assert leased is not None
    for stage, progress in (("one", 0.0), ("one", 0.2), ("one", 0.4), ("two", 0.5)):
        await runs.report(leased, JobState.RUNNING, stage, progress)
    done = await runs.finish(leased, JobState.COMPLETE)
    course = [(entry.state, entry.stage, entry.progress) for entry in done.status]
    assert course == [
        (JobState.PREPARING, None, 0.0),
        (JobState.RUNNING, "one", 0.4),
        (JobState.RUNNING, "two", 0.5),
        (JobState.COMPLETE, "two", 1.0),
    ]
    assert done.lease is None
    with pytest.raises(LeaseLost):
        await runs.report(leased, JobState.RUNNING, "three", 0.9)


async def test_heartbeats_and_reports_at_once_lose_nothing(
    runs: JobRuns, job_of: Callable[[], "asyncio.Future[Job]"]
) -> None:
    leased = await runs.acquire((await job_of()).id, "runner")
    assert leased is not None
    reports = [runs.report(leased, JobState.RUNNING, "one", 0.1) for _ in range(4)]
    await asyncio.gather(*reports, *(runs.renew(leased) for _ in range(4)))
    assert (await runs.renew(leased)).progress == 0.1


async def test_a_runner_that_lost_its_lease_writes_nothing(
    runs: JobRuns, clock: Hands, documents_store: Documents, job_of: Callable[[], "asyncio.Future[Job]"]
) -> None:
    late = await runs.acquire((await job_of()).id, "late")
    assert late is not None
    assert await expired(runs) == []
    clock.pass_seconds(31)
    [forsaken] = await expired(runs)
    seized = await asyncio.gather(*(runs.seize(forsaken, "other") for _ in range(4)))
    assert sum(one is not None for one in seized) == 1
    group = Group(id=new_id(), name="Written", name_key="written", created_at=now())
    for write in (
        runs.renew(late),
        runs.report(late, JobState.RUNNING, "one", 0.5),
        runs.write(late, group),
        runs.finish(late, JobState.COMPLETE, None, group),
        runs.requeue(late),
    ):
        with pytest.raises(LeaseLost):
            await write
    assert await documents_store.get(Group, group.id) is None
    assert await expired(runs) == []


async def test_renewing_keeps_the_lease(
    runs: JobRuns, clock: Hands, job_of: Callable[[], "asyncio.Future[Job]"]
) -> None:
    leased = await runs.acquire((await job_of()).id, "runner")
    assert leased is not None
    for _ in range(3):
        clock.pass_seconds(20)
        await runs.renew(leased)
    assert await expired(runs) == []


async def test_results_and_completion_are_stored_together_or_not_at_all(
    runs: JobRuns, documents_store: Documents, job_of: Callable[[], "asyncio.Future[Job]"]
) -> None:
    leased = await runs.acquire((await job_of()).id, "runner")
    assert leased is not None
    [read] = await documents_store.insert(Group(id=new_id(), name="Old", name_key="old", created_at=now()))
    await documents_store.replace(structs.replace(read, name="Newer"))
    with pytest.raises(StaleDocument):
        await runs.finish(leased, JobState.COMPLETE, None, structs.replace(read, name="Mine"))
    assert (await runs.renew(leased)).state is JobState.PREPARING
    new = Group(id=new_id(), name="New", name_key="new", created_at=now())
    await runs.finish(leased, JobState.COMPLETE, None, new)
    assert await documents_store.get(Group, new.id) is not None


async def test_a_job_whose_end_was_asked_for_is_not_completed(
    runs: JobRuns, documents_store: Documents, job_of: Callable[[], "asyncio.Future[Job]"]
) -> None:
    leased = await runs.acquire((await job_of()).id, "runner")
    assert leased is not None
    await documents_store.replace(structs.replace(leased, cancel_requested=True))
    with pytest.raises(CancelRequested):
        await runs.finish(leased, JobState.COMPLETE)
    error = JobError(type="Cancelled", message="Cancelled.")
    assert (await runs.finish(leased, JobState.CANCELLED, error)).error == error


async def test_a_requeued_job_waits_in_its_list_again(
    runs: JobRuns, queues: JobQueues, job_of: Callable[[], "asyncio.Future[Job]"]
) -> None:
    job = await job_of()
    leased = await runs.acquire(job.id, "runner")
    assert leased is not None
    requeued = await runs.requeue(leased)
    assert (requeued.state, requeued.lease, requeued.attempts) == (JobState.WAITING, None, 1)
    assert await queues.pop([Workflow.NUVS], 1) == job.id
    again = await runs.acquire(job.id, "runner")
    assert again is not None
    assert (await runs.requeue(again, uncounted=True)).attempts == 1


async def test_a_job_that_no_list_holds_is_listed_at_the_second_look(
    runs: JobRuns, queues: JobQueues, job_of: Callable[[], "asyncio.Future[Job]"]
) -> None:
    lost, listed, leased = [await job_of() for _ in range(3)]
    await queues.push(Workflow.NUVS, listed.id)
    assert await runs.acquire(leased.id, "runner")
    assert await runs.relist() == 0
    assert await runs.relist() == 1
    assert await queues.waiting() == {listed.id, lost.id}
    assert await runs.relist() == 0
