"""What subscriptions tell: that something was inserted, updated or deleted."""

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from contextlib import aclosing
from enum import StrEnum
from functools import cache
from typing import Any, TypeVar, cast

import msgspec
import strawberry

from schema.audit import AuditEntry
from schema.enums import described
from schema.files import File
from schema.groups import Group
from schema.history import HistoryEntry
from schema.ids import global_id
from schema.indexes import Index
from schema.jobs import Job
from schema.labels import Label
from schema.messages import InstanceMessage
from schema.otus import OTU
from schema.references import Reference
from schema.samples import Sample
from schema.scalars import Cursor
from schema.sequences import Sequence
from schema.settings import Settings
from schema.status import AnyStatus, Status
from schema.subtractions import Subtraction
from schema.tasks import Task
from schema.users import User
from virtool_gql.models import (
    audit,
    files,
    history,
    indexes,
    jobs,
    labels,
    otus,
    references,
    samples,
    settings,
    subtractions,
    users,
)
from virtool_gql.models import changes as models
from virtool_gql.models import status as status_models
from virtool_gql.models import tasks as task_models
from virtool_gql.models.changes import Operation
from virtool_gql.models.documents import Document, Timestamp

described(
    Operation,
    "What was done.",
    {
        Operation.INSERT: "It is new.",
        Operation.UPDATE: "It was changed.",
        Operation.DELETE: "It is gone.",
    },
)


class Collection(StrEnum):
    """What changes can be of."""

    SAMPLES = "samples"
    FILES = "files"
    JOBS = "jobs"
    USERS = "users"
    GROUPS = "groups"
    LABELS = "labels"
    SUBTRACTIONS = "subtractions"
    REFERENCES = "references"
    OTUS = "otus"
    HISTORY = "history"
    SEQUENCES = "sequences"
    INDEXES = "indexes"
    TASKS = "tasks"
    STATUS = "status"
    SETTINGS = "settings"
    INSTANCE_MESSAGES = "instance_messages"
    AUDIT = "audit"


described(
    Collection,
    "What changes can be of.",
    {
        Collection.SAMPLES: "Samples.",
        Collection.FILES: "Uploaded files.",
        Collection.JOBS: "Jobs.",
        Collection.USERS: "Users.",
        Collection.GROUPS: "Groups.",
        Collection.LABELS: "Labels.",
        Collection.SUBTRACTIONS: "Subtractions.",
        Collection.REFERENCES: "References.",
        Collection.OTUS: "OTUs, with their isolates.",
        Collection.HISTORY: "Entries of the history of OTUs.",
        Collection.SEQUENCES: "Sequences of isolates.",
        Collection.INDEXES: "Builds of references.",
        Collection.TASKS: "Work in the background.",
        Collection.STATUS: "What is known of the profile HMMs and of the software.",
        Collection.SETTINGS: "The settings.",
        Collection.INSTANCE_MESSAGES: "Messages to everybody.",
        Collection.AUDIT: "Entries of the audit log, for administrators.",
    },
)


@strawberry.interface(description="Something that was inserted, updated or deleted.")
class Change:
    """Something that was inserted, updated or deleted."""

    cursor: Cursor = strawberry.field(description="Its place in the log; subscribe `after` it and you miss nothing.")
    operation: Operation = strawberry.field(description="What was done.")
    ids: list[strawberry.ID] = strawberry.field(description="Of what.")
    at: Timestamp = strawberry.field(description="When.")


@strawberry.type(description="An index of a reference that you may read was inserted, updated or deleted.")
class IndexChange(Change):
    """An index was inserted, updated or deleted."""

    index: Index | None = strawberry.field(description="The index as it was just after; null when it is gone.")


@strawberry.type(description="A sample that you may read was inserted, updated or deleted.")
class SampleChange(Change):
    """A sample was inserted, updated or deleted."""

    sample: Sample | None = strawberry.field(description="The sample as it was just after; null when it is gone.")


@strawberry.type(description="A file was inserted, updated or deleted.")
class FileChange(Change):
    """A file was inserted, updated or deleted."""

    file: File | None = strawberry.field(description="The file as it was just after; null when it is gone.")


@strawberry.type(description="A job that you may read was inserted, updated or deleted.")
class JobChange(Change):
    """A job was inserted, updated or deleted."""

    job: Job | None = strawberry.field(description="The job as it was just after; null when it is gone.")


@strawberry.type(description="A user was inserted, updated or deleted.")
class UserChange(Change):
    """A user was inserted, updated or deleted."""

    user: User | None = strawberry.field(description="The user as it was just after; null when gone.")


@strawberry.type(description="A group was inserted, updated or deleted.")
class GroupChange(Change):
    """A group was inserted, updated or deleted."""

    group: Group | None = strawberry.field(description="The group as it was just after; null when it is gone.")


@strawberry.type(description="The settings were changed, for the first time or again.")
class SettingsChange(Change):
    """The settings were changed."""

    settings: Settings | None = strawberry.field(description="The settings as they were just after.")


@strawberry.type(description="A message to everybody was set, changed, or is no longer shown.")
class InstanceMessageChange(Change):
    """A message to everybody was set, changed, or is no longer shown."""

    instance_message: InstanceMessage | None = strawberry.field(description="The message as it was just after.")


@strawberry.type(description="Somebody did something to a document.")
class AuditEntryChange(Change):
    """Somebody did something to a document."""

    audit_entry: AuditEntry | None = strawberry.field(description="What was done, and by whom; never null.")


