"""Genomes whose reads are taken out of a sample's before they are analysed."""

from enum import StrEnum
from typing import Self

import strawberry

from schema.enums import described
from schema.files import File
from schema.ids import global_id
from schema.inputs import before, containing, equal, optional, since, with_id, with_ids
from schema.jobs import Job
from schema.nodes import Node
from schema.orders import Ordering
from schema.relations import related
from schema.scalars import Long
from schema.users import User
from virtool_gql.models import subtractions as models
from virtool_gql.models.documents import Timestamp
from virtool_gql.query import And, Filter


@strawberry.type(description="How much of a genome is which nucleotide, each from 0 to 1.")
class NucleotideComposition:
    """How much of a genome is which nucleotide."""

    a: float = strawberry.field(description="Adenine.")
    t: float = strawberry.field(description="Thymine.")
    g: float = strawberry.field(description="Guanine.")
    c: float = strawberry.field(description="Cytosine.")
    n: float = strawberry.field(description="Any other letter.")

    @classmethod
    def from_document(cls, gc: models.NucleotideComposition) -> Self:
        return cls(a=gc.a, t=gc.t, g=gc.g, c=gc.c, n=gc.n)


@strawberry.type(
    description="A genome, a host's as a rule, whose reads are taken out of a sample's before they are analysed. "
    "Everybody who is signed in may read it."
)
class Subtraction(Node):
    """A genome whose reads are taken out of a sample's."""

    name: str = strawberry.field(description="The name, of the species as a rule.")
    nickname: str = strawberry.field(description="What people call it.")
    count: Long | None = strawberry.field(description="How many sequences it has; null until ready.")
    gc: NucleotideComposition | None = strawberry.field(description="What it is made of; null until ready.")
    ready: bool = strawberry.field(description="Whether it can be used.")
    deleted: bool = strawberry.field(
        description="Whether it was deleted: then it is shown where it was used, listed no more and used no more."
    )
    file_name: str = strawberry.field(description="The name of the upload that it was made from.")
    created_at: Timestamp = strawberry.field(description="When it was created.")
    version: int = strawberry.field(description="Counts its changes, for `expectedVersion`.")
    user_id: strawberry.Private[str]
    file_id: strawberry.Private[str | None] = None
    job_id: strawberry.Private[str | None] = None

    user = related("user", "user_id", User, "Who created it.")
    file = related("file", "file_id", File, "The upload that it was made from; null when that is gone.")
    job = related("job", "job_id", Job, "The job that makes it; null when it is gone or when you may not read it.")

    @classmethod
    def from_document(cls, subtraction: models.Subtraction) -> Self:
        return cls(
            id=global_id("subtraction", subtraction.id),
            name=subtraction.name,
            nickname=subtraction.nickname,
            count=None if subtraction.count is None else Long(subtraction.count),
            gc=NucleotideComposition.from_document(subtraction.gc) if subtraction.gc else None,
            ready=subtraction.ready,
            deleted=subtraction.deleted,
            file_name=subtraction.file_name,
            created_at=subtraction.created_at,
            version=subtraction.version,
            user_id=subtraction.user_id,
            file_id=subtraction.file_id,
            job_id=subtraction.job_id,
        )


@strawberry.input(description="Which subtractions: those to which all that is given applies.")
class SubtractionFilter:
    """Which subtractions."""

    search: str | None = optional("Words that are each in the name or the nickname.")
    ids: list[strawberry.ID] | None = optional("One of these subtractions.")
    name: str | None = optional("Of exactly this name.")
    ready: bool | None = optional("Subtractions that are ready, or those that are not.")
    user_id: strawberry.ID | None = optional("Created by this user.")
    created_after: Timestamp | None = optional("Created at this moment or later.")
    created_before: Timestamp | None = optional("Created before this moment.")

    def where(self) -> Filter:
        return And(
            containing(self.search, "name", "nickname"),
            with_ids("id", "subtraction", self.ids),
            equal("name", self.name),
            equal("ready", self.ready),
            with_id("user_id", "user", self.user_id),
            since("created_at", self.created_after),
            before("created_at", self.created_before),
        )


class SubtractionOrderField(StrEnum):
    """By what subtractions are ordered."""

    NAME = "name"
    NICKNAME = "nickname"
    READY = "ready"
    CREATED_AT = "created_at"


described(
    SubtractionOrderField,
    "By what subtractions are ordered.",
    {
        SubtractionOrderField.NAME: "The name.",
        SubtractionOrderField.NICKNAME: "The nickname.",
        SubtractionOrderField.READY: "Whether the subtraction is ready.",
        SubtractionOrderField.CREATED_AT: "When the subtraction was created.",
    },
)


@strawberry.input(description="One key of an ordering of subtractions; ties are broken by id.")
class SubtractionOrder(Ordering):
    """One key of an ordering of subtractions."""

    field: SubtractionOrderField = strawberry.field(description="By what to order.")
