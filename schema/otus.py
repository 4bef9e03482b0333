"""Operational taxonomic units: viruses, their isolates, and what keeps them from being built."""

from enum import StrEnum
from functools import cached_property
from typing import Annotated, Self

import strawberry

from schema.arguments import After, Before, First, Last
from schema.connections import Connection
from schema.context import Info
from schema.enums import described
from schema.history import NEWEST_OF_OTU, HistoryEntry, Version, at_hand, at_versions_by, history_of
from schema.ids import global_id
from schema.inputs import before, containing, equal, optional, since, with_id, with_ids
from schema.isolates import Isolate
from schema.nodes import Node
from schema.orders import Ordering
from schema.references import Reference
from schema.relations import RELATION, held, related, related_parts
from schema.sequences import Sequence
from schema.users import User
from virtool_gql.db.history import AtVersion
from virtool_gql.models import otus as models
from virtool_gql.models.documents import Timestamp
from virtool_gql.models.joined import Issues, JoinedOTU, issues_in, issues_of
from virtool_gql.models.otus import Molecule
from virtool_gql.query import And, Filter

described(
    Molecule,
    "What a segment of a genome is made of.",
    {
        Molecule.SS_DNA: "Single-stranded DNA.",
        Molecule.DS_DNA: "Double-stranded DNA.",
        Molecule.SS_RNA: "Single-stranded RNA.",
        Molecule.SS_RNA_PLUS: "Single-stranded RNA that is read as it is.",
        Molecule.SS_RNA_MINUS: "Single-stranded RNA whose complement is read.",
        Molecule.DS_RNA: "Double-stranded RNA.",
    },
)


@strawberry.type(description="A segment of the genome of an OTU.")
class Segment:
    """A segment of the genome of an OTU."""

    name: str = strawberry.field(description="The name, unique within the OTU.")
    molecule: Molecule | None = strawberry.field(description="What it is made of; null when nobody has said it.")
    required: bool = strawberry.field(description="Whether each isolate should have a sequence of it.")

    @classmethod
    def from_document(cls, segment: models.Segment) -> Self:
        return cls(name=segment.name, molecule=segment.molecule, required=segment.required)


@strawberry.type(description="Why an OTU cannot be built into an index.")
class OTUIssues:
    """Why an OTU cannot be built into an index."""

    empty_otu: bool = strawberry.field(description="Whether it has no isolates.")
    isolate_inconsistency: bool = strawberry.field(
        description="Whether its isolates differ in how many sequences they have."
    )
    isolates: strawberry.Private[tuple[Isolate, ...]]
    sequence_ids: strawberry.Private[tuple[str, ...]] = ()
    sequences_then: strawberry.Private[list[Sequence] | None] = None

    empty_isolates = held("isolates", list[Isolate], "Its isolates that have no sequences.")
    empty_sequences = related_parts(
        "sequence",
        "sequence_ids",
        list[Sequence],
        "sequences_then",
        lambda issues: len(issues.sequence_ids),
        "Its sequences that have no bases.",
    )


