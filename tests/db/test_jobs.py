import asyncio
from contextlib import aclosing
from typing import Any

import pytest

from tests.factories.conditions import until
from tests.factories.database import LIMITS
from tests.factories.jobs import changed_job, stored_job
from tests.factories.samples import stored_sample
from tests.factories.users import viewer_named
from virtool_gql.access import Viewer
from virtool_gql.db.database import Database
from virtool_gql.errors import Conflict, Forbidden, NotFound, VirtoolError
from virtool_gql.models.jobs import FINAL_STATES, Job, JobState
from virtool_gql.models.users import Permission
from virtool_gql.workflows import CANCEL_CHANNEL, LOG_CHANNEL, CreateSample, Workflow

STRANGER = viewer_named("stranger")
OWNER = viewer_named("owner")
OWNERS_KEY = viewer_named("owner", key_id="key00000")
CANCELLER = viewer_named("canceller", Permission.CANCEL_JOB)
REMOVER = viewer_named("remover", Permission.REMOVE_JOB)
ADMINISTRATOR = viewer_named("admin", administrator=True)

AT = "2026-03-01T00:00:00.000Z"


@pytest.mark.parametrize(
    ("viewer", "reads"),
    [(STRANGER, False), (OWNER, True), (OWNERS_KEY, True), (CANCELLER, True), (REMOVER, True), (ADMINISTRATOR, True)],
)
async def test_who_may_read_a_job_and_its_log(db: Database, viewer: Viewer, reads: bool) -> None:
    job = await stored_job(db, "owner", state=JobState.COMPLETE)
    db.places.job_log(job.id).write_text(f"{AT} hello\n")
    assert (await db.jobs.find(viewer)).documents == [job] * reads
    follow = db.jobs.follow_log(lambda: viewer, job.id)
    if reads:
        assert [line.text for line in await db.jobs.log(viewer, job.id)] == ["hello"]
        assert [line.text async for line in follow] == ["hello"]
    else:
        with pytest.raises(NotFound):
            await db.jobs.log(viewer, job.id)
        with pytest.raises(NotFound):
            await anext(follow)


@pytest.mark.parametrize(
    ("viewer", "error"),
    [
        (STRANGER, NotFound),
        (REMOVER, Forbidden),
        (OWNER, None),
        (OWNERS_KEY, None),
        (CANCELLER, None),
        (ADMINISTRATOR, None),
    ],
)
async def test_who_may_cancel(db: Database, viewer: Viewer, error: type[VirtoolError] | None) -> None:
    job = await stored_job(db, "owner")
    if error is None:
        assert (await db.jobs.cancel(viewer, job.id)).state is JobState.CANCELLED
    else:
        with pytest.raises(error):
            await db.jobs.cancel(viewer, job.id)
        assert await db.store.get(Job, job.id) == job


@pytest.mark.parametrize(
    ("viewer", "error"),
    [(STRANGER, NotFound), (OWNER, Forbidden), (CANCELLER, Forbidden), (REMOVER, None), (ADMINISTRATOR, None)],
)
async def test_who_may_delete(db: Database, viewer: Viewer, error: type[VirtoolError] | None) -> None:
    job = await stored_job(db, "owner", state=JobState.ERROR)
    db.places.job_log(job.id).write_text("")
    if error is None:
        assert await db.jobs.delete(viewer, job.id) == job
    else:
        with pytest.raises(error):
            await db.jobs.delete(viewer, job.id)
    assert await db.store.count(Job) == (error is not None)
    assert db.places.job_log(job.id).exists() is (error is not None)


async def test_cancelling_a_waiting_job_ends_it_and_frees_its_files(db: Database) -> None:
    sample = await stored_sample(db)
    job = await db.jobs.cancel(OWNER, sample.job_id or "")
    assert (job.state, job.status[-1].state, job.cancel_requested) == (JobState.CANCELLED, JobState.CANCELLED, True)
    assert await db.queues.waiting() == set()
    assert (await db.files.get(OWNER, sample.file_ids[0])).reserved_by is None
    assert (await db.samples.get(OWNER, sample.id)).ready is False


@pytest.mark.parametrize("state", [JobState.PREPARING, JobState.RUNNING])
async def test_cancelling_a_leased_job_asks_its_runner_each_time(db: Database, state: JobState) -> None:
    job = await stored_job(db, "owner", state=state)
    async with db.signals.listening(CANCEL_CHANNEL) as messages:
        asked = await db.jobs.cancel(OWNER, job.id)
        again = await db.jobs.cancel(OWNER, job.id)
        assert [await anext(messages), await anext(messages)] == [job.id, job.id]
    assert (asked.state, asked.cancel_requested) == (state, True)
    assert again == asked


@pytest.mark.parametrize("state", sorted(FINAL_STATES))
async def test_a_job_that_has_ended_cannot_be_cancelled(db: Database, state: JobState) -> None:
    job = await stored_job(db, "owner", state=state)
    with pytest.raises(Conflict, match=r"Job cannot be cancelled in its current state\."):
        await db.jobs.cancel(OWNER, job.id)


@pytest.mark.parametrize("state", sorted(set(JobState) - FINAL_STATES))
async def test_a_job_that_has_not_ended_cannot_be_deleted(db: Database, state: JobState) -> None:
    job = await stored_job(db, "owner", state=state)
    with pytest.raises(Conflict, match=r"Job is running or waiting and cannot be removed\."):
        await db.jobs.delete(ADMINISTRATOR, job.id)


