"""Tasks in any state, and tasks done in the test's own process."""

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import structs

from virtool_gql.config import Config
from virtool_gql.db.database import Database
from virtool_gql.db.task_runs import TaskRuns
from virtool_gql.models.tasks import DeleteReference, Task, TaskState, TaskType
from virtool_gql.tasks.bodies import WORKS
from virtool_gql.tasks.performer import Performer
from virtool_gql.tasks.work import AnyWork


async def stored_task(
    db: Database,
    user_id: str | None = "owner",
    type: TaskType = TaskType.DELETE_REFERENCE,
    args: msgspec.Struct | None = None,
    **values: Any,
) -> Task:
    """Make a task; one that deletes a reference which never was, if nothing else is said."""
    args = args or DeleteReference(reference_id="gone0000", name="Gone")
    at = db.instance.clock()
    made: dict[str, Any] = {"id": db.instance.new_id(), "due_at": at, "created_at": at, "updated_at": at}
    task = Task(type=type, args=msgspec.to_builtins(args), user_id=user_id, **made | values)
    return (await db.store.insert(task))[0]


async def changed_task(db: Database, task: Task, **values: Any) -> Task:
    """Do what a worker would do to a task."""
    return (await db.store.replace(structs.replace(await task_now(db, task), **values)))[0]


async def task_now(db: Database, task: Task | str) -> Task:
    found = await db.store.get(Task, task if isinstance(task, str) else task.id)
    assert found is not None
    return found


def runs_of(db: Database, **options: Any) -> TaskRuns:
    return TaskRuns(db.store, clock=db.instance.clock, new_id=db.instance.new_id, **options)


def performer_of(
    db: Database, config: Config | None = None, works: Mapping[TaskType, type[AnyWork]] = WORKS, **options: Any
) -> Performer:
    return Performer(db.instance, config or Config(), runs_of(db), works, **options)


async def performed(
    db: Database,
    task: Task | str,
    config: Config | None = None,
    works: Mapping[TaskType, type[AnyWork]] = WORKS,
) -> Task:
    """Do a waiting task in this process, as a worker does; give it as it is then."""
    leased = await runs_of(db).lease(await task_now(db, task), "test")
    assert leased is not None
    ended = await performer_of(db, config, works).perform(leased)
    assert ended is not None
    assert ended.state is not TaskState.RUNNING
    return ended
