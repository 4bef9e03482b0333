"""Work that runs in child processes, step by step."""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from enum import StrEnum
from typing import Any, Self, cast

import strawberry
from strawberry.scalars import JSON

from schema.arguments import LogAfter, LogFirst
from schema.connections import page_size
from schema.context import Info
from schema.enums import described
from schema.ids import global_id
from schema.inputs import before, containing, equal, given, one_of, optional, since, with_id, with_ids
from schema.nodes import Node
from schema.orders import Ordering
from schema.payloads import Payload
from schema.relations import related
from schema.users import User
from schema.workflows import Workflow
from virtool_gql.db.job_logs import LogLine
from virtool_gql.errors import BadUserInput
from virtool_gql.models import jobs as models
from virtool_gql.models.documents import Timestamp
from virtool_gql.models.jobs import JobState
from virtool_gql.query import And, Filter

LOG_PAGE = 100
LARGEST_LOG_PAGE = 500


def line_number(after: int | None) -> int:
    """Check the number of a line after which others are asked for."""
    if after is not None and after < 0:
        raise BadUserInput("`after` must be 0 or the number of a line.", path=["after"])
    return after or 0


described(
    JobState,
    "Where a job stands. The last five are final.",
    {
        JobState.WAITING: "Nobody has begun with it.",
        JobState.PREPARING: "A runner has taken it and makes ready.",
        JobState.RUNNING: "Its steps are being done.",
        JobState.COMPLETE: "All is done.",
        JobState.ERROR: "It failed; `error` says why.",
        JobState.CANCELLED: "Somebody cancelled it.",
        JobState.TERMINATED: "Its runner was stopped.",
        JobState.TIMEOUT: "Its runner was not heard of for too long.",
    },
)


@strawberry.type(description="One entry of a job's course.")
class JobStatus:
    """One entry of a job's course."""

    state: JobState = strawberry.field(description="Where the job stood.")
    stage: str | None = strawberry.field(description="The step that it was at; null before the first.")
    progress: float = strawberry.field(description="How far the whole job was, from 0 to 1.")
    at: Timestamp = strawberry.field(description="When it was so.")


@strawberry.type(description="Why a job failed.")
class JobError:
    """Why a job failed."""

    type: str = strawberry.field(description="What kind of failure it was.")
    message: str = strawberry.field(description="A sentence for the job's owner.")
    details: list[str] = strawberry.field(description="More of it, like the last lines that a tool wrote.")
    trace: strawberry.Private[tuple[str, ...]] = ()

    @strawberry.field(description="Where in the program it failed: for administrators, and empty for others.")
    def traceback(self, info: Info) -> list[str]:
        return list(self.trace) if info.context.viewer.administrator else []

    @classmethod
    def from_document(cls, error: models.JobError) -> Self:
        return cls(type=error.type, message=error.message, details=list(error.details), trace=error.traceback)


@strawberry.type(description="One line of a job's log.")
class JobLogLine:
    """One line of a job's log."""

    number: int = strawberry.field(description="Which line it is; the first is 1.")
    at: Timestamp = strawberry.field(description="When it was written.")
    text: str = strawberry.field(description="What was written.")

    @classmethod
    def of(cls, line: LogLine) -> Self:
        return cls(number=line.number, at=line.at, text=line.text)


async def lines_of(lines: AsyncIterator[LogLine]) -> AsyncIterator[JobLogLine]:
    """Turn lines into what clients are told, and let go of their source when the client has gone."""
    async with aclosing(cast("AsyncGenerator[LogLine]", lines)) as source:
        async for line in source:
            yield JobLogLine.of(line)


@strawberry.type(description="Some lines of a job's log, in their order.")
class JobLogConnection:
    """Some lines of a job's log, in their order."""

    nodes: list[JobLogLine] = strawberry.field(description="The lines.")
    has_next_page: bool = strawberry.field(description="Whether there are more; they come `after` the last number.")