@strawberry.type(description="A label was inserted, updated or deleted.")
class LabelChange(Change):
    """A label was inserted, updated or deleted."""

    label: Label | None = strawberry.field(description="The label as it was just after; null when it is gone.")


@strawberry.type(description="A subtraction was inserted, updated or deleted.")
class SubtractionChange(Change):
    """A subtraction was inserted, updated or deleted."""

    subtraction: Subtraction | None = strawberry.field(
        description="The subtraction as it was just after; null when it is gone."
    )


@strawberry.type(description="A reference that you may read was inserted, updated or deleted.")
class ReferenceChange(Change):
    """A reference was inserted, updated or deleted."""

    reference: Reference | None = strawberry.field(
        description="The reference as it was just after; null when it is gone."
    )


@strawberry.type(description="A change of an OTU that you may read was made, built or reverted.")
class HistoryChange(Change):
    """A change of an OTU was made, built or reverted."""

    history_entry: HistoryEntry | None = strawberry.field(
        description="The entry as it was just after; null when it is gone, because it was reverted."
    )


@strawberry.type(description="An OTU that you may read, or something in it, was inserted, updated or deleted.")
class OTUChange(Change):
    """An OTU was inserted, updated or deleted."""

    otu: OTU | None = strawberry.field(description="The OTU as it was just after; null when it is gone.")


@strawberry.type(description="A sequence that you may read was inserted, updated or deleted.")
class SequenceChange(Change):
    """A sequence was inserted, updated or deleted."""

    sequence: Sequence | None = strawberry.field(description="The sequence as it was just after; null when it is gone.")


@strawberry.type(description="A task that you may read was inserted, updated or deleted.")
class TaskChange(Change):
    """A task was inserted, updated or deleted."""

    task: Task | None = strawberry.field(description="The task as it was just after; null when it is gone.")


@strawberry.type(description="Something else is known of the profile HMMs, or of the software.")
class StatusChange(Change):
    """Something else is known of the profile HMMs, or of the software."""

    status: Status | None = strawberry.field(description="What was known just after.")


D = TypeVar("D", bound=Document)


def document_of(kind: type[D], change: models.Change) -> D:
    """Make the document of a change; required fields that are not announced are empty."""
    return msgspec.convert({**_unannounced(kind), **change.document}, kind)


@cache
def _unannounced(kind: type[Document]) -> Mapping[str, str]:
    """Give empty values for the required fields that are not announced."""
    required = (field.name for field in msgspec.structs.fields(kind) if field.required)
    return {name: "" for name in required if name in (kind.kept.unannounced or ())}


def _teller(
    entity: str, told: type[Change], shown: Any, kind: type[Document], prefix: str = ""
) -> Callable[[models.Change], Change]:
    """Make the function that turns the changes of a collection into what clients are told.

    `entity` is the field of the document, and the prefix of its ids unless another is given.
    """

    def tell(change: models.Change) -> Change:
        gone = change.operation is Operation.DELETE
        return told(
            cursor=Cursor(change.cursor),
            operation=change.operation,
            ids=[global_id(prefix or entity, id) for id in change.ids],
            at=change.at,
            **{entity: None if gone else shown.from_document(document_of(kind, change))},
        )

    return tell


TELLERS: Mapping[str, Callable[[models.Change], Change]] = {
    Collection.AUDIT: _teller("audit_entry", AuditEntryChange, AuditEntry, audit.AuditEntry, "audit"),
    Collection.SAMPLES: _teller("sample", SampleChange, Sample, samples.Sample),
    Collection.FILES: _teller("file", FileChange, File, files.File),
    Collection.JOBS: _teller("job", JobChange, Job, jobs.Job),
    Collection.USERS: _teller("user", UserChange, User, users.User),
    Collection.GROUPS: _teller("group", GroupChange, Group, users.Group),
    Collection.LABELS: _teller("label", LabelChange, Label, labels.Label),
    Collection.SUBTRACTIONS: _teller("subtraction", SubtractionChange, Subtraction, subtractions.Subtraction),
    Collection.REFERENCES: _teller("reference", ReferenceChange, Reference, references.Reference),
    Collection.HISTORY: _teller("history_entry", HistoryChange, HistoryEntry, history.HistoryEntry, "history"),
    Collection.OTUS: _teller("otu", OTUChange, OTU, otus.OTU),
    Collection.SEQUENCES: _teller("sequence", SequenceChange, Sequence, otus.Sequence),
    Collection.INDEXES: _teller("index", IndexChange, Index, indexes.Index),
    Collection.TASKS: _teller("task", TaskChange, Task, task_models.Task),
    Collection.STATUS: _teller("status", StatusChange, AnyStatus, status_models.Status),
    Collection.SETTINGS: _teller("settings", SettingsChange, Settings, settings.Settings),
    Collection.INSTANCE_MESSAGES: _teller(
        "instance_message", InstanceMessageChange, InstanceMessage, settings.InstanceMessage, "message"
    ),
}


async def told(changes: AsyncIterator[models.Change]) -> AsyncIterator[Any]:
    """Turn changes into what clients are told, and let go of their source when the client has gone."""
    async with aclosing(cast("AsyncGenerator[models.Change]", changes)) as source:
        async for change in source:
            yield TELLERS[change.collection](change)
