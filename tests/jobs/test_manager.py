"""Runners at work: real child processes on real stores, stopped and killed at bad moments."""

import asyncio
import dataclasses
import gzip
import os
import random
import signal
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing, suppress
from pathlib import Path

import asyncpg
import msgspec
import psutil
import pytest
from msgspec import structs
from redis.asyncio import Redis

from jobs.manager import JobManager, Limits, Room
from jobs.outcomes import DISK_FULL
from jobs.processes import MARK
from jobs.runner import Timing
from jobs.simulate import simulate_genome, simulate_pairs
from jobs.workflow import ServiceUrls
from jobs.workflows.create_sample import UploadSweep
from tests.factories.conditions import until
from tests.jobs.conftest import Manager
from tests.jobs.laboratory import Laboratory, states
from tests.jobs.runner_process import Start
from tests.stores.mongo_server import fresh_database
from virtool_gql.db.instance import Instance
from virtool_gql.db.job_runs import JobRuns
from virtool_gql.events import Relay
from virtool_gql.models.changes import Change
from virtool_gql.models.documents import moment_of, new_id, now
from virtool_gql.models.jobs import FINAL_STATES, Job, JobState
from virtool_gql.models.references import Reference
from virtool_gql.models.samples import Sample
from virtool_gql.stores.opening import open_store, outboxes_of
from virtool_gql.stores.tables import table_of
from virtool_gql.workflows import Workflow

GOOD = b"@r1\nACGT\n+\nIIII\n" * 4
FAST = Timing(lease=3, heartbeat=0.2, sweep=0.2, retry=0.1)


@pytest.fixture
def pair(tmp_path: Path) -> tuple[Path, Path]:
    return simulate_pairs(simulate_genome(1), 2_000, 2, folder=tmp_path)


def stalled(lab: Laboratory, job: Job, number: int = 0) -> Path:
    """Make the job wait for ever when it opens an upload: a pipe that nobody writes to takes the upload's place."""
    path = lab.places.file(job.args["file_ids"][number])
    path.rename(path.with_suffix(".kept"))
    os.mkfifo(path)
    return path


def flows(path: Path) -> None:
    path.with_suffix(".kept").replace(path)


def noise(length: int, count: int) -> bytes:
    """Make reads that cannot be compressed well."""
    source = random.Random(5)  # noqa: S311 - reproducible, no secret
    letters, qualities = b"ACGT", bytes(range(33, 74))
    return b"".join(
        b"@r\n%s\n+\n%s\n" % (bytes(source.choices(letters, k=length)), bytes(source.choices(qualities, k=length)))
        for _ in range(count)
    )


def at_work(job: Job) -> bool:
    return job.stage == "copy_and_measure"


def processes_of(runner: str) -> list[psutil.Process]:
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get(MARK, "").startswith(runner) and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
        except psutil.Error:
            continue
    return found


async def assert_undone(lab: Laboratory, job: Job) -> None:
    sample = await lab.sample_of(job)
    assert not sample.ready
    assert not lab.places.sample(sample.id).exists()
    files = await lab.files_of(job)
    assert [file.reserved_by for file in files] == [None] * len(job.args["file_ids"])
    assert all(lab.places.file(file.id).exists() for file in files)


async def assert_done(lab: Laboratory, job: Job) -> None:
    sample = await lab.sample_of(job)
    assert sample.ready
    assert sample.quality is not None
    for number, reads in enumerate(sample.reads, start=1):
        assert lab.places.reads(sample.id, number).stat().st_size == reads.size

    async def uploads_are_gone() -> bool:
        return not await lab.files_of(job) and not list(lab.places.files.iterdir())

    await until(uploads_are_gone)


async def test_a_sample_is_made_from_pairs(lab: Laboratory, manager: Manager, pair: tuple[Path, Path]) -> None:
    job = await lab.sample(*pair)
    async with manager():
        done = await lab.ended(job)
        assert done.state is JobState.COMPLETE, (done.error, lab.log(job))
        await assert_done(lab, job)
    sample = await lab.sample_of(job)
    assert sample.quality is not None
    assert sample.quality.count == 4_000
    assert [reads.file_name for reads in sample.reads] == ["reads_1.fq.gz", "reads_2.fq.gz"]
    for number, path in enumerate(pair, start=1):
        assert lab.places.reads(sample.id, number).read_bytes() == path.read_bytes()
    stages = [entry.stage for entry in done.status]
    assert stages == [None, "check_files", "copy_and_measure", "summarise", "summarise"]
    assert [entry.progress for entry in done.status] == sorted(entry.progress for entry in done.status)
    assert any("reads_2.fq.gz: 2000 reads" in line for line in lab.log(job))


