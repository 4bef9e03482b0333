"""Work in the background that needs no job: imports, clones, refreshers."""

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Self

import strawberry

from schema.enums import described
from schema.ids import global_id
from schema.inputs import before, containing, equal, given, one_of, optional, since, with_id, with_ids
from schema.nodes import Node
from schema.orders import Ordering
from schema.relations import related
from schema.users import User
from virtool_gql.models import tasks as models
from virtool_gql.models.documents import Timestamp
from virtool_gql.models.tasks import TaskState, TaskType
from virtool_gql.query import EVERYTHING, And, Eq, Filter, Not

if TYPE_CHECKING:
    from schema.references import Reference

described(
    TaskType,
    "What a task does.",
    {
        TaskType.CLONE_REFERENCE: "It copies the OTUs of one reference into another.",
        TaskType.IMPORT_REFERENCE: "It makes a reference from an uploaded file.",
        TaskType.REMOTE_REFERENCE: "It installs a release as a reference.",
        TaskType.UPDATE_REMOTE_REFERENCE: "It brings a reference to a newer release.",
        TaskType.DELETE_REFERENCE: "It deletes what belonged to a reference.",
        TaskType.CLEAN_REFERENCES: "It deletes what was left behind by references that are gone; each hour.",
        TaskType.REFRESH_REFERENCES: "It asks for the latest releases of references, again and again.",
        TaskType.REFRESH_HMMS: "It asks for the latest release of HMM profiles, again and again.",
        TaskType.REFRESH_SOFTWARE: "It asks for the releases of this software, again and again.",
    },
)
described(
    TaskState,
    "Where a task stands. The last two are final.",
    {
        TaskState.WAITING: "Nobody has begun with it, or it is to be tried again.",
        TaskState.RUNNING: "Its steps are being done.",
        TaskState.COMPLETE: "All is done.",
        TaskState.FAILED: "It failed; `error` says why, and nothing of what it has done is left.",
    },
)


@strawberry.type(description="Something that is wrong with what a task was given, or odd about it.")
class TaskProblem:
    """Something that is wrong with what a task was given."""

    message: str = strawberry.field(description="What is wrong, in a sentence.")
    otu_id: str | None = strawberry.field(
        description="The id of the OTU that it is about, as it is in what the task was given."
    )
    otu_name: str | None = strawberry.field(description="The name of that OTU.")

    @classmethod
    def from_document(cls, problem: models.Problem) -> Self:
        return cls(message=problem.message, otu_id=problem.otu_id, otu_name=problem.otu_name)


@strawberry.type(
    description="Work in the background. You may read your own tasks and those of references that you may read; "
    "administrators read all of them."
)
class Task(Node):
    """Work in the background."""

    type: TaskType = strawberry.field(description="What it does.")
    state: TaskState = strawberry.field(description="Where it stands.")
    step: str | None = strawberry.field(description="The step that it is at, or was at last; null before the first.")
    progress: float = strawberry.field(description="How far it is, from 0 to 1; never goes back.")
    complete: bool = strawberry.field(description="Whether all is done.")
    error: str | None = strawberry.field(description="Why it failed, in a sentence; null unless it did.")
    problems: list[TaskProblem] = strawberry.field(description="All that is wrong with what it was given.")
    warnings: list[TaskProblem] = strawberry.field(description="What is odd, and did no harm.")
    created_at: Timestamp = strawberry.field(description="When it was asked for.")
    updated_at: Timestamp = strawberry.field(description="When it was heard of last.")
    user_id: strawberry.Private[str | None]
    reference_id: strawberry.Private[str | None]

    user = related("user", "user_id", User, "Who asked for it; null for what the server does by itself.")
    reference = related(
        "reference",
        "reference_id",
        Annotated["Reference", strawberry.lazy("schema.references")],
        "The reference that it is about; null when there is none, when it is gone, or when you may not read it.",
    )

    @classmethod
    def from_document(cls, task: models.Task) -> Self:
        return cls(
            id=global_id("task", task.id),
            type=task.type,
            state=task.state,
            step=task.step,
            progress=task.progress,
            complete=task.state is TaskState.COMPLETE,
            error=task.error,
            problems=[TaskProblem.from_document(problem) for problem in task.problems],
            warnings=[TaskProblem.from_document(problem) for problem in task.warnings],
            created_at=task.created_at,
            updated_at=task.updated_at,
            user_id=task.user_id,
            reference_id=task.reference_id,
        )


@strawberry.input(description="Which tasks: those to which all that is given applies.")
class TaskFilter:
    """Which tasks."""

    search: str | None = optional("Words that are each in the type, the state or the step.")
    ids: list[strawberry.ID] | None = optional("One of these tasks.")
    type: TaskType | None = optional("Of this type.")
    types: list[TaskType] | None = optional("Of one of these types.")
    state: TaskState | None = optional("In this state.")
    states: list[TaskState] | None = optional("In one of these states.")
    complete: bool | None = optional("Whether all is done.")
    reference_id: strawberry.ID | None = optional("About this reference.")
    user_id: strawberry.ID | None = optional("Asked for by this user.")
    created_after: Timestamp | None = optional("Asked for at this moment or later.")
    created_before: Timestamp | None = optional("Asked for before this moment.")

    def where(self) -> Filter:
        return And(
            containing(self.search, "type", "state", "step"),
            with_ids("id", "task", self.ids),
            equal("type", self.type),
            one_of("type", self.types),
            equal("state", self.state),
            one_of("state", self.states),
            _complete(given(self.complete)),
            with_id("reference_id", "reference", self.reference_id),
            with_id("user_id", "user", self.user_id),
            since("created_at", self.created_after),
            before("created_at", self.created_before),
        )


def _complete(complete: bool | None) -> Filter:
    if complete is None:
        return EVERYTHING
    return Eq("state", TaskState.COMPLETE) if complete else Not(Eq("state", TaskState.COMPLETE))


class TaskOrderField(StrEnum):
    """By what tasks are ordered."""

    CREATED_AT = "created_at"
    STATE = "state"
    TYPE = "type"
    PROGRESS = "progress"


described(
    TaskOrderField,
    "By what tasks are ordered.",
    {
        TaskOrderField.CREATED_AT: "When the task was asked for.",
        TaskOrderField.STATE: "The name of the state.",
        TaskOrderField.TYPE: "The name of the type.",
        TaskOrderField.PROGRESS: "How far the task is.",
    },
)


@strawberry.input(description="One key of an ordering of tasks; ties are broken by id.")
class TaskOrder(Ordering):
    """One key of an ordering of tasks."""

    field: TaskOrderField = strawberry.field(description="By what to order.")