async def test_of_many_who_cancel_at_once_one_writes(db: Database) -> None:
    job = await stored_job(db, "owner")
    answers = await asyncio.gather(*(db.jobs.cancel(OWNER, job.id) for _ in range(20)), return_exceptions=True)
    assert sum(isinstance(answer, Job) for answer in answers) == 1
    assert sum(isinstance(answer, Conflict) for answer in answers) == 19
    stored = await db.jobs.get(OWNER, job.id)
    assert (stored.version, len(stored.status)) == (2, 2)


async def test_cancelling_while_a_runner_writes_loses_nothing(db: Database) -> None:
    job = await stored_job(db, "owner", state=JobState.RUNNING)

    async def report() -> None:
        for step in range(20):
            stored = await db.jobs.get(OWNER, job.id)
            try:
                await changed_job(db, stored, progress=step / 20)
            except Conflict:
                continue

    await asyncio.gather(report(), *(db.jobs.cancel(OWNER, job.id) for _ in range(3)))
    assert (await db.jobs.get(OWNER, job.id)).cancel_requested


def test_jobs_get_what_their_size_is_given(db: Database) -> None:
    args = CreateSample(sample_id="sample00", file_ids=("file0000",))
    large, small = (db.jobs.new(workflow, args, "owner") for workflow in (Workflow.NUVS, Workflow.CREATE_SAMPLE))
    assert (large.proc, large.mem) == (LIMITS.lg_proc, LIMITS.lg_mem)
    assert (small.proc, small.mem) == (LIMITS.sm_proc, LIMITS.sm_mem)


async def test_lines_are_given_from_any_number_on(db: Database) -> None:
    job = await stored_job(db, "owner", state=JobState.COMPLETE)
    db.places.job_log(job.id).write_text("".join(f"{AT} line {number}\n" for number in range(1, 2_501)))
    lines = await db.jobs.log(OWNER, job.id, after=2_400, first=5)
    assert [(line.number, line.text) for line in lines] == [(n, f"line {n}") for n in range(2_401, 2_406)]
    assert len(await db.jobs.log(OWNER, job.id)) == 100
    assert len(await db.jobs.log(OWNER, job.id, first=1_000_000)) == 1_000
    assert await db.jobs.log(OWNER, job.id, after=2_500) == []
    assert await db.jobs.log(OWNER, job.id, after=9_999) == []


async def test_a_job_without_a_log_has_no_lines(db: Database) -> None:
    job = await stored_job(db, "owner", state=JobState.CANCELLED)
    assert await db.jobs.log(OWNER, job.id) == []
    assert [line async for line in db.jobs.follow_log(lambda: OWNER, job.id)] == []


async def follow(db: Database, job: Job, viewer: Any) -> list[str]:
    return [line.text async for line in db.jobs.follow_log(viewer, job.id, after=1)]


async def test_a_log_is_followed_until_its_job_ends(db: Database) -> None:
    job = await stored_job(db, "owner", state=JobState.RUNNING)
    with db.places.job_log(job.id).open("a", buffering=1) as log:
        log.write(f"{AT} one\n{AT} two\n")
        lines = db.jobs.follow_log(lambda: OWNER, job.id, after=1)
        async with aclosing(lines):
            assert (await anext(lines)).text == "two"
            waiting = asyncio.ensure_future(anext(lines))
            log.write(f"{AT} half")
            done, _ = await asyncio.wait([waiting], timeout=0.2)
            assert not done
            log.write(" a line\n")
            await db.signals.send(LOG_CHANNEL, job.id)
            assert (await waiting).text == "half a line"
            log.write(f"{AT} without an end")
            log.flush()
            await changed_job(db, job, state=JobState.COMPLETE)
            await db.signals.send(LOG_CHANNEL, job.id)
            assert [(line.number, line.text) async for line in lines] == [(4, "without an end")]


async def test_a_signal_wakes_a_follower_long_before_the_next_look(db: Database) -> None:
    job = await stored_job(db, "owner", state=JobState.RUNNING)
    path = db.places.job_log(job.id)
    path.write_text("")
    lines = db.jobs.follow_log(lambda: OWNER, job.id)
    waits = []
    async with aclosing(lines):
        for number in range(1, 9):
            waiting = asyncio.ensure_future(anext(lines))
            await asyncio.wait([waiting], timeout=0.1)
            with path.open("a") as log:
                log.write(f"{AT} {number}\n")
            started = asyncio.get_running_loop().time()
            await db.signals.send(LOG_CHANNEL, job.id)
            assert (await waiting).number == number
            waits.append(asyncio.get_running_loop().time() - started)
    assert sorted(waits)[len(waits) // 2] < 0.5


async def test_following_ends_with_the_viewer_the_right_or_the_job(db: Database) -> None:
    job = await stored_job(db, "owner", state=JobState.RUNNING)
    db.places.job_log(job.id).write_text(f"{AT} one\n{AT} two\n{AT} three\n")
    viewer: Viewer | None = OWNER
    ended = db.jobs.follow_log(lambda: viewer, job.id)
    assert (await anext(ended)).text == "one"
    viewer = None
    assert [line async for line in ended] == []
    assert [line async for line in db.jobs.follow_log(lambda: None, job.id)] == []
    viewer = CANCELLER
    forbidden = asyncio.ensure_future(follow(db, job, lambda: viewer))
    viewer = OWNER
    deleted = asyncio.ensure_future(follow(db, job, lambda: OWNER))
    await until(lambda: db.jobs._log_signals._followers)
    viewer = STRANGER
    await forbidden
    await db.store.delete(await db.jobs.get(OWNER, job.id))
    assert await deleted == ["two", "three"]
    assert db.jobs._log_signals._followers == {}
