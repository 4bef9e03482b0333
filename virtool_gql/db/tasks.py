"""Background work as its users see it, and how it is asked for."""

import msgspec

from virtool_gql.access import readable_tasks
from virtool_gql.db.instance import Instance
from virtool_gql.db.reference_parts import ReferenceParts
from virtool_gql.db.retries import mended_by
from virtool_gql.models.documents import to_builtins
from virtool_gql.models.tasks import Task, TaskType

TASKS_CHANNEL = "channel:tasks"
"""Where workers are told that there is something to do."""


class Tasks(ReferenceParts[Task]):
    """The tasks: one's own, and those of the references that one may read."""

    noun = "task"

    def __init__(self, instance: Instance) -> None:
        super().__init__(instance, Task, readable_tasks)

    def new(
        self, type: TaskType, args: msgspec.Struct, *, user_id: str | None, reference_id: str | None = None
    ) -> Task:
        """Make a task, to be inserted in the transaction of what points at it; call `wake` after the commit."""
        at = self.instance.clock()
        return Task(
            id=self.instance.new_id(),
            type=type,
            args=to_builtins(args),
            user_id=user_id,
            reference_id=reference_id,
            due_at=at,
            created_at=at,
            updated_at=at,
        )

    async def wake(self) -> None:
        """Tell the workers that there is something to do; when that gets lost they find it by themselves."""
        with mended_by("the workers, which look every few seconds"):
            await self.instance.signals.send(TASKS_CHANNEL, "")
