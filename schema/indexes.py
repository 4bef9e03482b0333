"""Builds of references, against which reads are aligned."""

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Self

import strawberry

from schema.contributors import Contributor
from schema.enums import described
from schema.ids import global_id
from schema.inputs import before, containing, equal, optional, since, with_id, with_ids
from schema.jobs import Job
from schema.nodes import Node
from schema.orders import Ordering
from schema.payloads import Payload
from schema.references import Reference
from schema.relations import related, related_list
from schema.users import User
from virtool_gql.db.indexes import BuiltOTU
from virtool_gql.models import indexes as models
from virtool_gql.models.documents import Timestamp
from virtool_gql.query import And, Filter

if TYPE_CHECKING:
    from schema.otus import OTU

LazyOTU = Annotated["OTU", strawberry.lazy("schema.otus")]
FEW = 10
"""As how many fields of the answer the contributors of an index count, who are known only when they were looked for."""


@strawberry.type(description="An OTU of which there are changes in an index.")
class IndexOTU:
    """An OTU of which there are changes in an index."""

    otu_id: strawberry.ID = strawberry.field(description="The id of the OTU, also when that is gone.")
    name: str = strawberry.field(description="The name that it has now, or had when it was removed.")
    change_count: int = strawberry.field(description="How many of its changes were first built into the index.")
    stored_otu_id: strawberry.Private[str]

    otu = related("otu", "stored_otu_id", LazyOTU, "The OTU as it is now; null when it is gone.")

    @classmethod
    def of(cls, otu: BuiltOTU) -> Self:
        return cls(
            otu_id=global_id("otu", otu.otu_id),
            name=otu.name,
            change_count=otu.change_count,
            stored_otu_id=otu.otu_id,
        )


@strawberry.type(description="An OTU in an index, and its state there.")
class ManifestEntry:
    """An OTU in an index, and its state there."""

    otu_id: strawberry.ID = strawberry.field(description="The id of the OTU, also when that is gone.")
    version: int = strawberry.field(description="The version of the OTU that is in the index.")
    stored_otu_id: strawberry.Private[str]

    otu = related("otu", "stored_otu_id", LazyOTU, "The OTU as it is now; null when it is gone.")

    @classmethod
    def of(cls, entry: tuple[str, int]) -> Self:
        id, version = entry
        return cls(otu_id=global_id("otu", id), version=version, stored_otu_id=id)


@strawberry.type(
    description="One build of a reference, against which reads are aligned. Members of the reference may read it; the "
    "right `build` on the reference is needed to make one."
)
class Index(Node):
    """One build of a reference."""

    version: int = strawberry.field(description="Counts the builds of one reference from 0.")
    ready: bool = strawberry.field(description="Whether it is finished and can be used.")
    latest: bool = strawberry.field(description="Whether it is the newest finished one of its reference.")
    has_files: bool = strawberry.field(description="Whether the files are there that reads are aligned against.")
    has_json: bool = strawberry.field(description="Whether what is in it is kept as a file.")
    otu_count: int = strawberry.field(description="How many OTUs are in it.")
    change_count: int = strawberry.field(description="How many changes of OTUs were first built into it.")
    modified_otu_count: int = strawberry.field(
        description="How many OTUs these changes are of, those among them that were deleted."
    )
    export_url: str | None = strawberry.field(
        description="Where its OTUs can be had as gzipped JSON, on this server, as they are in it; null until ready. "
        "`ids` is `local` or `remote`. Needs the right to read the reference."
    )
    created_at: Timestamp = strawberry.field(description="When the build was asked for.")
    index_id: strawberry.Private[str]
    reference_id: strawberry.Private[str]
    job_id: strawberry.Private[str | None]
    user_id: strawberry.Private[str]

    user = related("user", "user_id", User, "Who asked for the build.")
    reference = related("reference", "reference_id", Reference, "The reference that it is a build of.")
    job = related("job", "job_id", Job, "The job that builds it; null when it is gone or when you may not read it.")
    contributors = related_list(
        "index_contributors",
        "index_id",
        Contributor,
        lambda _: FEW,
        "Who has made the changes that were first built into it, who has made most first.",
    )
    otus = related_list(
        "index_otus",
        "index_id",
        IndexOTU,
        lambda index: index.modified_otu_count,
        "The OTUs of which there are changes that were first built into it, by name.",
    )
    manifest = related_list(
        "index_manifest",
        "index_id",
        ManifestEntry,
        lambda index: index.otu_count,
        "All OTUs that are in it, by id.",
    )

    @classmethod
    def from_document(cls, index: models.Index) -> Self:
        id = global_id("index", index.id)
        return cls(
            id=id,
            version=index.number,
            ready=index.ready,
            latest=index.latest,
            has_files=index.has_files,
            has_json=index.has_json,
            otu_count=index.otu_count,
            change_count=index.change_count,
            modified_otu_count=index.modified_otu_count,
            export_url=f"/downloads/indexes/{id}/reference.json.gz" if index.ready else None,
            created_at=index.created_at,
            index_id=index.id,
            reference_id=index.reference_id,
            job_id=index.job_id,
            user_id=index.user_id,
        )


@strawberry.input(description="Which indexes: those to which all that is given applies.")
class IndexFilter:
    """Which indexes."""

    search: str | None = optional("Words that are each in the id.")
    ids: list[strawberry.ID] | None = optional("One of these indexes.")
    reference_id: strawberry.ID | None = optional("Of this reference.")
    ready: bool | None = optional("Indexes that are finished, or those that are not.")
    latest: bool | None = optional("The newest finished one of each reference, or the others.")
    user_id: strawberry.ID | None = optional("Asked for by this user.")
    created_after: Timestamp | None = optional("Asked for at this moment or later.")
    created_before: Timestamp | None = optional("Asked for before this moment.")

    def where(self) -> Filter:
        return And(
            containing(self.search, "id"),
            with_ids("id", "index", self.ids),
            with_id("reference_id", "reference", self.reference_id),
            equal("ready", self.ready),
            equal("latest", self.latest),
            with_id("user_id", "user", self.user_id),
            since("created_at", self.created_after),
            before("created_at", self.created_before),
        )


class IndexOrderField(StrEnum):
    """By what indexes are ordered."""

    VERSION = "number"
    CREATED_AT = "created_at"


described(
    IndexOrderField,
    "By what indexes are ordered.",
    {
        IndexOrderField.VERSION: "The version, which counts the builds of each reference.",
        IndexOrderField.CREATED_AT: "When the build was asked for.",
    },
)


@strawberry.input(description="One key of an ordering of indexes; ties are broken by id.")
class IndexOrder(Ordering):
    """One key of an ordering of indexes."""

    field: IndexOrderField = strawberry.field(description="By what to order.")


@strawberry.input(description="Which reference to build.")
class BuildIndexInput:
    """Which reference to build."""

    reference_id: strawberry.ID = strawberry.field(description="The reference.")
    idempotency_key: str | None = optional("A text of your choice; another build with it gives the same index.")


@strawberry.type(description="What `buildIndex` answers with.")
class BuildIndexPayload(Payload):
    """What `buildIndex` answers with."""

    index: Index | None = strawberry.field(default=None, description="The new index, which is not ready yet.")
    job: Job | None = strawberry.field(default=None, description="The job that builds it.")
