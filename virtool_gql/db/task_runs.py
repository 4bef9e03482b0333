"""The worker's side of tasks: who holds one, how far it is, and how it ends.

    WAITING --acquire--> RUNNING --finish--> COMPLETE
       ^--retry, release---'  '------fail--> FAILED

Every write of a worker is fenced: it is committed only while the task's lease has the token that the worker was given.
A task whose lease has run out is acquired like one that waits.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any, TypeVar

import msgspec
from msgspec import structs

from virtool_gql.errors import DuplicateValue, StaleDocument
from virtool_gql.models.documents import Clock, NewId, Timestamp, moment_of, timestamp
from virtool_gql.models.tasks import Problem, Task, TaskState, TaskType
from virtool_gql.query import And, Eq, In, Or, Order, Page, Range
from virtool_gql.stores.audited import AuditedStore
from virtool_gql.stores.documents import MODIFY_ATTEMPTS, Documents, first_of, spread
from virtool_gql.stores.routed import RoutedStore

T = TypeVar("T")
Write = Callable[[Documents], Awaitable[T]]

ENDED = (TaskState.COMPLETE, TaskState.FAILED)
CANDIDATES = 5
"""How many of the tasks that are due are tried; other workers may be faster."""
KEPT = 3
"""How many of the ended tasks of a periodic type stay."""


class LeaseLost(Exception):
    """The task is no longer this worker's: it is gone, has ended, or was taken over."""


class Remarks(msgspec.Struct, frozen=True, kw_only=True):
    """What is told with the end of a task; a periodic one is followed by one that is due after `next_seconds`.

    `step` is the one in which it ended, which nobody may have reported; None means the last one reported.
    """

    step: str | None = None
    problems: tuple[Problem, ...] = ()
    warnings: tuple[Problem, ...] = ()
    next_seconds: float | None = None


async def nothing(_: Documents) -> None:
    """Write nothing."""