@strawberry.type(
    description="An operational taxonomic unit: a virus, with its isolates. Members of its reference may read it; the "
    "right `modifyOtu` on the reference is needed to change it.",
)
class OTU(Node):
    """An operational taxonomic unit."""

    name: str = strawberry.field(description="The name, unique within the reference whatever the case of its letters.")
    abbreviation: str = strawberry.field(description="The abbreviation, unique within the reference unless empty.")
    verified: bool = strawberry.field(description="Whether nothing is wrong with it: `issues` is null.")
    modified: bool = strawberry.field(description="Whether it has changes that are in no index yet.")
    version: int = strawberry.field(
        description="The number of its latest change, for `expectedVersion`: 0 when it is new. None is given twice."
    )
    last_indexed_version: int | None = strawberry.field(
        description="The version that is in the latest finished index; null when none is."
    )
    schema: list[Segment] = strawberry.field(description="The segments of its genome, in their order.")
    imported: bool = strawberry.field(description="Whether it came with a file, another reference or a release.")
    remote_id: str | None = strawberry.field(description="Its id where it came from; null when it was made here.")
    fasta_url: str | None = strawberry.field(
        description="Where all of its sequences can be had as FASTA, on this server; null in an earlier version."
    )
    created_at: Timestamp = strawberry.field(description="When it was created.")
    updated_at: Timestamp = strawberry.field(description="When it was last changed.")
    document: strawberry.Private[models.OTU]
    joined: strawberry.Private[JoinedOTU | None]
    otu_id: strawberry.Private[str]
    reference_id: strawberry.Private[str]
    user_id: strawberry.Private[str]

    isolates = held("held_isolates", list[Isolate], "Its isolates, in their order.")
    issues = held(
        "held_issues", OTUIssues | None, "Why it cannot be built into an index; null when nothing is wrong with it."
    )
    reference = related("reference", "reference_id", Reference, "The reference that it belongs to.")
    user = related("user", "user_id", User, "Who created it.")

    most_recent_change = related(
        "otu_most_recent_change",
        "otu_id",
        HistoryEntry,
        "Its latest change that is in no index yet; null when none is.",
    )

    @strawberry.field(description="Its changes, newest first.", metadata={RELATION: NEWEST_OF_OTU})
    async def history(
        self,
        info: Info,
        first: First = strawberry.UNSET,
        after: After = strawberry.UNSET,
        last: Last = strawberry.UNSET,
        before: Before = strawberry.UNSET,
    ) -> Connection[HistoryEntry] | None:
        return await history_of(info, self, first, after, last, before)

    @strawberry.field(
        description="It as it was at a version, with its isolates and sequences as they were then.",
        metadata={RELATION: at_versions_by("otu_id")},
    )
    async def at_version(self, info: Info, version: Version) -> Annotated["OTU", strawberry.lazy("schema.otus")] | None:
        then: OTU | None = await at_hand(info.context.loaders.otu_at_version, AtVersion(self.otu_id, version))
        return then

    @cached_property
    def held_isolates(self) -> tuple[Isolate, ...]:
        if self.joined is not None:
            return tuple(Isolate.from_joined(isolate, self.otu_id) for isolate in self.joined.isolates)
        return tuple(Isolate.from_document(isolate, self.otu_id) for isolate in self.document.isolates)

    @cached_property
    def held_issues(self) -> OTUIssues | None:
        if self.joined is not None:
            return self._issues(issues_in(self.joined), self.held_isolates)
        return self._issues(issues_of(self.document.isolates, self.document.empty_sequence_ids), self.held_isolates)

    @staticmethod
    def _issues(found: Issues | None, isolates: tuple[Isolate, ...]) -> OTUIssues | None:
        if found is None:
            return None
        empty = frozenset(found.empty_sequence)
        then = [each for isolate in isolates for each in isolate.sequences_then or () if each.sequence_id in empty]
        return OTUIssues(
            empty_otu=found.empty_otu,
            isolate_inconsistency=found.isolate_inconsistency,
            isolates=tuple(isolate for isolate in isolates if isolate.stored_id in found.empty_isolate),
            sequence_ids=found.empty_sequence,
            sequences_then=then or None,
        )

    @classmethod
    def from_document(cls, otu: models.OTU) -> Self:
        return cls._made(otu, None)

    @classmethod
    def from_joined(cls, joined: JoinedOTU, otu: models.OTU) -> Self:
        """Make the OTU as it was in some version, from what it was then and what it is now."""
        return cls._made(otu, joined)

    @classmethod
    def _made(cls, otu: models.OTU, joined: JoinedOTU | None) -> Self:
        state, id = joined or otu, global_id("otu", otu.id)
        return cls(
            id=id,
            name=state.name,
            abbreviation=state.abbreviation,
            verified=otu.verified if joined is None else issues_in(joined) is None,
            modified=otu.modified if joined is None else otu.built_revision != joined.version,
            version=otu.revision if joined is None else joined.version,
            last_indexed_version=otu.built_revision,
            schema=[Segment.from_document(segment) for segment in state.schema],
            imported=otu.imported,
            remote_id=otu.remote_id,
            fasta_url=f"/downloads/otus/{id}.fa" if joined is None else None,
            created_at=otu.created_at,
            updated_at=otu.updated_at,
            document=otu,
            joined=joined,
            otu_id=otu.id,
            reference_id=otu.reference_id,
            user_id=otu.user_id,
        )


@strawberry.input(description="Which OTUs: those to which all that is given applies.")
class OTUFilter:
    """Which OTUs."""

    search: str | None = optional("Words that are each in the name or the abbreviation.")
    ids: list[strawberry.ID] | None = optional("One of these OTUs.")
    reference_id: strawberry.ID | None = optional("Of this reference.")
    name: str | None = optional("Of exactly this name.")
    abbreviation: str | None = optional("Of exactly this abbreviation.")
    verified: bool | None = optional("OTUs with which nothing is wrong, or the others.")
    modified: bool | None = optional("OTUs with changes that are in no index yet, or the others.")
    imported: bool | None = optional("OTUs that came from elsewhere, or those that were made here.")
    remote_id: str | None = optional("With this id where they came from.")
    user_id: strawberry.ID | None = optional("Created by this user.")
    created_after: Timestamp | None = optional("Created at this moment or later.")
    created_before: Timestamp | None = optional("Created before this moment.")

    def where(self) -> Filter:
        return And(
            containing(self.search, "name", "abbreviation"),
            with_ids("id", "otu", self.ids),
            with_id("reference_id", "reference", self.reference_id),
            equal("name", self.name),
            equal("abbreviation", self.abbreviation),
            equal("verified", self.verified),
            equal("modified", self.modified),
            equal("imported", self.imported),
            equal("remote_id", self.remote_id),
            with_id("user_id", "user", self.user_id),
            since("created_at", self.created_after),
            before("created_at", self.created_before),
        )


class OTUOrderField(StrEnum):
    """By what OTUs are ordered."""

    NAME = "name_key"
    ABBREVIATION = "abbreviation"
    VERIFIED = "verified"
    MODIFIED = "modified"
    CREATED_AT = "created_at"
    UPDATED_AT = "updated_at"


described(
    OTUOrderField,
    "By what OTUs are ordered.",
    {
        OTUOrderField.NAME: "The name, whatever the case of its letters.",
        OTUOrderField.ABBREVIATION: "The abbreviation.",
        OTUOrderField.VERIFIED: "Whether nothing is wrong with the OTU.",
        OTUOrderField.MODIFIED: "Whether the OTU has changes that are in no index yet.",
        OTUOrderField.CREATED_AT: "When the OTU was created.",
        OTUOrderField.UPDATED_AT: "When the OTU was last changed.",
    },
)


@strawberry.input(description="One key of an ordering of OTUs; ties are broken by id.")
class OTUOrder(Ordering):
    """One key of an ordering of OTUs."""

    field: OTUOrderField = strawberry.field(description="By what to order.")
