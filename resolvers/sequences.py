"""Sequences of isolates at the root of the API."""

from typing import Annotated

import strawberry

from resolvers.subscriptions import watched
from schema.arguments import Id, described
from schema.changes import SequenceChange
from schema.context import Info
from schema.ids import stored_id
from schema.inputs import given
from schema.otus import OTU
from schema.payloads import mutation
from schema.sequence_writes import (
    CreateSequenceInput,
    CreateSequencePayload,
    DeleteSequenceInput,
    DeleteSequencePayload,
    UpdateSequenceInput,
    UpdateSequencePayload,
)
from schema.sequences import Sequence, SequenceFilter


@strawberry.type
class SequenceQuery:
    """The sequences of the references that one may read."""

    @strawberry.field(description="One sequence. Needs to be a member of its reference.")
    async def sequence(self, info: Info, id: Id) -> Sequence | None:
        sequence: Sequence | None = await info.context.loaders.fetch("sequence", id)
        return sequence


@strawberry.type
class SequenceMutation:
    """Creating, changing and deleting sequences."""

    @mutation("Add a sequence to an isolate. Needs the right `modifyOtu` on the reference.")
    async def create_sequence(
        self, info: Info, input: Annotated[CreateSequenceInput, described("The sequence.")]
    ) -> CreateSequencePayload:
        viewer, isolate_id = info.context.viewer, stored_id("isolate", input.isolate_id, "isolate_id")
        otu, sequence = await info.context.db.sequences.create(
            viewer,
            isolate_id,
            input.new_sequence(),
            idempotency_key=given(input.idempotency_key),
            expected_version=given(input.expected_version),
        )
        return CreateSequencePayload(sequence=Sequence.from_document(sequence), otu=OTU.from_document(otu))

    @mutation("Change a sequence. Needs the right `modifyOtu` on the reference.")
    async def update_sequence(
        self, info: Info, input: Annotated[UpdateSequenceInput, described("The sequence, and what to change.")]
    ) -> UpdateSequencePayload:
        viewer, id = info.context.viewer, stored_id("sequence", input.id)
        version = given(input.expected_version)
        otu, sequence = await info.context.db.sequences.update(viewer, id, input.changes(), expected_version=version)
        return UpdateSequencePayload(sequence=Sequence.from_document(sequence), otu=OTU.from_document(otu))

    @mutation("Delete a sequence. Needs the right `modifyOtu` on the reference.")
    async def delete_sequence(
        self, info: Info, input: Annotated[DeleteSequenceInput, described("The sequence.")]
    ) -> DeleteSequencePayload:
        viewer, id = info.context.viewer, stored_id("sequence", input.id)
        version = given(input.expected_version)
        otu, sequence = await info.context.db.sequences.delete(viewer, id, expected_version=version)
        return DeleteSequencePayload(sequence=Sequence.from_document(sequence), otu=OTU.from_document(otu))


@strawberry.type
class SequenceSubscription:
    """Changes of sequences."""

    sequences = watched(
        lambda db: db.sequences,
        "sequence",
        SequenceFilter,
        SequenceChange,
        description="Changes of sequences in references that you may read.",
    )
