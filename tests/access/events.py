"""What makes events: each kind of document inserted, changed and deleted."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from tests.access.references import (
    another_readable_reference_of,
    entry_of,
    index_of,
    otu_of,
    readable_reference_of,
    reference_of,
    sequence_of,
    status_of,
    task_of,
)
from tests.access.rules import Role
from tests.access.world import UNHEARD, Person, World
from virtool_gql.models.audit import AuditEntry
from virtool_gql.models.documents import Document
from virtool_gql.models.files import File
from virtool_gql.models.history import HistoryEntry
from virtool_gql.models.indexes import Index
from virtool_gql.models.jobs import Job, JobError, JobState
from virtool_gql.models.labels import Label
from virtool_gql.models.otus import OTU, Sequence
from virtool_gql.models.references import Reference
from virtool_gql.models.samples import Sample
from virtool_gql.models.settings import InstanceMessage, Settings
from virtool_gql.models.status import Status
from virtool_gql.models.subtractions import Subtraction
from virtool_gql.models.tasks import Task
from virtool_gql.models.users import Group, User

Made = Awaitable[Document]

LIFE = ("INSERT", "UPDATE", "DELETE")


@dataclass(frozen=True, slots=True)
class Cause:
    """How documents of a kind come about: one of the owner's, and one that a person may read; and what changes."""

    kind: type[Document]
    owners: Callable[[World], Made]
    readable: Callable[[World, Person], Made]
    change: Mapping[str, Any]
    life: tuple[str, ...] = LIFE


def of_sample(world: World) -> Made:
    return world.sample(job_id=world.shown["job"].partition("_")[2])


def of_subtraction(world: World) -> Made:
    return world.subtraction(job_id=world.shown["job"].partition("_")[2])


def of_job(world: World) -> Made:
    error = JobError(type="Tool", message=UNHEARD, traceback=("line 1",))
    return world.job(state=JobState.ERROR, error=error)


async def otu_in(world: World, reference: Reference) -> OTU:
    return (await otu_of(world, reference)).otu


def of_part(kind: type[Document], make: Callable[[World, Reference], Made], change: Mapping[str, Any]) -> Cause:
    """Give the cause of something that belongs to a reference."""

    async def readable(world: World, person: Person) -> Document:
        return await make(world, await readable_reference_of(world, person))

    return Cause(kind, lambda world: make(world, world.hidden), readable, change)


CAUSES: Mapping[str, Cause] = {
    "sample": Cause(Sample, of_sample, lambda w, _: w.sample(all_read=True), {"notes": "changed"}),
    "job": Cause(Job, of_job, lambda w, person: w.job(person.user_id), {"stage": "changed"}),
    "file": Cause(File, lambda w: w.file(), lambda w, _: w.file(), {"name": "changed"}),
    "user": Cause(User, lambda w: w.user(Role.OWNER), lambda w, _: w.user(Role.STRANGER), {"active": False}),
    "label": Cause(Label, lambda w: w.label(), lambda w, _: w.label(), {"description": "changed"}),
    "subtraction": Cause(Subtraction, of_subtraction, lambda w, _: w.subtraction(), {"nickname": "changed"}),
    "reference": Cause(Reference, reference_of, another_readable_reference_of, {"description": "changed"}),
    "otu": of_part(OTU, otu_in, {"abbreviation": "changed"}),
    "sequence": of_part(Sequence, sequence_of, {"host": "changed"}),
    "history": of_part(HistoryEntry, entry_of, {"index_number": 1}),
    "index": of_part(Index, index_of, {"has_json": False}),
    "task": of_part(Task, task_of, {"step": "changed"}),
    "status": Cause(Status, status_of, lambda w, _: status_of(w), {}, ("UPDATE",)),
    "message": Cause(
        InstanceMessage, lambda w: w.message(active=False), lambda w, _: w.message(active=False), {"message": "changed"}
    ),
    "settings": Cause(Settings, lambda w: w.settings(), lambda w, _: w.settings(), {}, ("UPDATE",)),
    "audit": Cause(AuditEntry, lambda w: w.audit_entry(), lambda w, _: w.audit_entry(), {}, ("INSERT",)),
    "group": Cause(Group, lambda w: w.group(), lambda w, _: w.group(), {"permissions": ("upload_file",)}),
}
"""By the prefix of their ids."""


async def through_its_life(world: World, kind: str) -> str:
    """Insert, change and delete a document of the owner's; give its id."""
    cause = CAUSES[kind]
    document = await cause.owners(world)
    if cause.life != LIFE:
        return f"{kind}_{document.id}"
    await world.changed(cause.kind, document.id, **cause.change)
    await world.removed(cause.kind, document.id)
    return f"{kind}_{document.id}"


async def readable(world: World, kind: str, person: Person) -> str:
    """Insert a document that the person may read; give its id."""
    return f"{kind}_{(await CAUSES[kind].readable(world, person)).id}"
