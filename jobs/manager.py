"""The job manager: takes waiting jobs when there is room for them, and looks after those whose runner has died."""

import asyncio
import logging
import os
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager, suppress

import msgspec
from msgspec import structs

from jobs.engines.local import LocalEngine
from jobs.outcomes import Abandoned, Silent
from jobs.processes import kill_marked
from jobs.runner import Bench, Run, Timing
from jobs.workflow import ServiceUrls, Settings
from jobs.workflows import WORKFLOWS
from jobs.workflows.create_sample import UploadSweep
from virtool_gql.cancellation import cancelled
from virtool_gql.db.instance import Instance
from virtool_gql.db.job_runs import JobRuns
from virtool_gql.errors import UpstreamUnavailable, VirtoolError
from virtool_gql.executors import run_in_thread
from virtool_gql.models.jobs import Job, JobState
from virtool_gql.processes import has_died, runner_name
from virtool_gql.workflows import CANCEL_CHANNEL, Workflow

logger = logging.getLogger(__name__)

POP_SECONDS = 1.0
DEFAULT_TIMING = Timing()


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """What all jobs of a runner may use together: cores, and memory in GB."""

    proc: int
    mem: int

    def needs(self, job: Job) -> "Limits":
        """Give what a job takes; one that asks for more than there is takes everything."""
        return Limits(proc=min(job.proc, self.proc), mem=min(job.mem, self.mem))

    def without(self, needs: "Limits") -> "Limits":
        return Limits(proc=self.proc - needs.proc, mem=self.mem - needs.mem)

    def hold(self, needs: "Limits") -> bool:
        return needs.proc <= self.proc and needs.mem <= self.mem


class Room:
    """What the jobs of a runner leave free, and which lists wait for room.

    A job that does not fit goes back to the head of its list, and smaller ones pass it; when it has waited for
    `patience` seconds, no other is started before it.
    """

    def __init__(self, limits: Limits, patience: float, time: Callable[[], float]) -> None:
        self._limits = limits
        self._patience = patience
        self._time = time
        self._taken: dict[str, Limits] = {}
        self._blocked: dict[Workflow, float] = {}
        self._tried: set[Workflow] = set()
        self._freed = asyncio.Event()

    def take(self, job: Job) -> Limits | None:
        """Reserve what the job needs and give it; None, and remember that its list waits, when it does not fit."""
        needs = self._limits.needs(job)
        if self._free.hold(needs):
            self._taken[job.id] = needs
            self._blocked.pop(job.workflow, None)
            return needs
        self._blocked.setdefault(job.workflow, self._time())
        self._tried.add(job.workflow)
        return None

    def give_back(self, job_id: str) -> None:
        self._taken.pop(job_id, None)
        self._tried.clear()
        self._freed.set()

    def forget(self, workflows: Iterable[Workflow]) -> None:
        """Hear that the lists are empty: nothing in them waits for room."""
        for workflow in workflows:
            self._blocked.pop(workflow, None)

    def wanted(self, workflows: Iterable[Workflow]) -> list[Workflow]:
        """Give the workflows whose lists are worth looking at."""
        self._freed.clear()
        if not self._free.hold(Limits(proc=1, mem=1)):
            return []
        oldest = min(self._blocked, key=self._blocked.__getitem__, default=None)
        if oldest is not None and self._time() - self._blocked[oldest] > self._patience:
            workflows = [oldest]
        return [workflow for workflow in workflows if workflow not in self._blocked or workflow not in self._tried]

    async def change(self) -> None:
        """Wait until a job has given back what it had, or a list may have waited long enough."""
        with suppress(TimeoutError):
            async with asyncio.timeout(POP_SECONDS):
                await self._freed.wait()

    @property
    def _free(self) -> Limits:
        free = self._limits
        for needs in self._taken.values():
            free = free.without(needs)
        return free