async def test_plain_files_are_compressed(lab: Laboratory, manager: Manager) -> None:
    job = await lab.sample(("plain.fastq", GOOD))
    async with manager():
        assert (await lab.ended(job)).state is JobState.COMPLETE
        await assert_done(lab, job)
    assert gzip.decompress(lab.places.reads(job.args["sample_id"], 1).read_bytes()) == GOOD


@pytest.mark.parametrize(
    ("contents", "sentence"),
    [
        ([("a.fq", b"")], "a.fq is empty: it holds no reads."),
        ([("a.fq", GOOD), ("b.fq", b"hello")], "b.fq is not FASTQ: line 1 should begin with '@'"),
        ([("a.fq", GOOD), ("b.fq.gz", gzip.compress(GOOD)[:-9])], "b.fq.gz is a broken gzip file"),
        (
            [("a.fq", GOOD), ("b.fq", GOOD * 2)],
            "The two files must hold equally many reads, but a.fq holds 4 and b.fq holds 8.",
        ),
    ],
)
async def test_bad_reads_end_in_a_sentence_and_leave_nothing(
    lab: Laboratory, manager: Manager, contents: list[tuple[str, bytes]], sentence: str
) -> None:
    job = await lab.sample(*contents)
    async with manager():
        failed = await lab.ended(job)
    assert failed.state is JobState.ERROR
    assert failed.error is not None
    assert failed.error.message.startswith(sentence)
    assert failed.error.traceback == ()
    assert sentence in lab.log(job)[-1]
    await assert_undone(lab, job)


async def test_an_upload_that_is_gone_is_named(lab: Laboratory, manager: Manager) -> None:
    job = await lab.sample(("a.fq", GOOD), ("b.fq", GOOD))
    lab.places.file(job.args["file_ids"][1]).unlink()
    async with manager():
        failed = await lab.ended(job)
    assert failed.error is not None
    assert failed.error.message == "File 2 of the sample Made up is no longer there; upload it again."


async def test_a_job_that_meets_a_limit_of_file_sizes_says_that_room_is_lacking(
    lab: Laboratory, manager: Manager
) -> None:
    job, _ = await lab.unlisted_sample(("long.fq", noise(1_000, 200)))
    async with manager() as runner:
        [child] = processes_of(runner.bench.runner)
        child.rlimit(psutil.RLIMIT_FSIZE, (50_000, 50_000))
        await lab.instance.queues.push(job.workflow, job.id)
        failed = await lab.ended(job)
    assert failed.state is JobState.ERROR
    assert failed.error is not None
    assert (failed.error.type, failed.error.message) == ("OSError", DISK_FULL)
    assert failed.error.traceback == ()
    assert DISK_FULL in lab.log(job)[-1]
    assert failed.stage == "copy_and_measure"
    await assert_undone(lab, job)


async def test_progress_within_a_stage_is_told_at_most_four_times_a_second(
    lab: Laboratory, manager: Manager, redis: Redis
) -> None:
    hub = lab.instance.hub
    async with Relay(redis, outboxes_of(lab.store)).running(), hub.running(), manager():
        with closing(await hub.subscribe(frozenset({"jobs"}))) as changes:
            job = await lab.sample(("large.fq", noise(100, 2_000) * 250))
            told = await until_the_end_of(job, changes)
    within = [change for change in told if change.document["stage"] == "copy_and_measure"]
    assert len({change.document["progress"] for change in within}) >= 2
    moments = [moment_of(change.at).timestamp() for change in within]
    assert all(later - first >= 1 for first, later in zip(moments, moments[4:], strict=False)), moments


async def until_the_end_of(job: Job, changes: AsyncIterator[Change]) -> list[Change]:
    told = []
    async with asyncio.timeout(60):
        async for change in changes:
            if change.ids == (job.id,):
                told.append(change)
                if change.document["state"] in FINAL_STATES:
                    break
    return told


