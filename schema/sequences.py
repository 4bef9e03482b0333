"""Sequences of isolates."""

from typing import TYPE_CHECKING, Annotated, Self

import strawberry

from schema.ids import global_id
from schema.inputs import containing, equal, optional, with_id, with_ids
from schema.nodes import Node
from schema.relations import related, related_parts
from virtool_gql.models import joined
from virtool_gql.models import otus as models
from virtool_gql.query import And, Filter

if TYPE_CHECKING:
    from schema.isolates import Isolate
    from schema.otus import OTU

BASES_OF_A_FIELD = 1_000
"""So many bases count as one field of the answer."""


@strawberry.type(description="A sequence of an isolate. Members of its reference may read it.")
class Sequence(Node):
    """A sequence of an isolate."""

    accession: str = strawberry.field(description="The accession number; other sequences may have the same.")
    definition: str = strawberry.field(description="What it is.")
    host: str | None = strawberry.field(description="What it was isolated from; null when nobody has said it.")
    segment: str | None = strawberry.field(description="Of which segment of the OTU's schema it is; null when of none.")
    target: str | None = strawberry.field(description="Of which target of the reference it is; null when of none.")
    length: int = strawberry.field(description="How many bases it has.")
    remote_id: str | None = strawberry.field(description="Its id where it came from; null when it was made here.")
    fasta_url: str | None = strawberry.field(
        description="Where it can be had as FASTA, on this server; null in an earlier version of the OTU."
    )
    sequence_id: strawberry.Private[str]
    otu_id: strawberry.Private[str]
    isolate_id: strawberry.Private[str]
    bases: strawberry.Private[str | None] = None

    sequence = related_parts(
        "bases",
        "sequence_id",
        str | None,
        "bases",
        lambda sequence: sequence.length // BASES_OF_A_FIELD,
        "Its bases: IUPAC codes in capitals. They are read only when asked for.",
    )
    isolate = related(
        "isolate",
        "isolate_id",
        Annotated["Isolate", strawberry.lazy("schema.isolates")],
        "The isolate that it is of, as it is now.",
    )
    otu = related("otu", "otu_id", Annotated["OTU", strawberry.lazy("schema.otus")], "The OTU, as it is now.")

    @classmethod
    def from_document(cls, sequence: models.Sequence) -> Self:
        id = global_id("sequence", sequence.id)
        return cls(
            id=id,
            accession=sequence.accession,
            definition=sequence.definition,
            host=sequence.host,
            segment=sequence.segment,
            target=sequence.target,
            length=sequence.length,
            remote_id=sequence.remote_id,
            fasta_url=f"/downloads/sequences/{id}.fa",
            sequence_id=sequence.id,
            otu_id=sequence.otu_id,
            isolate_id=f"{sequence.otu_id}_{sequence.isolate_id}",
        )

    @classmethod
    def from_joined(cls, sequence: joined.JoinedSequence, otu_id: str, isolate_id: str) -> Self:
        """Make the sequence as it was in some version of its OTU."""
        return cls(
            id=global_id("sequence", sequence.id),
            accession=sequence.accession,
            definition=sequence.definition,
            host=sequence.host,
            segment=sequence.segment,
            target=sequence.target,
            length=len(sequence.sequence),
            remote_id=sequence.remote_id,
            fasta_url=None,
            sequence_id=sequence.id,
            otu_id=otu_id,
            isolate_id=f"{otu_id}_{isolate_id}",
            bases=sequence.sequence,
        )


@strawberry.input(description="Which sequences: those to which all that is given applies.")
class SequenceFilter:
    """Which sequences."""

    search: str | None = optional("Words that are each in the accession or the definition.")
    ids: list[strawberry.ID] | None = optional("One of these sequences.")
    reference_id: strawberry.ID | None = optional("Of this reference.")
    otu_id: strawberry.ID | None = optional("Of this OTU.")
    accession: str | None = optional("Of exactly this accession.")

    def where(self) -> Filter:
        return And(
            containing(self.search, "accession", "definition"),
            with_ids("id", "sequence", self.ids),
            with_id("reference_id", "reference", self.reference_id),
            with_id("otu_id", "otu", self.otu_id),
            equal("accession", self.accession),
        )
