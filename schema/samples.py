"""Sequencing reads from one plant, and what is known of them."""

from enum import StrEnum
from typing import Self

import strawberry

from schema.context import Info
from schema.enums import described
from schema.groups import Group
from schema.ids import global_id, stored_id
from schema.inputs import (
    before,
    containing,
    equal,
    having,
    having_one,
    nothing_in,
    optional,
    since,
    with_id,
    with_ids,
)
from schema.jobs import Job
from schema.labels import Label
from schema.nodes import Node
from schema.orders import Ordering
from schema.relations import related, related_many
from schema.scalars import Long
from schema.subtractions import Subtraction
from schema.users import User
from virtool_gql.models import samples as models
from virtool_gql.models.documents import Timestamp
from virtool_gql.models.samples import LibraryType
from virtool_gql.query import And, Filter

described(
    LibraryType,
    "How a sequencing library was made.",
    {
        LibraryType.NORMAL: "From all RNA or DNA.",
        LibraryType.SRNA: "From small RNAs.",
        LibraryType.AMPLICON: "From amplified regions.",
        LibraryType.OTHER: "In another way.",
    },
)


@strawberry.type(description="The quality of a sample's reads, of both files together.")
class Quality:
    """The quality of a sample's reads, of both files together."""

    count: Long = strawberry.field(description="How many reads.")
    encoding: str = strawberry.field(description="How the files write qualities.")
    length: list[int] = strawberry.field(description="The length of the shortest and of the longest read, in bases.")
    gc: float = strawberry.field(description="How much of the bases is G or C, in percent.")
    bases: list[list[float]] = strawberry.field(
        description="For each position the mean, median, lower and upper quartile, 10th and 90th percentile of phred."
    )
    composition: list[list[float]] = strawberry.field(description="For each position G, A, T and C, in percent.")
    sequences: list[int] = strawberry.field(description="For each phred score from 0, the reads of that mean quality.")

    @classmethod
    def from_document(cls, quality: models.Quality) -> Self:
        return cls(
            count=Long(quality.count),
            encoding=quality.encoding,
            length=list(quality.length),
            gc=quality.gc,
            bases=[list(row) for row in quality.bases],
            composition=[list(row) for row in quality.composition],
            sequences=list(quality.sequences),
        )


@strawberry.type(description="One file of a sample's reads, as gzipped FASTQ.")
class Reads:
    """One file of a sample's reads."""

    id: strawberry.ID = strawberry.field(description="Unique among all things of all types. Opaque.")
    name: str = strawberry.field(description="`reads_1.fq.gz` or `reads_2.fq.gz`.")
    size: Long = strawberry.field(description="How many bytes.")
    file_name: str = strawberry.field(description="The name of the upload that it was made from.")
    download_url: str | None = strawberry.field(
        description="Where its bytes are, on this server; null until the sample is ready. Needs the right to read it."
    )

    @classmethod
    def of(cls, sample: models.Sample, number: int, reads: models.Reads) -> Self:
        place = f"/downloads/samples/{global_id('sample', sample.id)}/{reads.name}"
        return cls(
            id=global_id("reads", f"{sample.id}_{number}"),
            name=reads.name,
            size=Long(reads.size),
            file_name=reads.file_name,
            download_url=place if sample.ready else None,
        )


@strawberry.type(description="Who but its creator and administrators may read and write a sample.")
class SampleRights:
    """Who but its creator and administrators may read and write a sample."""

    group_read: bool = strawberry.field(description="Whether members of its group may read it.")
    group_write: bool = strawberry.field(description="Whether members of its group who may read it may change it.")
    all_read: bool = strawberry.field(description="Whether everybody may read it.")
    all_write: bool = strawberry.field(description="Whether everybody who may read it may change it.")


