"""Creating, changing and deleting sequences: what mutations take, and what they answer with."""

import strawberry

from schema.inputs import given, optional, partial
from schema.otu_writes import EXPECTED, IDEMPOTENCY
from schema.otus import OTU
from schema.payloads import Payload
from schema.sequences import Sequence
from virtool_gql.db.sequences import NewSequence, SequenceChanges

ACCESSION = "The accession number."
DEFINITION = "What it is, in at most 2 000 characters."
BASES = "Its bases: IUPAC codes of either case. Whitespace is left out."
HOST = "What it was isolated from."
SEGMENT = "Of which segment of the OTU's schema it is; null for none."
TARGET = (
    "Of which target of the reference it is. Sequences of a reference of barcodes need one that no other sequence of "
    "the isolate has; others have none."
)


@strawberry.input(description="A new sequence.")
class CreateSequenceInput:
    """A new sequence."""

    isolate_id: strawberry.ID = strawberry.field(description="The isolate that it is of.")
    accession: str = strawberry.field(description=ACCESSION)
    definition: str = strawberry.field(description=DEFINITION)
    sequence: str = strawberry.field(description=BASES)
    host: str | None = optional(HOST)
    segment: str | None = optional(SEGMENT)
    target: str | None = optional(TARGET)
    idempotency_key: str | None = optional(IDEMPOTENCY)
    expected_version: int | None = optional(EXPECTED)

    def new_sequence(self) -> NewSequence:
        return NewSequence(
            accession=self.accession,
            definition=self.definition,
            sequence=self.sequence,
            host=given(self.host) or "",
            segment=given(self.segment),
            target=given(self.target),
        )


@strawberry.input(description="What to change of a sequence. What is left out stays as it is.")
class UpdateSequenceInput:
    """What to change of a sequence."""

    id: strawberry.ID = strawberry.field(description="The sequence.")
    accession: str | None = optional(ACCESSION)
    definition: str | None = optional(DEFINITION)
    sequence: str | None = optional(BASES)
    host: str | None = optional(HOST)
    segment: str | None = optional(SEGMENT)
    target: str | None = optional(TARGET)
    expected_version: int | None = optional(EXPECTED)

    def changes(self) -> SequenceChanges:
        return partial(
            SequenceChanges,
            accession=self.accession,
            definition=self.definition,
            sequence=self.sequence,
            host=self.host,
            segment=self.segment,
            target=self.target,
        )


@strawberry.input(description="Which sequence to delete.")
class DeleteSequenceInput:
    """Which sequence to delete."""

    id: strawberry.ID = strawberry.field(description="The sequence.")
    expected_version: int | None = optional(EXPECTED)


@strawberry.type(description="What `createSequence` answers with.")
class CreateSequencePayload(Payload):
    """What `createSequence` answers with."""

    sequence: Sequence | None = strawberry.field(default=None, description="The sequence.")
    otu: OTU | None = strawberry.field(default=None, description="The OTU as it is now.")


@strawberry.type(description="What `updateSequence` answers with.")
class UpdateSequencePayload(Payload):
    """What `updateSequence` answers with."""

    sequence: Sequence | None = strawberry.field(default=None, description="The sequence as it is now.")
    otu: OTU | None = strawberry.field(default=None, description="The OTU as it is now.")


@strawberry.type(description="What `deleteSequence` answers with.")
class DeleteSequencePayload(Payload):
    """What `deleteSequence` answers with."""

    sequence: Sequence | None = strawberry.field(
        default=None, description="The sequence as it was. Its bases cannot be asked for any more."
    )
    otu: OTU | None = strawberry.field(default=None, description="The OTU as it is now.")
