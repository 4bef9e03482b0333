"""Isolates of OTUs."""

from typing import TYPE_CHECKING, Annotated, Self

import strawberry

from schema.ids import global_id
from schema.nodes import Node
from schema.relations import related, related_parts
from schema.sequences import Sequence
from virtool_gql.models import joined
from virtool_gql.models import otus as models
from virtool_gql.models.joined import isolate_name

if TYPE_CHECKING:
    from schema.otus import OTU


@strawberry.type(description="An isolate of an OTU. Members of its reference may read it.")
class Isolate(Node):
    """An isolate of an OTU."""

    source_type: str = strawberry.field(description="What it comes from, in small letters, like `isolate` or `strain`.")
    source_name: str = strawberry.field(description="What that is called.")
    name: str = strawberry.field(
        description="How it is shown: `Isolate X`, or `Unnamed Isolate` when type or name of its source are not known."
    )
    default: bool = strawberry.field(description="Whether it stands for its OTU, as just one isolate of each does.")
    fasta_url: str | None = strawberry.field(
        description="Where its sequences can be had as FASTA, on this server; null in an earlier version of the OTU."
    )
    otu_id: strawberry.Private[str]
    stored_id: strawberry.Private[str]
    sequence_ids: strawberry.Private[tuple[str, ...]] = ()
    sequences_then: strawberry.Private[list[Sequence] | None] = None

    sequences = related_parts(
        "sequence",
        "sequence_ids",
        list[Sequence],
        "sequences_then",
        lambda isolate: len(isolate.sequences_then or isolate.sequence_ids),
        "Its sequences, in their order.",
    )
    otu = related("otu", "otu_id", Annotated["OTU", strawberry.lazy("schema.otus")], "The OTU, as it is now.")

    @classmethod
    def from_document(cls, isolate: models.Isolate, otu_id: str) -> Self:
        id = global_id("isolate", f"{otu_id}_{isolate.id}")
        return cls(
            id=id,
            source_type=isolate.source_type,
            source_name=isolate.source_name,
            name=isolate_name(isolate.source_type, isolate.source_name),
            default=isolate.default,
            fasta_url=f"/downloads/isolates/{id}.fa",
            otu_id=otu_id,
            stored_id=isolate.id,
            sequence_ids=isolate.sequence_ids,
        )

    @classmethod
    def from_joined(cls, isolate: joined.JoinedIsolate, otu_id: str) -> Self:
        """Make the isolate as it was in some version of its OTU."""
        return cls(
            id=global_id("isolate", f"{otu_id}_{isolate.id}"),
            source_type=isolate.source_type,
            source_name=isolate.source_name,
            name=isolate_name(isolate.source_type, isolate.source_name),
            default=isolate.default,
            fasta_url=None,
            otu_id=otu_id,
            stored_id=isolate.id,
            sequences_then=[Sequence.from_joined(sequence, otu_id, isolate.id) for sequence in isolate.sequences],
        )
