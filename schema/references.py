"""Curated collections of viruses, against which samples are analysed."""

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Self

import strawberry

from schema.context import Info
from schema.contributors import Contributor
from schema.enums import described
from schema.ids import global_id
from schema.inputs import before, containing, equal, optional, present, since, with_id, with_ids
from schema.nodes import Node
from schema.orders import Ordering
from schema.reference_members import ReferenceMember, ReferenceRights
from schema.reference_origins import ClonedFrom, ImportedFrom, RemotesFrom
from schema.relations import related
from schema.releases import Installation, Release
from schema.tasks import Task
from schema.users import User
from virtool_gql.models import references as models
from virtool_gql.models.documents import Timestamp
from virtool_gql.models.references import DataType
from virtool_gql.query import And, Filter

if TYPE_CHECKING:
    from schema.indexes import Index
    from schema.otus import OTU

described(
    DataType,
    "What the sequences of a reference are.",
    {
        DataType.GENOME: "Whole genomes, or segments of them.",
        DataType.BARCODE: "Stretches that tell species from one another; each is of a target.",
    },
)


@strawberry.type(description="A stretch of the genome that a barcode is taken from.")
class Target:
    """A stretch of the genome that a barcode is taken from."""

    name: str = strawberry.field(description="The name, unique within the reference.")
    description: str = strawberry.field(description="What it is.")
    required: bool = strawberry.field(description="Whether each isolate should have a sequence of it.")
    length: int | None = strawberry.field(description="How many bases long it is; null when nobody has said it.")

    @classmethod
    def from_document(cls, target: models.Target) -> Self:
        return cls(name=target.name, description=target.description, required=target.required, length=target.length)


@strawberry.type(
    description="A curated collection of OTUs. Its creator, its members and administrators may read it; what else they "
    "may do, `rights` says."
)
class Reference(Node):
    """A curated collection of OTUs."""

    name: str = strawberry.field(description="The name; others may have the same.")
    description: str = strawberry.field(description="What it is for.")
    data_type: DataType = strawberry.field(description="What its sequences are; never changes.")
    organism: str = strawberry.field(description="What its OTUs are, like `virus`.")
    restrict_source_types: bool = strawberry.field(description="Whether isolates can only have one of `sourceTypes`.")
    source_types: list[str] = strawberry.field(description="What isolates can come from, in lower case.")
    targets: list[Target] = strawberry.field(description="What its barcodes are taken from; none for genomes.")
    cloned_from: ClonedFrom | None = strawberry.field(description="What it was copied from; null when from nothing.")
    imported_from: ImportedFrom | None = strawberry.field(
        description="The upload that it was made from; null when from none."
    )
    remotes_from: RemotesFrom | None = strawberry.field(
        description="Where its releases are published; null when nowhere."
    )
    release: Release | None = strawberry.field(description="The latest release; null when none is known.")
    installed: Installation | None = strawberry.field(description="What was installed last; null when nothing was.")
    updates: list[Installation] = strawberry.field(description="All that was installed, newest first.")
    updating: bool = strawberry.field(description="Whether a release is being installed.")
    ready: bool = strawberry.field(
        description="Whether its OTUs are all there: not while it is being imported, cloned or installed."
    )
    archived: bool = strawberry.field(description="Whether it can be read, and restored, but not changed.")
    export_url: str | None = strawberry.field(
        description="Where it can be had as gzipped JSON, on this server; null until ready. `scope` is `built`, "
        "`unbuilt` or `all`, `ids` is `local` or `remote`. Needs the right to read it."
    )
    created_at: Timestamp = strawberry.field(description="When it was created.")
    updated_at: Timestamp = strawberry.field(description="When it was last changed.")
    version: int = strawberry.field(description="Counts its changes, not those of its OTUs, for `expectedVersion`.")
    document: strawberry.Private[models.Reference]
    reference_id: strawberry.Private[str]
    user_id: strawberry.Private[str]
    internal_control_id: strawberry.Private[str | None]
    task_id: strawberry.Private[str | None]

    user = related("user", "user_id", User, "Who created it.")
    internal_control = related(
        "otu",
        "internal_control_id",
        Annotated["OTU", strawberry.lazy("schema.otus")],
        "The OTU of its own that an analysis shows apart; null when there is none.",
    )
    otu_count = related("reference_otu_count", "reference_id", int, "How many OTUs it has.")
    unbuilt_change_count = related(
        "reference_unbuilt_change_count", "reference_id", int, "How many changes of OTUs are in no index yet."
    )
    modified_otu_count = related(
        "reference_modified_otu_count",
        "reference_id",
        int,
        "How many OTUs have changes that are in no index yet, those among them that were deleted.",
    )

    latest_build = related(
        "reference_latest_build",
        "reference_id",
        Annotated["Index", strawberry.lazy("schema.indexes")],
        "The newest index that is ready; null when there is none.",
    )
    task = related("task", "task_id", Task, "The latest work on it in the background; null when there was none.")

    @strawberry.field(description="What you may do with it beside reading it.")
    def rights(self, info: Info) -> ReferenceRights:
        return ReferenceRights.of(info.context.viewer, self.document)

    @strawberry.field(description="Who may read it beside its creator and administrators: users, then groups.")
    def members(self, info: Info) -> list[ReferenceMember]:
        members = ReferenceMember.of(self.document)
        info.context.spend(len(members))
        return members

    @strawberry.field(description="Who has changed its OTUs, who has made most changes first.")
    async def contributors(self, info: Info) -> list[Contributor] | None:
        contributions = await info.context.loaders.reference_contributions.load(self.reference_id)
        info.context.spend(len(contributions))
        return Contributor.of(contributions)

    @classmethod
    def from_document(cls, reference: models.Reference) -> Self:
        id = global_id("reference", reference.id)
        return cls(
            id=id,
            name=reference.name,
            description=reference.description,
            data_type=reference.data_type,
            organism=reference.organism,
            restrict_source_types=reference.restrict_source_types,
            source_types=list(reference.source_types),
            targets=[Target.from_document(target) for target in reference.targets],
            cloned_from=ClonedFrom.from_document(reference.cloned_from) if reference.cloned_from else None,
            imported_from=ImportedFrom.from_document(reference.imported_from) if reference.imported_from else None,
            remotes_from=RemotesFrom.of(reference.remotes_from, reference) if reference.remotes_from else None,
            release=Release.from_document(reference.release) if reference.release else None,
            installed=Installation.from_document(reference.installed) if reference.installed else None,
            updates=[Installation.from_document(update) for update in reversed(reference.updates)],
            updating=reference.updating,
            ready=reference.ready,
            archived=reference.archived,
            export_url=f"/downloads/references/{id}/reference.json.gz" if reference.ready else None,
            created_at=reference.created_at,
            updated_at=reference.updated_at,
            version=reference.version,
            document=reference,
            reference_id=reference.id,
            user_id=reference.user_id,
            internal_control_id=reference.internal_control_id,
            task_id=reference.task_id,
        )