@strawberry.type(description="Sequencing reads from one plant, and what is known of them. Its rights say who may read.")
class Sample(Node):
    """Sequencing reads from one plant, and what is known of them."""

    name: str = strawberry.field(description="The name, unique among samples where the settings say so.")
    host: str = strawberry.field(description="The plant that the sample was taken from.")
    isolate: str = strawberry.field(description="The isolate that the sample is.")
    locale: str = strawberry.field(description="Where the sample was taken.")
    notes: str = strawberry.field(description="Anything else.")
    library_type: LibraryType = strawberry.field(description="How the sequencing library was made.")
    paired: bool = strawberry.field(description="Whether its reads are the two ends of fragments, in two files.")
    ready: bool = strawberry.field(description="Whether its reads are there and counted.")
    reads: list[Reads] = strawberry.field(description="The files of its reads; none until ready.")
    rights: SampleRights = strawberry.field(description="Who but its creator and administrators may read and write it.")
    created_at: Timestamp = strawberry.field(description="When it was created.")
    updated_at: Timestamp = strawberry.field(description="When it was last changed.")
    version: int = strawberry.field(description="Counts its changes, for `expectedVersion`.")
    user_id: strawberry.Private[str]
    group_id: strawberry.Private[str | None] = None
    job_id: strawberry.Private[str | None] = None
    label_ids: strawberry.Private[tuple[str, ...]] = ()
    subtraction_ids: strawberry.Private[tuple[str, ...]] = ()
    measured: strawberry.Private[models.Quality | None] = None

    @strawberry.field(description="The quality of its reads; null until ready.")
    async def quality(self, info: Info) -> Quality | None:
        measured = self.measured
        if measured is None and self.ready:  # lists and events leave it out
            measured = await info.context.loaders.quality.load(stored_id("sample", self.id))
        return Quality.from_document(measured) if measured else None

    user = related("user", "user_id", User, "Who created it.")
    group = related("group", "group_id", Group, "The group that it belongs to; null when to none.")
    job = related("job", "job_id", Job, "The job that makes it; null when it is gone or when you may not read it.")
    labels = related_many("label", "label_ids", Label, "name_key", "The labels that it has, by name.")
    subtractions = related_many(
        "subtraction", "subtraction_ids", Subtraction, "name", "The subtractions that its analyses begin with, by name."
    )

    @classmethod
    def from_document(cls, sample: models.Sample) -> Self:
        return cls(
            id=global_id("sample", sample.id),
            name=sample.name,
            host=sample.host,
            isolate=sample.isolate,
            locale=sample.locale,
            notes=sample.notes,
            library_type=sample.library_type,
            paired=sample.paired,
            ready=sample.ready,
            reads=[Reads.of(sample, number, reads) for number, reads in enumerate(sample.reads, 1)],
            rights=SampleRights(
                group_read=sample.group_read,
                group_write=sample.group_write,
                all_read=sample.all_read,
                all_write=sample.all_write,
            ),
            created_at=sample.created_at,
            updated_at=sample.updated_at,
            version=sample.version,
            user_id=sample.user_id,
            group_id=sample.group_id,
            job_id=sample.job_id,
            label_ids=sample.label_ids,
            subtraction_ids=sample.subtraction_ids,
            measured=sample.quality or None,
        )


@strawberry.input(description="Which samples: those to which all that is given applies.")
class SampleFilter:
    """Which samples."""

    search: str | None = optional("Words that are each in the name, host, isolate, locale or notes.")
    ids: list[strawberry.ID] | None = optional("One of these samples.")
    name: str | None = optional("Of exactly this name.")
    host: str | None = optional("Of exactly this host.")
    library_type: LibraryType | None = optional("Of this type of library.")
    ready: bool | None = optional("Samples that are ready, or those that are not.")
    paired: bool | None = optional("Samples of paired reads, or those of single ones.")
    user_id: strawberry.ID | None = optional("Created by this user.")
    user_ids: list[strawberry.ID] | None = optional("Created by one of these users.")
    group_id: strawberry.ID | None = optional("Belonging to this group.")
    label_ids: list[strawberry.ID] | None = optional("Having one of these labels, of which there are at most 100.")
    without_labels: bool | None = optional("Samples without any label, or those that have one.")
    subtraction_id: strawberry.ID | None = optional("Whose analyses begin with this subtraction.")
    created_after: Timestamp | None = optional("Created at this moment or later.")
    created_before: Timestamp | None = optional("Created before this moment.")

    def where(self) -> Filter:
        return And(
            containing(self.search, "name", "host", "isolate", "locale", "notes"),
            with_ids("id", "sample", self.ids),
            equal("name", self.name),
            equal("host", self.host),
            equal("library_type", self.library_type),
            equal("ready", self.ready),
            equal("paired", self.paired),
            with_id("user_id", "user", self.user_id),
            with_ids("user_id", "user", self.user_ids),
            with_id("group_id", "group", self.group_id),
            having("label_ids", "label", self.label_ids),
            nothing_in("label_ids", self.without_labels),
            having_one("subtraction_ids", "subtraction", self.subtraction_id),
            since("created_at", self.created_after),
            before("created_at", self.created_before),
        )


class SampleOrderField(StrEnum):
    """By what samples are ordered."""

    NAME = "name"
    CREATED_AT = "created_at"
    UPDATED_AT = "updated_at"
    HOST = "host"
    LIBRARY_TYPE = "library_type"
    READY = "ready"


described(
    SampleOrderField,
    "By what samples are ordered.",
    {
        SampleOrderField.NAME: "The name.",
        SampleOrderField.CREATED_AT: "When the sample was created.",
        SampleOrderField.UPDATED_AT: "When the sample was last changed.",
        SampleOrderField.HOST: "The host.",
        SampleOrderField.LIBRARY_TYPE: "The type of the library.",
        SampleOrderField.READY: "Whether the sample is ready.",
    },
)


@strawberry.input(description="One key of an ordering of samples; ties are broken by id.")
class SampleOrder(Ordering):
    """One key of an ordering of samples."""

    field: SampleOrderField = strawberry.field(description="By what to order.")