async def test_a_fault_is_told_as_such_with_its_traceback(lab: Laboratory, manager: Manager) -> None:
    job = await lab.sample(("a.fq", GOOD))
    path = lab.places.file(job.args["file_ids"][0])
    path.unlink()
    path.mkdir()
    async with manager():
        failed = await lab.ended(job)
    assert failed.error is not None
    assert failed.error.message == "The job failed because of a fault in the program."
    assert failed.error.type == "IsADirectoryError"
    assert any("copied_reads" in line for line in failed.error.traceback)


async def test_pairs_of_other_names_are_warned_of(lab: Laboratory, manager: Manager) -> None:
    job = await lab.sample(("a.fq", GOOD), ("b.fq", GOOD.replace(b"@r1", b"@x")))
    same = await lab.sample(("a.fq", GOOD.replace(b"@r1", b"@r1/1")), ("b.fq", GOOD.replace(b"@r1", b"@r1/2")))
    async with manager():
        assert (await lab.ended(job)).state is (await lab.ended(same)).state is JobState.COMPLETE
    assert any("Warning" in line for line in lab.log(job))
    assert not any("Warning" in line for line in lab.log(same))


async def test_cancelling_a_running_job_takes_less_than_two_seconds(lab: Laboratory, manager: Manager) -> None:
    job = await lab.sample(("a.fq", GOOD), ("b.fq", GOOD))
    pipe = stalled(lab, job, 1)
    async with manager() as runner:
        await lab.until(job, at_work)
        started = time.monotonic()
        await asyncio.gather(lab.cancel(job), lab.cancel(job))
        cancelled = await lab.ended(job, seconds=5)
        seconds = time.monotonic() - started
        sys.stdout.write(f"cancelled in {seconds:.3f} s\n")
        assert cancelled.state is JobState.CANCELLED
        assert seconds < 2
        assert not any(_does(process, lab, job) for process in processes_of(runner.bench.runner))
        again = await lab.sample(("a.fq", GOOD))
        assert (await lab.ended(again)).state is JobState.COMPLETE
    flows(pipe)
    assert "The job ended: cancelled." in lab.log(job)[-1]
    await assert_undone(lab, job)
    assert processes_of(runner.bench.runner) == []


async def test_a_lost_cancel_signal_is_made_up_for_by_the_heartbeat(lab: Laboratory, manager: Manager) -> None:
    job = await lab.sample(("a.fq", GOOD))
    stalled(lab, job)
    async with manager(timing=FAST):
        running = await lab.until(job, at_work)
        await lab.store.replace(structs.replace(running, cancel_requested=True))
        assert (await lab.ended(job, seconds=5)).state is JobState.CANCELLED


async def test_a_cancel_at_any_moment_leaves_a_sample_or_nothing(
    lab: Laboratory, manager: Manager, pair: tuple[Path, Path]
) -> None:
    moments = random.Random(7)  # noqa: S311 - reproducible, no secret
    seen = set()
    async with manager():
        for _ in range(8):
            job = await lab.sample(*pair)
            await lab.until(job, lambda found: found.state is not JobState.WAITING)
            await asyncio.sleep(moments.uniform(0, 0.5))
            if not (await lab.job(job)).finished:
                await lab.cancel(job)
            ended = await lab.ended(job, seconds=5)
            seen.add(ended.state)
            await (assert_done if ended.state is JobState.COMPLETE else assert_undone)(lab, job)
            for file in await lab.files_of(job):
                lab.places.file(file.id).unlink()
    assert seen <= {JobState.COMPLETE, JobState.CANCELLED}


async def test_a_job_whose_sample_is_deleted_ends_quietly(lab: Laboratory, manager: Manager) -> None:
    job = await lab.sample(("a.fq", GOOD))
    await lab.store.delete(await lab.sample_of(job))
    async with manager():
        ended = await lab.ended(job)
    assert (ended.state, ended.error) == (JobState.CANCELLED, None)
    assert [file.reserved_by for file in await lab.files_of(job)] == [None]


