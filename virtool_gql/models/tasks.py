"""Work in the background that needs no job: imports, clones, refreshers."""

from enum import StrEnum
from typing import Any

import msgspec

from virtool_gql.models.documents import Document, Kept, Timestamp
from virtool_gql.models.references import Release
from virtool_gql.query import Order


class TaskType(StrEnum):
    """What a task does."""

    CLONE_REFERENCE = "clone_reference"
    IMPORT_REFERENCE = "import_reference"
    REMOTE_REFERENCE = "remote_reference"
    UPDATE_REMOTE_REFERENCE = "update_remote_reference"
    DELETE_REFERENCE = "delete_reference"
    CLEAN_REFERENCES = "clean_references"
    REFRESH_REFERENCES = "refresh_references"
    REFRESH_HMMS = "refresh_hmms"
    REFRESH_SOFTWARE = "refresh_software"


class TaskState(StrEnum):
    """Where a task stands; the last two are final."""

    WAITING = "waiting"
    RUNNING = "running"
    COMPLETE = "complete"
    FAILED = "failed"


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """Something that is wrong with what a task was given; `otu_name` where it is about one OTU."""

    message: str
    otu_id: str | None = None
    otu_name: str | None = None


class Task(Document, frozen=True, kw_only=True):
    """One piece of work in the background; a row, written in the transaction of what points at it.

    `progress` goes from 0 to 1. `error` says in a sentence why it failed, `problems` all that is wrong with what it was
    given, `warnings` what is odd and did no harm. `periodic_key` is the type of a periodic task until it has ended, so
    that there is one of a type at a time; it waits until `due_at`. Only a writer that knows the current `lease_token`
    may write for the task.
    """

    kept = Kept(
        "tasks",
        in_rows=True,
        in_reference=True,
        unannounced=frozenset({"args", "lease_runner", "lease_token", "lease_expires_at", "periodic_key"}),
        unique=(("periodic_key",),),
        indexes=(
            (Order("created_at", descending=True),),
            (Order("state"), Order("due_at")),
            (Order("reference_id"),),
            (Order("user_id"),),
        ),
    )

    type: TaskType
    state: TaskState = TaskState.WAITING
    step: str | None = None
    progress: float = 0.0
    args: dict[str, Any] = msgspec.field(default_factory=dict)
    error: str | None = None
    problems: tuple[Problem, ...] = ()
    warnings: tuple[Problem, ...] = ()
    user_id: str | None = None
    reference_id: str | None = None
    periodic_key: str | None = None
    attempts: int = 0
    lease_runner: str | None = None
    lease_token: str | None = None
    lease_expires_at: Timestamp | None = None
    due_at: Timestamp
    created_at: Timestamp
    updated_at: Timestamp

    @property
    def ended(self) -> bool:
        return self.state in {TaskState.COMPLETE, TaskState.FAILED}


class CloneReference(msgspec.Struct, frozen=True, kw_only=True):
    """The arguments of `clone_reference`; the manifest says which revision of each OTU is copied."""

    reference_id: str
    source_id: str
    manifest: dict[str, int]


class ImportReference(msgspec.Struct, frozen=True, kw_only=True):
    """The arguments of `import_reference`."""

    reference_id: str
    file_id: str


class RemoteReference(msgspec.Struct, frozen=True, kw_only=True):
    """The arguments of `remote_reference` and of `update_remote_reference`."""

    reference_id: str
    release: Release


class DeleteReference(msgspec.Struct, frozen=True, kw_only=True):
    """The arguments of `delete_reference`: the reference is gone already, by its name then."""

    reference_id: str
    name: str


class Refresh(msgspec.Struct, frozen=True, kw_only=True):
    """The arguments of a periodic task: none."""
