"""Creating, changing and deleting OTUs: what mutations take, and what they answer with."""

import strawberry

from schema.inputs import given, optional, partial, translated
from schema.otus import OTU
from schema.payloads import Payload
from virtool_gql.db.otus import NewOTU, OTUChanges
from virtool_gql.models.otus import Molecule, Segment

NAME = "The name, unique within the reference whatever the case of its letters."
ABBREVIATION = "The abbreviation, unique within the reference unless empty."
EXPECTED = "Do it only if this is still the version of the OTU."
IDEMPOTENCY = "A text of your choice; another create with it gives the same again."


@strawberry.input(description="A segment of the genome of an OTU.")
class SegmentInput:
    """A segment of the genome of an OTU."""

    name: str = strawberry.field(description="The name, unique within the OTU.")
    molecule: Molecule | None = optional("What it is made of; null when nobody can say it.")
    required: bool = strawberry.field(
        default=True, description="Whether each isolate should have a sequence of it; so it is when left out."
    )

    def segment(self) -> Segment:
        return Segment(name=self.name, molecule=given(self.molecule), required=self.required)


def _schema(segments: list[SegmentInput]) -> tuple[Segment, ...]:
    return tuple(segment.segment() for segment in segments)


@strawberry.input(description="A new OTU.")
class CreateOtuInput:
    """A new OTU."""

    reference_id: strawberry.ID = strawberry.field(description="The reference that it is to belong to.")
    name: str = strawberry.field(description=NAME)
    abbreviation: str | None = optional(ABBREVIATION)
    schema: list[SegmentInput] | None = optional("The segments of its genome; none when left out.")
    idempotency_key: str | None = optional(IDEMPOTENCY)

    def new_otu(self) -> NewOTU:
        return NewOTU(
            name=self.name,
            abbreviation=given(self.abbreviation) or "",
            schema=_schema(given(self.schema) or []),
        )


@strawberry.input(description="What to change of an OTU. What is left out stays as it is.")
class UpdateOtuInput:
    """What to change of an OTU."""

    id: strawberry.ID = strawberry.field(description="The OTU.")
    name: str | None = optional(NAME)
    abbreviation: str | None = optional(ABBREVIATION)
    schema: list[SegmentInput] | None = optional(
        "All segments of its genome. Sequences of a segment that is not among them are of none then; a segment of "
        "another name is another one."
    )
    expected_version: int | None = optional(EXPECTED)

    def changes(self) -> OTUChanges:
        schema = translated(self.schema, _schema)
        return partial(OTUChanges, name=self.name, abbreviation=self.abbreviation, schema=schema)


@strawberry.input(description="Which OTU to delete.")
class DeleteOtuInput:
    """Which OTU to delete."""

    id: strawberry.ID = strawberry.field(description="The OTU.")
    expected_version: int | None = optional(EXPECTED)


@strawberry.type(description="What `createOtu` answers with.")
class CreateOtuPayload(Payload):
    """What `createOtu` answers with."""

    otu: OTU | None = strawberry.field(default=None, description="The OTU.")


@strawberry.type(description="What `updateOtu` answers with.")
class UpdateOtuPayload(Payload):
    """What `updateOtu` answers with."""

    otu: OTU | None = strawberry.field(default=None, description="The OTU as it is now.")


@strawberry.type(description="What `deleteOtu` answers with.")
class DeleteOtuPayload(Payload):
    """What `deleteOtu` answers with."""

    otu: OTU | None = strawberry.field(
        default=None, description="The OTU as it was. Its sequences cannot be asked for any more."
    )
