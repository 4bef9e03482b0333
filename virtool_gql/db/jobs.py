"""Jobs, as those who asked for them see them; the runner's side is in `job_runs`."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import suppress

import msgspec
from msgspec import structs

from virtool_gql.access import Viewer, readable_jobs
from virtool_gql.db.builds import abandon
from virtool_gql.db.files import release, remove_file
from virtool_gql.db.instance import Instance
from virtool_gql.db.job_logs import LogLine, LogReader, LogSignals
from virtool_gql.db.listing import CallerViewer, Listing
from virtool_gql.db.retries import mended_by, retried
from virtool_gql.errors import Conflict
from virtool_gql.executors import run_in_thread
from virtool_gql.models.documents import Timestamp
from virtool_gql.models.jobs import Job, JobState, JobStatus
from virtool_gql.models.users import Permission
from virtool_gql.stores.documents import Documents
from virtool_gql.workflows import CANCEL_CHANNEL, SIZES, BuildIndex, CreateSample, Size, Workflow

MOST_LINES = 1_000
LINES_AT_ONCE = 100
LOOK_AGAIN_SECONDS = 1.0


class JobLimits(msgspec.Struct, frozen=True, kw_only=True):
    """What one job of a size is given: cores, and memory in GB."""

    sm_proc: int
    sm_mem: int
    lg_proc: int
    lg_mem: int

    def of(self, workflow: Workflow) -> tuple[int, int]:
        if SIZES[workflow] is Size.LARGE:
            return self.lg_proc, self.lg_mem
        return self.sm_proc, self.sm_mem


class Jobs(Listing[Job]):
    """The jobs: one's own, and all of them for those who may cancel or remove jobs."""

    noun = "job"

    def __init__(self, instance: Instance, limits: JobLimits) -> None:
        super().__init__(instance, Job, readable_jobs)
        self._limits = limits
        self._log_signals = LogSignals(instance.signals)

    def new(self, workflow: Workflow, args: msgspec.Struct, user_id: str) -> Job:
        """Give a waiting job that is not stored yet, with its arguments as a store gives them back."""
        proc, mem = self._limits.of(workflow)
        at = self.instance.clock()
        return Job(
            id=self.instance.new_id(),
            workflow=workflow,
            args=msgspec.json.decode(msgspec.json.encode(args)),
            user_id=user_id,
            proc=proc,
            mem=mem,
            status=(JobStatus(state=JobState.WAITING, stage=None, progress=0.0, at=at),),
            created_at=at,
        )

    async def enqueue(self, job: Job) -> None:
        """Put a stored job into its list."""
        with mended_by("the sweep that lists waiting jobs again"):
            await self.instance.queues.push(job.workflow, job.id)

    async def cancel(self, viewer: Viewer, id: str) -> Job:
        """Cancel a waiting job, or ask the runner of a running one to end it. Owners may cancel their own jobs."""
        cancelled = await retried(lambda: self._cancel(viewer, id))
        await self.tell_runners(cancelled)
        return cancelled

    async def _cancel(self, viewer: Viewer, id: str) -> Job:
        job = await self.get(viewer, id)
        if job.user_id != viewer.user_id:
            viewer.require(Permission.CANCEL_JOB)
        if job.finished:
            raise Conflict("Job cannot be cancelled in its current state.")
        async with self.store.transaction() as documents:
            return await call_off(documents, job, self.instance.clock())

    async def tell_runners(self, job: Job) -> None:
        """Tell those who hold the job, or its place in a list, that it is called off."""
        await tell_runners(self.instance, job)

    async def delete(self, viewer: Viewer, id: str) -> Job:
        """Remove a job that has ended, with its log."""
        job = await self.get(viewer, id)
        viewer.require(Permission.REMOVE_JOB)
        if not job.finished:
            raise Conflict("Job is running or waiting and cannot be removed.")
        await self.store.delete(job)
        await run_in_thread(remove_file, self.instance.places.job_log(job.id))
        return job

    async def log(self, viewer: Viewer, id: str, *, after: int = 0, first: int = 100) -> list[LogLine]:
        """Give up to `first` lines of the job's log that follow the line of the number `after`."""
        job = await self.get(viewer, id)
        return await run_in_thread(self._reader(job, after).read, min(first, MOST_LINES), ended=job.finished)

    async def follow_log(self, caller_viewer: CallerViewer, id: str, after: int = 0) -> AsyncGenerator[LogLine, None]:
        """Give the lines after a number, then those that are written, until the job has ended or may not be read."""
        viewer = caller_viewer()
        if viewer is None:
            return
        reader = self._reader(await self.get(viewer, id), after)
        with self._log_signals.of(id) as grown:
            while job := await self._still_readable(caller_viewer(), id):
                lines = await run_in_thread(reader.read, LINES_AT_ONCE, ended=job.finished)
                for line in lines:
                    if caller_viewer() is None:
                        return
                    yield line
                if lines:
                    continue
                if job.finished:
                    return
                await _grown_or_a_second_later(grown)

    async def close(self) -> None:
        """Hear no more of logs: what follows them looks each second."""
        await self._log_signals.close()

    def _reader(self, job: Job, after: int) -> LogReader:
        return LogReader(self.instance.places.job_log(job.id), after, job.created_at)

    async def _still_readable(self, viewer: Viewer | None, id: str) -> Job | None:
        return await self.store.get(Job, id, self.readable(viewer)) if viewer else None


async def _grown_or_a_second_later(grown: asyncio.Event) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(LOOK_AGAIN_SECONDS):
            await grown.wait()
    grown.clear()


async def tell_runners(instance: Instance, job: Job) -> None:
    """Tell those who hold the job, or its place in a list, that it is called off."""
    with mended_by("the runner, which looks before it starts a job and at each heartbeat"):
        if job.finished:
            await instance.queues.remove(job.id)
        else:
            await instance.signals.send(CANCEL_CHANNEL, job.id)


async def call_off(documents: Documents, job: Job, at: Timestamp) -> Job:
    """Cancel a job that waits and undo what was done for it; ask for the end of one that runs."""
    if job.state is not JobState.WAITING:
        asked = job.cancel_requested
        return job if asked else (await documents.replace(structs.replace(job, cancel_requested=True)))[0]
    entry = JobStatus(state=JobState.CANCELLED, stage=job.stage, progress=job.progress, at=at)
    cancelled = structs.replace(job, state=JobState.CANCELLED, cancel_requested=True, status=(*job.status, entry))
    if job.workflow is Workflow.CREATE_SAMPLE:
        await release(documents, msgspec.convert(job.args, CreateSample).sample_id)
    if job.workflow is Workflow.BUILD_INDEX:
        await abandon(documents, msgspec.convert(job.args, BuildIndex).index_id)
    return (await documents.replace(cancelled))[0]
