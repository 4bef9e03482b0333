"""References that begin as a copy of another one."""

from collections.abc import Iterable

import msgspec

from virtool_gql.access import Viewer
from virtool_gql.db.instance import Instance
from virtool_gql.db.names import NAME_LENGTH
from virtool_gql.db.reference_parts import readable_reference
from virtool_gql.db.references import NewReference, References
from virtool_gql.errors import Conflict
from virtool_gql.executors import run_in_thread
from virtool_gql.models.otus import OTU
from virtool_gql.models.references import ClonedFrom, Reference
from virtool_gql.models.tasks import CloneReference, Task, TaskType
from virtool_gql.models.users import Permission
from virtool_gql.query import Eq, Scalar
from virtool_gql.stores.documents import Documents


class NewClone(msgspec.Struct, frozen=True, kw_only=True):
    """What a clone is made from; what is None is taken from the source."""

    source_id: str
    name: str | None = None
    description: str = ""
    organism: str | None = None


class ReferenceClones:
    """Makes copies of references that one may read."""

    def __init__(self, instance: Instance, references: References) -> None:
        self._store = instance.store
        self._references = references

    async def create(
        self, viewer: Viewer, new: NewClone, *, idempotency_key: str | None = None
    ) -> tuple[Reference, Task]:
        """Make a reference, and the task that copies the OTUs as they are now.

        The copy has members of its own: whoever makes it.
        """
        viewer.require(Permission.CREATE_REF)
        earlier = await self._references.made_with(viewer, idempotency_key)
        if earlier is not None:
            return earlier
        source = await readable_reference(self._store, viewer, new.source_id, "reference_id")
        if not source.ready:
            raise Conflict(f"The reference “{source.name}” is still being made; wait until its task is complete.")
        manifest = await manifest_of(self._store, source.id)
        return await self._references.make(
            viewer,
            _draft(new, source),
            TaskType.CLONE_REFERENCE,
            lambda made_id: CloneReference(reference_id=made_id, source_id=source.id, manifest=manifest),
            idempotency_key=idempotency_key,
        )


def _draft(new: NewClone, source: Reference) -> NewReference:
    return NewReference(
        name=f"Clone of {source.name}"[:NAME_LENGTH].strip() if new.name is None else new.name,
        description=new.description,
        organism=source.organism if new.organism is None else new.organism,
        data_type=source.data_type,
        restrict_source_types=source.restrict_source_types,
        source_types=source.source_types,
        targets=source.targets,
        cloned_from=ClonedFrom(id=source.id, name=source.name),
    )


async def manifest_of(store: Documents, reference_id: str) -> dict[str, int]:
    """Give the revision of each OTU of a reference, all at one moment."""
    counted = await store.counts(OTU, ["id", "revision"], Eq("reference_id", reference_id))
    return await run_in_thread(_revisions, counted)


def _revisions(keys: Iterable[tuple[Scalar, ...]]) -> dict[str, int]:
    return {str(id): int(revision) for id, revision in keys if isinstance(revision, int)}