@strawberry.type(
    description="Work on the server. You may read your own jobs, and all of them with `CANCEL_JOB` or `REMOVE_JOB`."
)
class Job(Node):
    """Work on the server."""

    workflow: Workflow = strawberry.field(description="What it does.")
    state: JobState = strawberry.field(description="Where it stands.")
    stage: str | None = strawberry.field(description="The step that it is at; null before the first.")
    progress: float = strawberry.field(description="How far it is, from 0 to 1.")
    proc: int = strawberry.field(description="How many processor cores it is given.")
    mem: int = strawberry.field(description="How much memory it is given, in GB.")
    args: JSON = strawberry.field(
        description="Its arguments, as they are stored: the ids in them are without the prefix of their type."
    )
    status: list[JobStatus] = strawberry.field(description="Its course, oldest first.")
    error: JobError | None = strawberry.field(description="Why it failed; null unless it did.")
    cancel_requested: bool = strawberry.field(description="Whether somebody wants it to stop.")
    attempts: int = strawberry.field(description="How many times a runner began with it.")
    created_at: Timestamp = strawberry.field(description="When it was asked for.")
    stored_id: strawberry.Private[str]
    user_id: strawberry.Private[str]

    user = related("user", "user_id", User, "Who asked for it.")

    @strawberry.field(description="What it wrote while it ran. Who may read the job may read its log.")
    async def log(
        self, info: Info, first: LogFirst = strawberry.UNSET, after: LogAfter = strawberry.UNSET
    ) -> JobLogConnection | None:
        size = page_size("first", given(first), default=LOG_PAGE, largest=LARGEST_LOG_PAGE)
        context, number = info.context, line_number(given(after))
        lines = await context.db.jobs.log(context.viewer, self.stored_id, after=number, first=size + 1)
        return JobLogConnection(nodes=[JobLogLine.of(line) for line in lines[:size]], has_next_page=len(lines) > size)

    @classmethod
    def from_document(cls, job: models.Job) -> Self:
        return cls(
            id=global_id("job", job.id),
            workflow=job.workflow,
            state=job.state,
            stage=job.stage,
            progress=job.progress,
            proc=job.proc,
            mem=job.mem,
            args=cast("Any", job.args),
            status=[JobStatus(state=s.state, stage=s.stage, progress=s.progress, at=s.at) for s in job.status],
            error=JobError.from_document(job.error) if job.error else None,
            cancel_requested=job.cancel_requested,
            attempts=job.attempts,
            created_at=job.created_at,
            stored_id=job.id,
            user_id=job.user_id,
        )


@strawberry.input(description="Which jobs: those to which all that is given applies.")
class JobFilter:
    """Which jobs."""

    search: str | None = optional("Words that are each in the workflow, the state or the stage.")
    ids: list[strawberry.ID] | None = optional("One of these jobs.")
    state: JobState | None = optional("In this state.")
    states: list[JobState] | None = optional("In one of these states.")
    workflow: Workflow | None = optional("Of this workflow.")
    workflows: list[Workflow] | None = optional("Of one of these workflows.")
    user_id: strawberry.ID | None = optional("Asked for by this user.")
    created_after: Timestamp | None = optional("Asked for at this moment or later.")
    created_before: Timestamp | None = optional("Asked for before this moment.")

    def where(self) -> Filter:
        return And(
            containing(self.search, "workflow", "state", "stage"),
            with_ids("id", "job", self.ids),
            equal("state", self.state),
            one_of("state", self.states),
            equal("workflow", self.workflow),
            one_of("workflow", self.workflows),
            with_id("user_id", "user", self.user_id),
            since("created_at", self.created_after),
            before("created_at", self.created_before),
        )


class JobOrderField(StrEnum):
    """By what jobs are ordered."""

    CREATED_AT = "created_at"
    STATE = "state"
    WORKFLOW = "workflow"
    PROGRESS = "progress"


described(
    JobOrderField,
    "By what jobs are ordered.",
    {
        JobOrderField.CREATED_AT: "When the job was asked for.",
        JobOrderField.STATE: "The name of the state.",
        JobOrderField.WORKFLOW: "The name of the workflow.",
        JobOrderField.PROGRESS: "How far the job is.",
    },
)


@strawberry.input(description="One key of an ordering of jobs; ties are broken by id.")
class JobOrder(Ordering):
    """One key of an ordering of jobs."""

    field: JobOrderField = strawberry.field(description="By what to order.")


@strawberry.input(description="Which job to cancel.")
class CancelJobInput:
    """Which job to cancel."""

    id: strawberry.ID = strawberry.field(description="The job.")


@strawberry.type(description="What `cancelJob` answers with.")
class CancelJobPayload(Payload):
    """What `cancelJob` answers with."""

    job: Job | None = strawberry.field(default=None, description="The job, cancelled or about to be.")


@strawberry.input(description="Which job to delete.")
class DeleteJobInput:
    """Which job to delete."""

    id: strawberry.ID = strawberry.field(description="The job.")


@strawberry.type(description="What `deleteJob` answers with.")
class DeleteJobPayload(Payload):
    """What `deleteJob` answers with."""

    job: Job | None = strawberry.field(default=None, description="The job as it was.")
