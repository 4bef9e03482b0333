"""Tasks at the root of the API."""

import strawberry

from resolvers.listings import listed
from resolvers.subscriptions import watched
from schema.arguments import Id
from schema.changes import TaskChange
from schema.context import Info
from schema.tasks import Task, TaskFilter, TaskOrder


@strawberry.type
class TaskQuery:
    """The tasks that one may read."""

    tasks = listed(
        lambda db: db.tasks,
        Task,
        TaskFilter,
        TaskOrder,
        description="Your tasks and those of references that you may read, or all of them for administrators; newest "
        "first by default.",
    )

    @strawberry.field(
        description="One task: your own, one of a reference that you may read, or any for administrators."
    )
    async def task(self, info: Info, id: Id) -> Task | None:
        task: Task | None = await info.context.loaders.fetch("task", id)
        return task


@strawberry.type
class TaskSubscription:
    """Changes of tasks."""

    tasks = watched(
        lambda db: db.tasks,
        "task",
        TaskFilter,
        TaskChange,
        description="Changes of your tasks and of those of references that you may read, or of all for administrators; "
        "at most four in a second for each task.",
    )
