"""Takes the tasks that are due, and does light ones side by side and heavy ones one after the other."""

import asyncio
import ctypes
import gc
import logging
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass

import psutil

from virtool_gql.cancellation import cancelled
from virtool_gql.config import Config
from virtool_gql.db.instance import Instance
from virtool_gql.db.task_runs import TaskRuns
from virtool_gql.db.tasks import TASKS_CHANNEL
from virtool_gql.errors import VirtoolError
from virtool_gql.executors import run_in_thread
from virtool_gql.models.tasks import Refresh, Task, TaskType
from virtool_gql.processes import has_died, runner_name
from virtool_gql.tasks import performer
from virtool_gql.tasks.performer import UNDO_SECONDS, Performer
from virtool_gql.tasks.work import AnyWork

logger = logging.getLogger(__name__)

MOST_LIGHT = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing(performer.Timing):
    """How often a worker looks for tasks, for the tasks of the dead, and for periodic ones; in seconds."""

    poll: float = 3
    sweep: float = 5
    plan: float = 60
    fault: float = 1
    most_megabytes: float = 250


DEFAULT_TIMING = Timing()


class Worker:
    """The tasks of one process."""

    def __init__(
        self,
        instance: Instance,
        config: Config,
        works: Mapping[TaskType, type[AnyWork]],
        *,
        timing: Timing = DEFAULT_TIMING,
    ) -> None:
        self.name = runner_name()
        self.runs = TaskRuns(instance.store, clock=instance.clock, new_id=instance.new_id, lease_seconds=timing.lease)
        self._instance = instance
        self._config = config
        self._works = works
        self._timing = timing
        self._performer = Performer(instance, config, self.runs, works, timing=timing)
        self._doing: dict[str, asyncio.Task[None]] = {}
        self._heavy: str | None = None
        self._news = asyncio.Event()
        self._too_large = False
        self._full = asyncio.Event()

    async def run(self, stopped: asyncio.Event) -> None:
        """Do tasks until the event is set, or until a heavy one has left too much memory taken.

        What is being done then waits again.
        """
        loops = [
            asyncio.create_task(self._again(self._listen)),
            asyncio.create_task(self._again(self._sweep, self._timing.sweep)),
            asyncio.create_task(self._again(self._plan, self._timing.plan)),
            asyncio.create_task(self._again(self._take)),
        ]
        ends = [asyncio.create_task(event.wait()) for event in (stopped, self._full)]
        try:
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        finally:
            await cancelled(*loops, *ends)
            await cancelled(*self._doing.values(), again_seconds=UNDO_SECONDS)

    async def _again(self, work: Callable[[], Awaitable[None]], pause: float = 0) -> None:
        """Do something again and again, also after a store or a fault has interrupted it."""
        while True:
            try:
                await work()
            except VirtoolError as error:
                logger.warning("Tasks wait: %s", error.message)
                await asyncio.sleep(self._timing.fault)
            except Exception:
                logger.exception("Tasks go on after a fault")
                await asyncio.sleep(self._timing.fault)
            else:
                await asyncio.sleep(pause)

    async def _listen(self) -> None:
        async with self._instance.signals.listening(TASKS_CHANNEL) as signals:
            self._news.set()
            async for _ in signals:
                self._news.set()

    async def _take(self) -> None:
        """Begin the task that is due first; wait when there is none, or no room for it."""
        self._news.clear()
        types = self._wanted()
        task = await self.runs.acquire(self.name, types) if types else None
        if task is not None:
            self._begin(task)
            return
        with suppress(TimeoutError):
            async with asyncio.timeout(self._timing.poll):
                await self._news.wait()

    def _wanted(self) -> list[TaskType]:
        light = len(self._doing) - (self._heavy is not None)
        room = {True: self._heavy is None, False: light < MOST_LIGHT}
        return [type for type, work in self._works.items() if room[work.heavy] and self._is_on(work)]

    def _is_on(self, work: type[AnyWork]) -> bool:
        """Tell whether this worker does such tasks: those that come again and again may be switched off."""
        return work.arguments is not Refresh or work.interval(self._config) is not None

    def _begin(self, task: Task) -> None:
        if self._works[task.type].heavy:
            self._heavy = task.id
        self._doing[task.id] = asyncio.create_task(self._do(task))

    async def _do(self, task: Task) -> None:
        logger.info("Task %s (%s) begins", task.id, task.type)
        try:
            ended = await self._performer.perform(task)
            logger.info("Task %s (%s) is %s", task.id, task.type, ended.state if ended else "lost")
        except VirtoolError as error:
            logger.warning("Task %s is left until its lease has run out: %s", task.id, error.message)
        except Exception:
            logger.exception("Task %s is left until its lease has run out", task.id)
        finally:
            del self._doing[task.id]
            self._news.set()
        if self._heavy == task.id:
            await self._recover(task)
        if self._too_large and not self._doing:
            self._full.set()

    async def _recover(self, task: Task) -> None:
        """Give memory back after a heavy task; ask for another process in place of this one where that is no help."""
        await run_in_thread(_trim)
        megabytes = psutil.Process().memory_info().rss / 1e6
        if megabytes > self._timing.most_megabytes:
            logger.info("The task process still holds %d MB after task %s and is to be replaced", megabytes, task.id)
            self._too_large = True
        self._heavy = None

    async def _sweep(self) -> None:
        """Let go of the tasks whose process on this machine is dead; others are taken over when their lease ends."""
        for task in await self.runs.held():
            if task.lease_runner is None or task.id in self._doing:
                continue
            if await run_in_thread(has_died, task.lease_runner) and await self.runs.abandon(task):
                self._news.set()

    async def _plan(self) -> None:
        """See that a task of each periodic type is outstanding."""
        for type, work in self._works.items():
            interval = work.interval(self._config)
            if interval is not None:
                await self.runs.have_periodic(type, work.arguments(), interval)
        self._news.set()


def _trim() -> None:
    gc.collect()
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)