class TaskRuns:
    """The tasks, as those who do them see them."""

    def __init__(self, store: Documents, *, clock: Clock, new_id: NewId, lease_seconds: float = 30) -> None:
        self._store = store
        self._clock = clock
        self._new_id = new_id
        self._lease_time = timedelta(seconds=lease_seconds)

    async def acquire(self, runner: str, types: Collection[TaskType]) -> Task | None:
        """Lease the task of one of the types that is due first; None when none is, or others were faster."""
        now = self._clock()
        waiting = And(Eq("state", TaskState.WAITING), Range("due_at", lte=now))
        left = And(Eq("state", TaskState.RUNNING), Range("lease_expires_at", lt=now))
        where = And(In("type", tuple(sorted(types))), Or(waiting, left))
        due = (await self._store.find(Task, where, [Order("due_at")], Page(first=CANDIDATES))).documents
        for task in due:
            if leased := await self.lease(task, runner):
                return leased
        return None

    async def lease(self, task: Task, runner: str) -> Task | None:
        """Lease one task; None when somebody else was faster."""
        leased = structs.replace(
            task,
            state=TaskState.RUNNING,
            attempts=task.attempts + 1,
            lease_runner=runner,
            lease_token=self._new_id() + self._new_id(),
            lease_expires_at=self._after(self._lease_time),
            updated_at=self._clock(),
        )
        try:
            return (await self._store.replace(leased))[0]
        except StaleDocument:
            return None

    async def renew(self, task: Task) -> Task:
        """Prolong the lease."""
        return await self._replace_held(self._store, task, self._prolonged)

    async def report(self, task: Task, step: str | None, progress: float) -> Task:
        """Tell how far the task is, which never goes back, and prolong the lease."""

        def reported(held: Task) -> Task:
            known = max(held.progress, min(progress, 1.0))
            return structs.replace(self._prolonged(held), step=step, progress=known, updated_at=self._clock())

        return await self._replace_held(self._store, task, reported)

    async def fenced(self, task: Task, write: Write[T]) -> T:
        """Write in one transaction, which is committed only while the task is held."""
        async with self._transaction() as (documents, rows):
            written = await write(documents)
            await self._replace_held(rows, task, self._prolonged)
        return written

    async def finish(self, task: Task, write: Write[object], remarks: Remarks) -> Task:
        """Complete the task, together with the writes that come with its end."""

        def complete(held: Task) -> Task:
            return structs.replace(held, state=TaskState.COMPLETE, progress=1.0, warnings=remarks.warnings)

        return await self._end(task, write, complete, remarks)

    async def fail(self, task: Task, error: str, write: Write[object], remarks: Remarks) -> Task:
        """Let the task fail for good, together with the writes that undo what was done for it."""

        def failed(held: Task) -> Task:
            told = structs.replace(held, problems=remarks.problems, warnings=remarks.warnings)
            return structs.replace(told, state=TaskState.FAILED, error=error)

        return await self._end(task, write, failed, remarks)

    async def retry(self, task: Task, seconds: float) -> Task:
        """Let a task wait for its next attempt."""
        return await self._wait(
            task, lambda held: structs.replace(held, due_at=self._after(timedelta(seconds=seconds)))
        )

    async def release(self, task: Task) -> Task:
        """Let a task wait again that was stopped through no fault of its own; the attempt does not count."""
        return await self._wait(task, lambda held: structs.replace(held, attempts=held.attempts - 1))

    async def _wait(self, task: Task, change: Callable[[Task], Task]) -> Task:
        def waiting(held: Task) -> Task:
            return self._released(structs.replace(change(held), state=TaskState.WAITING))

        return await self._replace_held(self._store, task, waiting)

    async def held(self) -> list[Task]:
        """Give all tasks that workers hold."""
        return (await self._store.find(Task, Eq("state", TaskState.RUNNING), page=Page(first=None))).documents

    async def abandon(self, task: Task) -> bool:
        """Let anybody take over a task whose worker is dead; False when somebody has done so."""
        try:
            await self._store.replace(structs.replace(task, lease_token=None, lease_expires_at=task.created_at))
        except StaleDocument:
            return False
        return True

    async def abandon_all(self) -> None:
        """Let all tasks be taken over: for a time when no worker can be alive."""
        for task in await self.held():
            await self.abandon(task)

    async def have_periodic(self, type: TaskType, args: msgspec.Struct, every_seconds: float) -> None:
        """See that a periodic task of the type is outstanding, and due within its interval."""
        outstanding = await first_of(self._store, Task, Eq("periodic_key", type))
        latest = self._after(timedelta(seconds=every_seconds))
        try:
            if outstanding is None:
                await self._store.insert(self._periodic(type, msgspec.to_builtins(args), self._clock()))
            elif outstanding.due_at > latest:
                await self._store.replace(structs.replace(outstanding, due_at=latest))
        except (DuplicateValue, StaleDocument):
            return  # another worker has just done the same

    async def _end(self, task: Task, write: Write[object], change: Callable[[Task], Task], remarks: Remarks) -> Task:
        def ended(held: Task) -> Task:
            return structs.replace(self._released(change(held)), step=remarks.step or held.step, periodic_key=None)

        async with self._transaction() as (documents, rows):
            await write(documents)
            after = await self._replace_held(rows, task, ended)
            if task.periodic_key is not None and remarks.next_seconds is not None:
                due_at = self._after(timedelta(seconds=remarks.next_seconds))
                await rows.insert(self._periodic(task.type, task.args, due_at))
                await _prune(rows, task.type)
        return after

    @asynccontextmanager
    async def _transaction(self) -> AsyncIterator[tuple[Documents, Documents]]:
        """Open a transaction for writes, and one for the row of the task, which commits last.

        It is one and the same unless rows and documents are in two stores. Then a crash between the two commits leaves
        a task that is done again over what it has already done, and none that ended without having done it; the row is
        locked meanwhile, so that nobody takes the task over.
        """
        async with self._store.transaction() as rows:
            if not is_split(self._store):
                yield rows, rows
                return
            async with self._store.transaction() as documents:
                yield documents, rows

    async def _replace_held(self, documents: Documents, task: Task, change: Callable[[Task], Task]) -> Task:
        """Replace the task by a function of itself, while the lease is the one of `task`."""
        for tries in range(1, MODIFY_ATTEMPTS + 1):
            held = await documents.get(Task, task.id)
            if held is None or held.lease_token is None or held.lease_token != task.lease_token:
                raise LeaseLost
            try:
                return (await documents.replace(change(held)))[0]
            except StaleDocument:
                await spread(tries)
        raise StaleDocument("Too many writers change this task at once.")

    def _prolonged(self, held: Task) -> Task:
        return structs.replace(held, lease_expires_at=self._after(self._lease_time))

    def _released(self, held: Task) -> Task:
        return structs.replace(
            held, lease_runner=None, lease_token=None, lease_expires_at=None, updated_at=self._clock()
        )

    def _periodic(self, type: TaskType, args: dict[str, Any], due_at: Timestamp) -> Task:
        at = self._clock()
        return Task(
            id=self._new_id(), type=type, args=args, periodic_key=type, due_at=due_at, created_at=at, updated_at=at
        )

    def _after(self, time: timedelta) -> Timestamp:
        return timestamp(moment_of(self._clock()) + time)


async def _prune(rows: Documents, type: TaskType) -> None:
    """Remove all but the latest few of the ended tasks of a periodic type."""
    ended = And(Eq("type", type), In("state", ENDED))
    newest_first = [Order("created_at", descending=True)]
    old = (await rows.find(Task, ended, newest_first, Page(first=100))).documents[KEPT:]
    if old:
        await rows.delete(*old)


def is_split(store: Documents) -> bool:
    """Tell whether rows and documents are in two stores."""
    inner = store.store if isinstance(store, AuditedStore) else store
    return isinstance(inner, RoutedStore)
