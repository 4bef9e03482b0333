"""One leased job being done, step by step: its progress told, its log shown, its completion stored."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from jobs.log import JobLog
from jobs.outcomes import Answer, Cancelled, Completed, Lost, failure
from jobs.tools.process import require_tools
from jobs.workflow import AnyWork, Context, Progress, SubjectGone
from jobs.workflows import WORKFLOWS
from virtool_gql.cancellation import cancelled
from virtool_gql.db.job_runs import CancelRequested, JobRuns, LeaseLost
from virtool_gql.errors import StaleDocument, UpstreamUnavailable
from virtool_gql.files import Places
from virtool_gql.models.documents import Clock
from virtool_gql.models.jobs import Job, JobState
from virtool_gql.stores.documents import Documents
from virtool_gql.stores.redis import Signals
from virtool_gql.workflows import LOG_CHANNEL

TELL_SECONDS = 0.1
REPORT_SECONDS = 0.34
"""So that a job changes at most four times in a second: three reports and a heartbeat."""
COMPLETE_ATTEMPTS = 30
RETRY_SECONDS = 1.0


class Performer:
    """Does jobs with the connections of its process."""

    def __init__(self, store: Documents, runs: JobRuns, signals: Signals, places: Places, clock: Clock) -> None:
        self.store = store
        self.runs = runs
        self.signals = signals
        self.places = places
        self.clock = clock

    async def perform(self, job: Job) -> Answer:
        """Do a leased job from its first step to its completion."""
        log = JobLog(self.places.job_log(job.id), self.clock)
        try:
            await _Performance(self, job, log).run()
        except LeaseLost:
            return Lost()
        except (CancelRequested, SubjectGone):
            return Cancelled()
        except Exception as error:  # noqa: BLE001 - a fault in a step is the end of the job, not of the child
            return failure(error)
        else:
            return Completed()
        finally:
            log.close()


class _Performance:
    def __init__(self, performer: Performer, job: Job, log: JobLog) -> None:
        self.performer = performer
        self.job = job
        self.log = log
        self.progress = Progress()
        self.reported: tuple[str | None, float] | None = None
        self.reported_at = 0.0
        self.reporting = asyncio.Lock()

    async def run(self) -> None:
        work = self._work()
        require_tools(*work.tools)
        steps = asyncio.create_task(self._take_steps(work))
        async with self._telling() as telling:
            await asyncio.wait({telling, steps}, return_when=asyncio.FIRST_COMPLETED)
            if not steps.done():
                await cancelled(steps)
                telling.result()
            await steps
        await self._complete(work)

    def _work(self) -> AnyWork:
        performer = self.performer
        context = Context(
            job=self.job,
            store=performer.store,
            places=performer.places,
            clock=performer.clock,
            log=self.log.line,
            progress=self.progress.within,
        )
        work = WORKFLOWS[self.job.workflow](context)
        self.progress.steps = len(work.steps)
        return work

    async def _take_steps(self, work: AnyWork) -> None:
        for step in work.steps:
            self.progress.begin(step.__name__)
            self.log.line(f"Step {step.__name__}")
            await self._report()
            await step()
        self.progress.within(1)

    @asynccontextmanager
    async def _telling(self) -> AsyncIterator["asyncio.Task[None]"]:
        """Tell of progress and log while the block lasts; the task ends only if the job is to be given up."""
        telling = asyncio.create_task(self._tell_again_and_again())
        try:
            yield telling
        finally:
            await cancelled(telling)
            await self._tell_log()

    async def _tell_again_and_again(self) -> None:
        clock = asyncio.get_running_loop().time
        while True:
            await asyncio.sleep(TELL_SECONDS)
            await self._tell_log()
            if clock() - self.reported_at > REPORT_SECONDS:
                await self._report()

    async def _report(self) -> None:
        """Store stage and progress if they have changed; a store that does not answer is told the next time."""
        async with self.reporting:
            now = (self.progress.stage, self.progress.total)
            if now == self.reported:
                return
            try:
                job = await self.performer.runs.report(self.job, JobState.RUNNING, *now)
            except UpstreamUnavailable:
                return
            self.reported, self.reported_at = now, asyncio.get_running_loop().time()
            if job.cancel_requested:
                raise CancelRequested

    async def _tell_log(self) -> None:
        if self.log.take_grown():
            try:
                await self.performer.signals.send(LOG_CHANNEL, self.job.id)
            except UpstreamUnavailable:
                return

    async def _complete(self, work: AnyWork) -> None:
        """Store the results and the completion together, again when somebody changed the documents meanwhile."""
        for attempt in range(1, COMPLETE_ATTEMPTS + 1):
            try:
                await self.performer.runs.finish(self.job, JobState.COMPLETE, None, *await work.results())
            except (StaleDocument, UpstreamUnavailable) as error:
                if attempt == COMPLETE_ATTEMPTS:
                    raise
                await asyncio.sleep(0 if isinstance(error, StaleDocument) else RETRY_SECONDS)
            else:
                return
