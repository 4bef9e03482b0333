"""Work that runs in child processes, step by step."""

from enum import StrEnum
from typing import Any

import msgspec

from virtool_gql.models.documents import Document, Kept, Timestamp
from virtool_gql.query import Order
from virtool_gql.workflows import Workflow


class JobState(StrEnum):
    """Where a job stands. The last five are final."""

    WAITING = "waiting"
    PREPARING = "preparing"
    RUNNING = "running"
    COMPLETE = "complete"
    ERROR = "error"
    CANCELLED = "cancelled"
    TERMINATED = "terminated"
    TIMEOUT = "timeout"


FINAL_STATES = frozenset(
    {JobState.COMPLETE, JobState.ERROR, JobState.CANCELLED, JobState.TERMINATED, JobState.TIMEOUT},
)


class JobError(msgspec.Struct, frozen=True, kw_only=True):
    """Why a job failed: a sentence for its owner, details (the tail of a tool's output), and a traceback."""

    type: str
    message: str
    details: tuple[str, ...] = ()
    traceback: tuple[str, ...] = ()


class JobStatus(msgspec.Struct, frozen=True, kw_only=True):
    """One entry of a job's course: the state, the step it was at, and how far the whole job was, from 0 to 1."""

    state: JobState
    stage: str | None
    progress: float
    at: Timestamp


class Lease(msgspec.Struct, frozen=True, kw_only=True):
    """A runner's hold on a job. Only a writer that knows the current token may write for the job."""

    runner: str
    token: str
    expires_at: Timestamp


class Job(Document, frozen=True, kw_only=True):
    """A workflow with its arguments, and the course it takes. `mem` is in GB, `proc` in cores."""

    kept = Kept(
        "jobs",
        unannounced=frozenset({"lease"}),
        indexes=((Order("created_at", descending=True),), (Order("state"),), (Order("user_id"),)),
    )

    workflow: Workflow
    args: dict[str, Any]
    user_id: str
    proc: int
    mem: int
    state: JobState = JobState.WAITING
    stage: str | None = None
    progress: float = 0.0
    status: tuple[JobStatus, ...] = ()
    error: JobError | None = None
    lease: Lease | None = None
    cancel_requested: bool = False
    attempts: int = 0
    created_at: Timestamp

    @property
    def finished(self) -> bool:
        return self.state in FINAL_STATES