async def test_a_killed_child_harms_its_own_job_alone(lab: Laboratory, manager: Manager) -> None:
    victim, other = await lab.sample(("a.fq", GOOD)), await lab.sample(("b.fq", GOOD))
    pipes = [stalled(lab, job) for job in (victim, other)]
    async with manager() as runner:
        running = await asyncio.gather(*(lab.until(job, at_work) for job in (victim, other)))
        assert [job.state for job in running] == [JobState.RUNNING] * 2
        [child] = [process for process in processes_of(runner.bench.runner) if _does(process, lab, victim)]
        child.kill()
        dead = await lab.ended(victim)
        assert not (await lab.job(other)).finished
        third = await lab.sample(("c.fq", GOOD))
        assert (await lab.ended(third)).state is JobState.COMPLETE
        await lab.cancel(other)
        assert (await lab.ended(other)).state is JobState.CANCELLED
    assert dead.state is JobState.ERROR
    assert dead.error is not None
    assert dead.error.message.startswith("The process that ran this job died (signal 9). The machine may have run out")
    for pipe in pipes:
        flows(pipe)
    await assert_undone(lab, victim)


async def test_a_job_whose_database_goes_away_begins_again(
    lab: Laboratory, manager: Manager, postgres_url: str
) -> None:
    job = await lab.sample(("a.fq", GOOD))
    connection, samples = await asyncpg.connect(postgres_url), table_of(Sample).fullname

    async def is_cut_off_until_it_begins_again() -> bool:
        await connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE NOT granted AND relation = $1::text::regclass",
            samples,
        )
        return (await lab.job(job)).attempts > 1

    async with manager():
        transaction = connection.transaction()
        await transaction.start()
        await connection.execute(f"LOCK TABLE {samples} IN ACCESS EXCLUSIVE MODE")
        await until(is_cut_off_until_it_begins_again, seconds=30)
        await transaction.rollback()
        done = await lab.ended(job)
        assert done.state is JobState.COMPLETE, done.error
        await assert_done(lab, job)
    await connection.close()
    assert any(line.endswith("The job will begin again.") for line in lab.log(job))


def _does(process: psutil.Process, lab: Laboratory, job: Job) -> bool:
    """Tell whether the process does the job: then it holds the job's log open."""
    log = lab.places.job_log(job.id)
    with suppress(psutil.NoSuchProcess):
        return str(log) in [file.path for file in process.open_files()]
    return False


@asynccontextmanager
async def runner_process(
    urls: ServiceUrls, lab: Laboratory, lease_seconds: float
) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.jobs.runner_process", stdin=asyncio.subprocess.PIPE
    )
    assert process.stdin is not None
    start = Start(urls=urls, data_path=str(lab.places.data_path), lease_seconds=lease_seconds)
    process.stdin.write(msgspec.json.encode(start) + b"\n")
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def test_jobs_of_a_killed_runner_are_done_by_another(
    lab: Laboratory, manager: Manager, urls: ServiceUrls
) -> None:
    job = await lab.sample(("a.fq", GOOD))
    pipe = stalled(lab, job)
    async with runner_process(urls, lab, lease_seconds=600) as process:
        running = await lab.until(job, at_work)
        assert running.lease is not None
        assert processes_of(running.lease.runner)
        process.kill()
        await process.wait()

    async def nothing_is_left() -> bool:
        assert running.lease is not None
        return not processes_of(running.lease.runner)

    await until(nothing_is_left)
    flows(pipe)
    started = time.monotonic()
    async with manager():
        done = await lab.ended(job)
        sys.stdout.write(f"recovered and done in {time.monotonic() - started:.3f} s\n")
        assert done.state is JobState.COMPLETE
        assert done.attempts == 2
        await assert_done(lab, job)


async def test_a_runner_that_slept_beyond_its_lease_spoils_nothing(
    lab: Laboratory, manager: Manager, urls: ServiceUrls
) -> None:
    job = await lab.sample(("a.fq", GOOD))
    pipe = stalled(lab, job)
    async with runner_process(urls, lab, lease_seconds=1) as process:
        running = await lab.until(job, at_work)
        assert running.lease is not None
        process.send_signal(signal.SIGSTOP)
        flows(pipe)
        async with manager(timing=FAST):
            done = await lab.ended(job)
            assert done.state is JobState.COMPLETE
            await assert_done(lab, job)
            process.send_signal(signal.SIGCONT)

            async def gives_up() -> bool:
                assert running.lease is not None
                return not any(_does(child, lab, job) for child in processes_of(running.lease.runner))

            await until(gives_up)
            await assert_done(lab, job)
        assert await lab.job(job) == done