class JobManager:
    """The runner of one machine."""

    def __init__(
        self, instance: Instance, urls: ServiceUrls, limits: Limits, *, timing: Timing = DEFAULT_TIMING
    ) -> None:
        runs = JobRuns(
            instance.store,
            instance.queues,
            clock=instance.clock,
            new_id=instance.new_id,
            lease_seconds=timing.lease,
        )
        self.bench = Bench(runner=runner_name(), instance=instance, runs=runs, timing=timing)
        self._engine = LocalEngine(
            Settings(urls=urls, data_path=str(instance.places.data_path.absolute()), runner_pid=os.getpid()),
            self.bench.runner,
        )
        self._room = Room(limits, timing.patience, time.monotonic)
        self._runs: dict[str, Run] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._uploads = UploadSweep(instance.store, instance.places)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Run jobs while the block lasts; those that run at its end are stopped and wait again."""
        loops = [
            asyncio.create_task(self._again(self._listen)),
            asyncio.create_task(self._again(self._sweep, self.bench.timing.sweep)),
            asyncio.create_task(self._again(self._take)),
        ]
        try:
            await self._engine.warm()
            yield
        finally:
            await cancelled(*loops)
            for run in self._runs.values():
                run.stop()
            await self._settled()
            await self._engine.close()

    async def _settled(self) -> None:
        """Wait for the stopped runs; what a store that does not answer holds up is left to the next sweep."""
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=self.bench.timing.shutdown)
            await cancelled(*late)

    async def _again(self, work: Callable[[], Awaitable[None]], pause: float = 0) -> None:
        """Do something again and again, also after a store or a fault has interrupted it."""
        while True:
            try:
                await work()
            except VirtoolError as error:
                logger.warning("The job manager waits: %s", error)
                await asyncio.sleep(self.bench.timing.retry)
            except Exception:
                logger.exception("The job manager goes on after a fault")
                await asyncio.sleep(self.bench.timing.retry)
            else:
                await asyncio.sleep(pause)

    async def _listen(self) -> None:
        async with self.bench.instance.signals.listening(CANCEL_CHANNEL) as job_ids:
            async for job_id in job_ids:
                if run := self._runs.get(job_id):
                    run.cancel()

    async def _take(self) -> None:
        """Start the job that waits longest, if there is room for it."""
        workflows = self._room.wanted(WORKFLOWS)
        if not workflows:
            await self._room.change()
            return
        job_id = await self.bench.instance.queues.pop(workflows, POP_SECONDS)
        if job_id is None:
            self._room.forget(workflows)
            return
        job = await self.bench.runs.get(job_id)
        if job is None or job.state is not JobState.WAITING or job.id in self._runs:
            return
        if (needs := self._room.take(job)) is None:
            await self.bench.instance.queues.put_back(job.workflow, job.id)
            return
        self._runs[job.id] = Run(self.bench, job)
        task = asyncio.create_task(self._run(job.id, needs))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _run(self, job_id: str, needs: Limits) -> None:
        try:
            leased = await self.bench.runs.acquire(job_id, self.bench.runner)
            if leased is not None:
                leased = structs.replace(leased, proc=needs.proc, mem=needs.mem)
                await self._runs[job_id].perform(self._engine, leased)
        except UpstreamUnavailable as error:
            logger.warning("Job %s is left to the next sweep: %s", job_id, error)
        except Exception:
            logger.exception("Job %s is left to the next sweep", job_id)
        finally:
            del self._runs[job_id]
            self._room.give_back(job_id)

    async def _sweep(self) -> None:
        """Recover the jobs whose runner has died or lost them, list lost ones again, and finish uploads."""
        for job in await self.bench.runs.held():
            if job.lease is None or job.id in self._runs:
                continue
            died = has_died(job.lease.runner)
            if died:
                await run_in_thread(kill_marked, job.lease.runner + "#")
            if died or self.bench.runs.has_expired(job):
                await self._recover(job, Abandoned() if died else Silent())
        await self.bench.runs.relist()
        await self._uploads.run()

    async def _recover(self, job: Job, outcome: Abandoned | Silent) -> None:
        seized = await self.bench.runs.seize(job, self.bench.runner)
        if seized is not None:
            await Run(self.bench, seized).settle(outcome)