@strawberry.input(description="Which references: those to which all that is given applies.")
class ReferenceFilter:
    """Which references."""

    search: str | None = optional("Words that are each in the name, the organism or the data type.")
    ids: list[strawberry.ID] | None = optional("One of these references.")
    name: str | None = optional("Of exactly this name.")
    data_type: DataType | None = optional("Of this data type.")
    archived: bool | None = optional("References that are archived, or those that are not.")
    ready: bool | None = optional("References that are ready, or those that are not.")
    remote: bool | None = optional("References whose releases are published somewhere, or the others.")
    user_id: strawberry.ID | None = optional("Created by this user.")
    created_after: Timestamp | None = optional("Created at this moment or later.")
    created_before: Timestamp | None = optional("Created before this moment.")

    def where(self) -> Filter:
        return And(
            containing(self.search, "name", "organism", "data_type"),
            with_ids("id", "reference", self.ids),
            equal("name", self.name),
            equal("data_type", self.data_type),
            equal("archived", self.archived),
            equal("ready", self.ready),
            present("remotes_from.slug", self.remote),
            with_id("user_id", "user", self.user_id),
            since("created_at", self.created_after),
            before("created_at", self.created_before),
        )


class ReferenceOrderField(StrEnum):
    """By what references are ordered."""

    NAME = "name_key"
    ORGANISM = "organism"
    DATA_TYPE = "data_type"
    CREATED_AT = "created_at"
    UPDATED_AT = "updated_at"


described(
    ReferenceOrderField,
    "By what references are ordered.",
    {
        ReferenceOrderField.NAME: "The name, whatever the case of its letters.",
        ReferenceOrderField.ORGANISM: "What the OTUs are.",
        ReferenceOrderField.DATA_TYPE: "What the sequences are.",
        ReferenceOrderField.CREATED_AT: "When the reference was created.",
        ReferenceOrderField.UPDATED_AT: "When the reference was last changed.",
    },
)


@strawberry.input(description="One key of an ordering of references; ties are broken by id.")
class ReferenceOrder(Ordering):
    """One key of an ordering of references."""

    field: ReferenceOrderField = strawberry.field(description="By what to order.")
