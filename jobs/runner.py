"""One job in the runner: leased, done in a slot under a heartbeat, and settled, however it ended."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from jobs.engines.local import LocalEngine, Slot
from jobs.log import log_line
from jobs.outcomes import Cancelled, Completed, Failed, Interrupted, Lost, Outcome, Silent, Stopped, abandonment
from jobs.workflow import AnyWork, Context
from jobs.workflows import WORKFLOWS
from virtool_gql.cancellation import cancelled
from virtool_gql.db.instance import Instance
from virtool_gql.db.job_runs import JobRuns, LeaseLost
from virtool_gql.errors import UpstreamUnavailable
from virtool_gql.executors import run_in_thread
from virtool_gql.models.jobs import Job, JobError, JobState
from virtool_gql.workflows import LOG_CHANNEL

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """How long things may take in a runner, in seconds. Cancelling must work within two."""

    lease: float = 30
    heartbeat: float = 5
    sweep: float = 10
    patience: float = 60
    retry: float = 1
    shutdown: float = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """What the runs of one runner have in common."""

    runner: str
    instance: Instance
    runs: JobRuns
    timing: Timing


class Run:
    """One job on this runner, from its lease to its end."""

    def __init__(self, bench: Bench, job: Job) -> None:
        self._bench = bench
        self.job = job
        self._ended: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()

    def cancel(self) -> None:
        self._end(Cancelled())

    def stop(self) -> None:
        self._end(Stopped())

    def _end(self, outcome: Outcome) -> None:
        if not self._ended.done():
            self._ended.set_result(outcome)

    async def perform(self, engine: LocalEngine, leased: Job) -> None:
        """Do the leased job and settle it."""
        self.job = leased
        heartbeat = asyncio.create_task(self._beat())
        try:
            async with engine.slot() as slot:
                outcome = await self._outcome(slot)
            await self.settle(outcome)
        finally:
            await cancelled(heartbeat)

    async def _outcome(self, slot: Slot) -> Outcome:
        """Give the child's answer, or what ended the run before it: then the child is dead when this returns."""
        work = asyncio.create_task(slot.run(self.job))
        try:
            first: set[asyncio.Future[Any]] = {work, self._ended}
            await asyncio.wait(first, return_when=asyncio.FIRST_COMPLETED)
            if work.done():
                return work.result()
            await slot.kill()
            return self._ended.result()
        finally:
            await cancelled(work)

    async def _beat(self) -> None:
        """Renew the lease again and again; end the run when that has failed for as long as the lease lasts."""
        clock = asyncio.get_running_loop().time
        renewed = clock()
        while True:
            await asyncio.sleep(self._bench.timing.heartbeat)
            try:
                job = await self._bench.runs.renew(self.job)
            except LeaseLost:
                return self._end(Lost())
            except UpstreamUnavailable:
                if clock() - renewed > self._bench.timing.lease - self._bench.timing.heartbeat:
                    return self._end(Lost())
            else:
                renewed = clock()
                if job.cancel_requested:
                    self.cancel()

    async def settle(self, outcome: Outcome) -> None:
        """Bring the job to its end, or back to its list; a job that belongs to others is left alone."""
        while True:
            try:
                return await self._settle(outcome)
            except LeaseLost:
                return None
            except UpstreamUnavailable as error:
                logger.warning("Job %s cannot be settled yet: %s", self.job.id, error)
                await asyncio.sleep(self._bench.timing.retry)

    async def _settle(self, outcome: Outcome) -> None:
        job = await self._bench.runs.get(self.job.id)
        if job is not None and job.state is JobState.COMPLETE:
            return await self._guarded(self._work().tidy)
        if isinstance(outcome, Completed | Lost):
            return None
        # What others hold by now must not be cleaned away: without the lease this raises LeaseLost.
        job = await self._bench.runs.renew(self.job)
        await self._guarded(self._work().clean_up)
        if isinstance(outcome, Cancelled) or job.cancel_requested:
            await self._finish(JobState.CANCELLED)
        elif isinstance(outcome, Failed) or (isinstance(outcome, Interrupted) and not self._may_begin_again):
            await self._finish(JobState.ERROR, outcome.error)
        elif isinstance(outcome, Stopped):
            await self._requeue("The runner stops; the job will begin again.", uncounted=True)
        elif isinstance(outcome, Interrupted):
            await self._requeue(f"{outcome.error.message} The job will begin again.")
        elif self._may_begin_again:
            fate = "is not heard of any more" if isinstance(outcome, Silent) else "has died"
            await self._requeue(f"The runner of the job {fate}; the job will begin again.")
        else:
            state = JobState.TIMEOUT if isinstance(outcome, Silent) else JobState.TERMINATED
            await self._finish(state, abandonment(outcome, self.job.attempts))
        return None

    @property
    def _may_begin_again(self) -> bool:
        return self.job.attempts < WORKFLOWS[self.job.workflow].most_attempts

    async def _finish(self, state: JobState, error: JobError | None = None) -> None:
        await self._guarded(self._work().give_up)
        await self._log(f"The job ended: {state}." + (f" {error.message}" if error else ""))
        await self._bench.runs.finish(self.job, state, error)

    async def _requeue(self, message: str, *, uncounted: bool = False) -> None:
        await self._log(message)
        await self._bench.runs.requeue(self.job, uncounted=uncounted)

    def _work(self) -> AnyWork:
        context = Context(
            job=self.job,
            store=self._bench.instance.store,
            places=self._bench.instance.places,
            clock=self._bench.instance.clock,
            log=logger.info,
            progress=lambda _: None,
        )
        return WORKFLOWS[self.job.workflow](context)

    async def _guarded(self, work: Callable[[], Awaitable[None]]) -> None:
        """Clean up or tidy; a fault in that must not keep the job from its end."""
        try:
            await work()
        except UpstreamUnavailable:
            raise
        except Exception:
            logger.exception("Cleaning up after job %s failed", self.job.id)

    async def _log(self, message: str) -> None:
        try:
            await run_in_thread(
                log_line, self._bench.instance.places.job_log(self.job.id), self._bench.instance.clock, message
            )
            await self._bench.instance.signals.send(LOG_CHANNEL, self.job.id)
        except (OSError, UpstreamUnavailable) as error:
            logger.warning("The log of job %s cannot be written: %s", self.job.id, error)
