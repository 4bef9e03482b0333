"""What the mutations of references take and give."""

import strawberry

from schema.ids import parsed, stored_id
from schema.inputs import given, optional, partial, translated
from schema.payloads import Payload
from schema.references import Reference
from schema.tasks import Task
from virtool_gql.db.reference_clones import NewClone
from virtool_gql.db.reference_inputs import NewReference, ReferenceChanges
from virtool_gql.models import references as models
from virtool_gql.models.references import DataType


@strawberry.input(description="A new, empty reference.")
class CreateReferenceInput:
    """A new, empty reference."""

    name: str = strawberry.field(description="The name; others may have the same.")
    description: str | None = optional("What it is for, in at most 10 000 characters.")
    data_type: DataType = strawberry.field(
        default=DataType.GENOME, description="What its sequences will be; cannot be changed."
    )
    organism: str | None = optional("What its OTUs will be, like `virus`.")
    idempotency_key: str | None = optional("A text of your choice; another create with it gives the same reference.")

    def new_reference(self) -> NewReference:
        return NewReference(
            name=self.name,
            description=given(self.description) or "",
            organism=given(self.organism) or "",
            data_type=self.data_type,
        )


@strawberry.input(description="A stretch of the genome that a barcode is taken from.")
class TargetInput:
    """A stretch of the genome that a barcode is taken from."""

    name: str = strawberry.field(description="The name, unique within the reference.")
    description: str | None = optional("What it is, in at most 1 000 characters.")
    required: bool = strawberry.field(default=False, description="Whether each isolate should have a sequence of it.")
    length: int | None = optional("How many bases long it is.")

    def target(self) -> models.Target:
        return models.Target(
            name=self.name,
            description=given(self.description) or "",
            required=self.required,
            length=given(self.length),
        )


@strawberry.input(description="What to change of a reference. What is left out stays as it is.")
class UpdateReferenceInput:
    """What to change of a reference."""

    id: strawberry.ID = strawberry.field(description="The reference.")
    name: str | None = optional("The name; others may have the same.")
    description: str | None = optional("What it is for, in at most 10 000 characters.")
    organism: str | None = optional("What its OTUs are.")
    internal_control_id: strawberry.ID | None = optional(
        "The OTU that is the internal control; null, an empty text and what is no OTU of this reference all mean none."
    )
    restrict_source_types: bool | None = optional("Whether isolates can only have one of `sourceTypes`.")
    source_types: list[str] | None = optional("What isolates can come from; kept in lower case, each once.")
    targets: list[TargetInput] | None = optional(
        "All that its barcodes are taken from, by different names. Ignored where the data type is not `BARCODE`."
    )
    expected_version: int | None = optional("Change it only if this is still its version.")

    def changes(self) -> ReferenceChanges:
        return partial(
            ReferenceChanges,
            name=self.name,
            description=self.description,
            organism=self.organism,
            internal_control_id=translated(self.internal_control_id, _otu_id),
            restrict_source_types=self.restrict_source_types,
            source_types=translated(self.source_types, tuple),
            targets=translated(self.targets, lambda targets: tuple(target.target() for target in targets)),
        )


def _otu_id(id: str) -> str | None:
    """Give the stored id of an OTU; None for what cannot be one."""
    pair = parsed(id)
    return pair[1] if pair is not None and pair[0] == "otu" else None


@strawberry.input(description="A copy of a reference, which is filled in the background.")
class CloneReferenceInput:
    """A copy of a reference."""

    reference_id: strawberry.ID = strawberry.field(description="The reference to copy, as it is at this moment.")
    name: str | None = optional("The name; `Clone of` the other one's when left out.")
    description: str | None = optional("What it is for, in at most 10 000 characters.")
    organism: str | None = optional("What its OTUs are; as in the other one when left out.")
    idempotency_key: str | None = optional("A text of your choice; another clone with it gives the same reference.")

    def new_clone(self) -> NewClone:
        return NewClone(
            source_id=stored_id("reference", self.reference_id, "reference_id"),
            name=given(self.name),
            description=given(self.description) or "",
            organism=given(self.organism),
        )


@strawberry.input(description="Which reference to archive.")
class ArchiveReferenceInput:
    """Which reference to archive."""

    id: strawberry.ID = strawberry.field(description="The reference.")


@strawberry.input(description="Which reference to restore.")
class RestoreReferenceInput:
    """Which reference to restore."""

    id: strawberry.ID = strawberry.field(description="The reference.")


@strawberry.input(description="Which reference to delete.")
class DeleteReferenceInput:
    """Which reference to delete."""

    id: strawberry.ID = strawberry.field(description="The reference.")


@strawberry.type(description="What `createReference` answers with.")
class CreateReferencePayload(Payload):
    """What `createReference` answers with."""

    reference: Reference | None = strawberry.field(default=None, description="The reference.")


@strawberry.type(description="What `updateReference` answers with.")
class UpdateReferencePayload(Payload):
    """What `updateReference` answers with."""

    reference: Reference | None = strawberry.field(default=None, description="The reference as it is now.")


@strawberry.type(description="What `archiveReference` answers with.")
class ArchiveReferencePayload(Payload):
    """What `archiveReference` answers with."""

    reference: Reference | None = strawberry.field(default=None, description="The reference as it is now.")


@strawberry.type(description="What `restoreReference` answers with.")
class RestoreReferencePayload(Payload):
    """What `restoreReference` answers with."""

    reference: Reference | None = strawberry.field(default=None, description="The reference as it is now.")


@strawberry.type(description="What `cloneReference` answers with.")
class CloneReferencePayload(Payload):
    """What `cloneReference` answers with."""

    reference: Reference | None = strawberry.field(default=None, description="The copy, which is not ready yet.")
    task: Task | None = strawberry.field(default=None, description="The work in the background that fills it.")


@strawberry.type(description="What `deleteReference` answers with.")
class DeleteReferencePayload(Payload):
    """What `deleteReference` answers with."""

    reference: Reference | None = strawberry.field(default=None, description="The reference as it was.")
    task: Task | None = strawberry.field(
        default=None, description="The work in the background that deletes what is in it."
    )