async def name_of_the_dead() -> str:
    """Give the name that a runner on this machine had."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", "from virtool_gql.processes import runner_name; print(runner_name())"),
        stdout=asyncio.subprocess.PIPE,
    )
    return (await process.communicate())[0].decode().strip()


@pytest.mark.parametrize(
    ("state", "sentence"),
    [
        (JobState.TERMINATED, "The runner of this job stopped 4 times before"),
        (JobState.TIMEOUT, "The runner of this job fell silent 4 times before"),
    ],
)
async def test_a_job_that_takes_its_runners_down_is_not_tried_for_ever(
    lab: Laboratory, runs: JobRuns, manager: Manager, state: JobState, sentence: str
) -> None:
    died = state is JobState.TERMINATED
    runner = await name_of_the_dead() if died else "elsewhere"
    job, _ = await lab.unlisted_sample(("a.fq", GOOD))
    for _ in range(3):
        leased = await runs.acquire(job.id, runner)
        assert leased is not None
        job = await runs.requeue(leased)
    await lab.instance.queues.remove(job.id)
    lease_seconds = 600 if died else -1
    leased = await JobRuns(
        lab.store, lab.instance.queues, clock=now, new_id=new_id, lease_seconds=lease_seconds
    ).acquire(job.id, runner)
    assert leased is not None
    async with manager():
        ended = await lab.ended(job)
    assert ended.state is state
    assert ended.error is not None
    assert ended.error.message.startswith(sentence)
    assert ended.lease is None
    await assert_undone(lab, job)


async def test_a_job_whose_runner_fell_silent_begins_again(lab: Laboratory, manager: Manager) -> None:
    job, _ = await lab.unlisted_sample(("a.fq", GOOD))
    runs = JobRuns(lab.store, lab.instance.queues, clock=now, new_id=new_id, lease_seconds=-1)
    assert await runs.acquire(job.id, "elsewhere") is not None
    async with manager():
        done = await lab.ended(job)
        assert (done.state, done.attempts) == (JobState.COMPLETE, 2)
        await assert_done(lab, job)
    assert any("is not heard of any more; the job will begin again" in line for line in lab.log(job))


async def test_a_runner_that_stops_gives_its_jobs_back(lab: Laboratory, manager: Manager) -> None:
    job = await lab.sample(("a.fq", GOOD))
    pipe = stalled(lab, job)
    async with manager() as runner:
        await lab.until(job, at_work)
    waiting = await lab.job(job)
    assert (waiting.state, waiting.lease, waiting.attempts) == (JobState.WAITING, None, 0)
    assert processes_of(runner.bench.runner) == []
    assert [file.reserved_by for file in await lab.files_of(job)] == [job.args["sample_id"]]
    flows(pipe)
    async with manager():
        assert (await lab.ended(job)).state is JobState.COMPLETE
        await assert_done(lab, job)


async def test_a_job_waits_until_there_is_room(lab: Laboratory, manager: Manager) -> None:
    big = await lab.sample(("a.fq", GOOD), proc=64, mem=1)
    stalled(lab, big)
    async with manager():
        await lab.until(big, at_work)
        small = await lab.sample(("b.fq", GOOD))
        await asyncio.sleep(0.5)
        assert (await lab.job(small)).state is JobState.WAITING
        await lab.cancel(big)
        assert (await lab.ended(small)).state is JobState.COMPLETE


async def test_two_runners_do_each_job_once(lab: Laboratory, manager: Manager) -> None:
    async with manager(), manager():
        jobs = [await lab.sample((f"{number}.fq", GOOD)) for number in range(8)]
        for job in jobs:
            await lab.instance.queues.push(Workflow.CREATE_SAMPLE, job.id)
        ended = [await lab.ended(job) for job in jobs]
    assert [job.attempts for job in ended] == [1] * 8
    assert all(states(job).count(JobState.PREPARING) == 1 for job in ended)
    assert {job.state for job in ended} == {JobState.COMPLETE}


async def test_uploads_are_finished_after_a_crash(lab: Laboratory) -> None:
    names = ("ready", "coming", "gone", "jobless")
    ready, coming, gone, jobless = [await lab.unlisted_sample((f"{name}.fq", GOOD)) for name in names]
    await lab.store.replace(structs.replace(ready[1], ready=True))
    await lab.store.delete(gone[1])
    await lab.store.delete(jobless[0])
    sweep = UploadSweep(lab.store, lab.places)
    await sweep.run()
    assert await lab.files_of(ready[0]) == []
    assert not lab.places.file(ready[0].args["file_ids"][0]).exists()
    assert [file.reserved_by for file in await lab.files_of(gone[0])] == [gone[1].id]
    await sweep.run()
    assert [file.reserved_by for file in await lab.files_of(gone[0])] == [None]
    assert [file.reserved_by for file in await lab.files_of(jobless[0])] == [None]
    assert [file.reserved_by for file in await lab.files_of(coming[0])] == [coming[1].id]


async def test_an_upload_that_a_reference_is_made_from_stays_reserved(lab: Laboratory) -> None:
    sample_job, sample = await lab.unlisted_sample(("reference.json.gz", GOOD))
    at = lab.instance.clock()
    reference = Reference(id=sample.id, name="R", name_key="r", user_id="bob", created_at=at, updated_at=at)
    await lab.store.delete(sample)
    (reference,) = await lab.store.insert(reference)
    sweep = UploadSweep(lab.store, lab.places)
    for _ in range(3):
        await sweep.run()
    assert [file.reserved_by for file in await lab.files_of(sample_job)] == [reference.id]
    await lab.store.delete(reference)
    for _ in range(2):
        await sweep.run()
    assert [file.reserved_by for file in await lab.files_of(sample_job)] == [None]


def job_for(workflow: Workflow, proc: int, mem: int = 1) -> Job:
    return Job(id=new_id(), workflow=workflow, args={}, user_id="bob", proc=proc, mem=mem, created_at=now())


def test_smaller_jobs_pass_one_that_does_not_fit_but_not_for_ever() -> None:
    time = [0.0]
    room = Room(Limits(proc=4, mem=8), patience=60, time=lambda: time[0])
    workflows = [Workflow.CREATE_SAMPLE, Workflow.NUVS]
    small, large = job_for(Workflow.CREATE_SAMPLE, 1), job_for(Workflow.NUVS, 4)
    assert room.take(small) is not None
    assert room.take(large) is None
    assert room.wanted(workflows) == [Workflow.CREATE_SAMPLE]
    another = job_for(Workflow.CREATE_SAMPLE, 1)
    assert room.take(another) is not None
    room.give_back(small.id)
    assert room.wanted(workflows) == workflows
    assert room.take(large) is None
    time[0] = 61
    assert room.wanted(workflows) == []
    room.give_back(another.id)
    assert room.wanted(workflows) == [Workflow.NUVS]
    assert room.take(large) == Limits(proc=4, mem=1)
    assert room.wanted(workflows) == []
    room.give_back(large.id)
    assert room.wanted(workflows) == workflows


def test_memory_counts_and_a_job_that_asks_too_much_gets_everything() -> None:
    room = Room(Limits(proc=4, mem=8), patience=60, time=lambda: 0.0)
    assert room.take(job_for(Workflow.NUVS, 1, 6)) is not None
    assert room.take(job_for(Workflow.NUVS, 1, 6)) is None
    whole = Room(Limits(proc=4, mem=8), patience=60, time=lambda: 0.0)
    assert whole.take(job_for(Workflow.NUVS, 64, 64)) == Limits(proc=4, mem=8)


async def test_samples_are_made_with_documents_in_mongodb(
    instance: Instance, urls: ServiceUrls, mongo_url: str, pair: tuple[Path, Path]
) -> None:
    stores = structs.replace(urls.stores, mongo=fresh_database(mongo_url))
    async with open_store(stores) as store:
        both = dataclasses.replace(instance, store=store)
        lab = Laboratory(both)
        job = await lab.sample(*pair)
        bad = await lab.sample(("a.fq", GOOD), ("b.fq", GOOD * 2))
        manager = JobManager(both, structs.replace(urls, stores=stores), Limits(proc=2, mem=4))
        async with manager.running():
            done = await lab.ended(job)
            assert done.state is JobState.COMPLETE, (done.error, lab.log(job))
            failed = await lab.ended(bad)
            assert failed.state is JobState.ERROR
        await assert_undone(lab, bad)
        assert (await lab.sample_of(job)).ready
        assert await lab.files_of(job) == []
