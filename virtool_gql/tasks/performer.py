"""One task being done, step by step: its lease renewed, its progress told, its end stored."""

import asyncio
import errno
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import TypeVar

from virtool_gql.cancellation import cancelled
from virtool_gql.config import Config
from virtool_gql.db.instance import Instance
from virtool_gql.db.task_runs import LeaseLost, Remarks, TaskRuns, is_split, nothing
from virtool_gql.errors import StaleDocument, UpstreamUnavailable, VirtoolError
from virtool_gql.models.references import Reference
from virtool_gql.models.tasks import Problem, Task, TaskType
from virtool_gql.stores.documents import Documents
from virtool_gql.tasks.work import AnyWork, SubjectGone

logger = logging.getLogger(__name__)

T = TypeVar("T")

FAULT = "This failed because of a fault in the program; tell an administrator."
DISK_FULL = "The disk is full. Ask an administrator to make room, then try again."
MEMORY_FULL = "This needed more memory than there is; tell an administrator."
GONE = "What this was about was deleted before it was done."
FINISH_ATTEMPTS = 20
UNDO_SECONDS = 5.0
"""For how long a task that is stopped may undo what it has written, where the store has no transactions."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """How long things take, in seconds. A task changes at most four times in a second: two reports, start and end."""

    lease: float = 30
    renew: float = 8
    report: float = 0.5
    look: float = 0.1
    patience: float = 5
    retry: float = 2
    longest_retry: float = 60


DEFAULT_TIMING = Timing()


class Progress:
    """How far a task is: its step, and what part of the step is done."""

    def __init__(self, steps: Sequence[str]) -> None:
        self._steps = list(steps)
        self._fraction = 0.0
        self.step: str | None = None

    def begin(self, step: str) -> None:
        """Begin a step; all before it are done."""
        self._fraction = 0.0
        self.step = step

    def within(self, fraction: float) -> None:
        self._fraction = max(self._fraction, min(fraction, 1.0))

    @property
    def total(self) -> float:
        """What part of the whole is done, in thousandths."""
        index = self._steps.index(self.step) if self.step is not None else 0
        return round((index + self._fraction) / len(self._steps), 3)


class Performer:
    """Does tasks with the connections of its process."""

    def __init__(
        self,
        instance: Instance,
        config: Config,
        runs: TaskRuns,
        works: Mapping[TaskType, type[AnyWork]],
        *,
        timing: Timing = DEFAULT_TIMING,
    ) -> None:
        self.instance = instance
        self.config = config
        self.runs = runs
        self.works = works
        self.timing = timing

    async def perform(self, task: Task) -> Task | None:
        """Do a leased task; give it as it is then, or None when it belongs to others by now.

        One that is cancelled waits again, as if it had not been begun.
        """
        try:
            return await _Performance(self, task).run()
        except LeaseLost:
            logger.warning("The task %s (%s) is done elsewhere by now", task.id, task.type)
            return None
        except asyncio.CancelledError:
            releasing = asyncio.create_task(self._release(task))
            while not releasing.done():
                with suppress(asyncio.CancelledError):  # which comes again and again
                    await asyncio.shield(releasing)
            raise

    async def _release(self, task: Task) -> None:
        try:
            await self.runs.release(task)
        except (LeaseLost, VirtoolError) as error:
            logger.warning("The task %s waits until its lease runs out: %s", task.id, error)


class _Performance:
    """One task in one process; what its work holds."""

    def __init__(self, performer: Performer, task: Task) -> None:
        self.performer = performer
        self.instance = performer.instance
        self.config = performer.config
        self.task = task
        self._kind = performer.works[task.type]
        self._progress = Progress([self._kind.finishing])
        self._warnings: list[Problem] = []
        self._told: tuple[str | None, float] | None = None
        self._told_at = asyncio.get_running_loop().time()

    def within(self, fraction: float) -> None:
        self._progress.within(fraction)

    def warn(self, warnings: Sequence[Problem]) -> None:
        self._warnings.extend(warnings)

    async def fenced(self, write: Callable[[Documents], Awaitable[T]]) -> T:
        return await self.performer.runs.fenced(self.task, write)

    async def run(self) -> Task:
        """Do the task, and store how it ended."""
        if self.task.attempts > self._kind.most_attempts:
            return await self._fail(_killed(self._kind.most_attempts))
        try:
            return await self._done()
        except LeaseLost:
            raise
        except UpstreamUnavailable as error:
            return await self._retry(error)
        except Exception as error:
            sentence = _sentence(error)
            if sentence == FAULT:
                logger.exception("The task %s (%s) failed", self.task.id, self.task.type)
            return await self._fail(sentence, getattr(error, "problems", ()))

    async def _done(self) -> Task:
        """Do the steps; give the completed task."""
        steps = asyncio.create_task(self._take_steps())
        try:
            async with self._telling() as telling:
                await asyncio.wait({telling, steps}, return_when=asyncio.FIRST_COMPLETED)
                if steps.done():
                    return await steps
                await cancelled(steps, again_seconds=UNDO_SECONDS)
                return steps.result() if not steps.cancelled() else await telling
        finally:
            await cancelled(steps, again_seconds=UNDO_SECONDS)

    async def _take_steps(self) -> Task:
        work = self._kind(self)
        await self._await_subject()
        names = [step.__name__ for step in work.steps]
        self._progress = Progress([*names, self._kind.finishing])
        for name, step in zip(names, work.steps, strict=True):
            self._progress.begin(name)
            await step()
        self._progress.begin(self._kind.finishing)
        return await self._again(lambda: self._finish(work))

    async def _await_subject(self) -> None:
        """Wait until the reference is there, or gone, as it is to be: in another store, it is so after the task is."""
        if self.task.reference_id is None or not is_split(self.instance.store):
            return
        with suppress(TimeoutError):
            async with asyncio.timeout(self.performer.timing.patience):
                while await self._has_subject() is not self._kind.subject_exists:  # noqa: ASYNC110 - the store tells nobody
                    await asyncio.sleep(self.performer.timing.look)

    async def _has_subject(self) -> bool:
        return await self.instance.store.get(Reference, self.task.reference_id or "") is not None

    async def _finish(self, work: AnyWork) -> Task:
        return await self.performer.runs.finish(self.task, work.finish, self._remarks())

    def _remarks(self, problems: Sequence[Problem] = ()) -> Remarks:
        interval = self._kind.interval(self.config)
        return Remarks(
            step=self._progress.step,
            problems=tuple(problems),
            warnings=tuple(self._warnings),
            next_seconds=interval,
        )

    async def _fail(self, error: str, problems: Sequence[Problem] = ()) -> Task:
        """Store the failure for certain: nobody else would, until the lease has run out."""
        return await self._surely(lambda: self._again(lambda: self._given_up(error, problems)))

    async def _given_up(self, error: str, problems: Sequence[Problem]) -> Task:
        fail, remarks = self.performer.runs.fail, self._remarks(problems)
        try:
            return await fail(self.task, error, self._kind(self).give_up, remarks)
        except (LeaseLost, UpstreamUnavailable, StaleDocument):
            raise
        except Exception:
            logger.exception("What the task %s (%s) has done cannot be undone", self.task.id, self.task.type)
            return await fail(self.task, error, nothing, remarks)

    async def _retry(self, error: UpstreamUnavailable) -> Task:
        timing, attempts = self.performer.timing, self.task.attempts
        if attempts >= self._kind.most_attempts:
            return await self._fail(error.message)
        seconds = min(timing.retry * 3 ** (attempts - 1), timing.longest_retry)
        logger.warning("The task %s (%s) will be tried again: %s", self.task.id, self.task.type, error.message)
        return await self._surely(lambda: self.performer.runs.retry(self.task, seconds))

    async def _again(self, write: Callable[[], Awaitable[Task]]) -> Task:
        """Write, again when somebody changed a document meanwhile."""
        for _ in range(1, FINISH_ATTEMPTS):
            try:
                return await write()
            except StaleDocument:
                await asyncio.sleep(self.performer.timing.look)
        return await write()

    async def _surely(self, write: Callable[[], Awaitable[Task]]) -> Task:
        """Write as soon as the store answers; others may have taken the task over by then."""
        while True:
            try:
                return await write()
            except UpstreamUnavailable as error:
                logger.warning("The task %s cannot be settled yet: %s", self.task.id, error.message)
                await asyncio.sleep(1)

    @asynccontextmanager
    async def _telling(self) -> AsyncIterator["asyncio.Task[Task]"]:
        """Tell of progress and renew the lease while the block lasts; the task ends only when the lease is lost."""
        telling = asyncio.create_task(self._tell_again_and_again())
        try:
            yield telling
        finally:
            await cancelled(telling)

    async def _tell_again_and_again(self) -> Task:
        timing, clock = self.performer.timing, asyncio.get_running_loop().time
        renewed_at = self._told_at
        while True:
            await asyncio.sleep(timing.look)
            now, news = clock(), (self._progress.step, self._progress.total)
            if (news == self._told or now - self._told_at < timing.report) and now - renewed_at < timing.renew:
                continue
            try:
                await self.performer.runs.report(self.task, *news)
            except UpstreamUnavailable:
                if now - renewed_at > timing.lease:
                    raise LeaseLost from None
            else:
                self._told, self._told_at, renewed_at = news, clock(), now


def _killed(attempts: int) -> str:
    return (
        f"The process that did this was stopped {attempts} times before it was done, so it is not tried again. "
        "The machine may have too little memory: tell an administrator."
    )


def _sentence(error: Exception) -> str:
    if isinstance(error, VirtoolError):
        return error.message
    if isinstance(error, SubjectGone):
        return GONE
    if isinstance(error, OSError) and error.errno in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}:
        return DISK_FULL
    return MEMORY_FULL if isinstance(error, MemoryError) else FAULT
