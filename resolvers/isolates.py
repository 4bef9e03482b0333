"""Isolates of OTUs at the root of the API."""

from typing import Annotated

import strawberry

from schema.arguments import described
from schema.context import Info
from schema.ids import stored_id
from schema.inputs import given
from schema.isolate_writes import (
    CreateIsolateInput,
    CreateIsolatePayload,
    DeleteIsolateInput,
    DeleteIsolatePayload,
    SetDefaultIsolateInput,
    SetDefaultIsolatePayload,
    UpdateIsolateInput,
    UpdateIsolatePayload,
)
from schema.isolates import Isolate
from schema.otus import OTU
from schema.payloads import mutation


@strawberry.type
class IsolateMutation:
    """Creating, changing and deleting isolates."""

    @mutation("Add an isolate without sequences to an OTU. Needs the right `modifyOtu` on the reference.")
    async def create_isolate(
        self, info: Info, input: Annotated[CreateIsolateInput, described("The isolate.")]
    ) -> CreateIsolatePayload:
        viewer, otu_id = info.context.viewer, stored_id("otu", input.otu_id, "otu_id")
        otu, isolate = await info.context.db.isolates.create(
            viewer,
            otu_id,
            input.new_isolate(),
            idempotency_key=given(input.idempotency_key),
            expected_version=given(input.expected_version),
        )
        return CreateIsolatePayload(isolate=Isolate.from_document(isolate, otu.id), otu=OTU.from_document(otu))

    @mutation("Change where an isolate comes from. Needs the right `modifyOtu` on the reference.")
    async def update_isolate(
        self, info: Info, input: Annotated[UpdateIsolateInput, described("The isolate, and what to change.")]
    ) -> UpdateIsolatePayload:
        viewer, id = info.context.viewer, stored_id("isolate", input.id)
        version = given(input.expected_version)
        otu, isolate = await info.context.db.isolates.update(viewer, id, input.changes(), expected_version=version)
        return UpdateIsolatePayload(isolate=Isolate.from_document(isolate, otu.id), otu=OTU.from_document(otu))

    @mutation("Have an isolate stand for its OTU. Needs the right `modifyOtu` on the reference.")
    async def set_default_isolate(
        self, info: Info, input: Annotated[SetDefaultIsolateInput, described("The isolate.")]
    ) -> SetDefaultIsolatePayload:
        viewer, id = info.context.viewer, stored_id("isolate", input.id)
        version = given(input.expected_version)
        otu, isolate = await info.context.db.isolates.set_default(viewer, id, expected_version=version)
        return SetDefaultIsolatePayload(isolate=Isolate.from_document(isolate, otu.id), otu=OTU.from_document(otu))

    @mutation(
        "Delete an isolate with its sequences. If it stood for its OTU, the first that remains does so. "
        "Needs the right `modifyOtu` on the reference."
    )
    async def delete_isolate(
        self, info: Info, input: Annotated[DeleteIsolateInput, described("The isolate.")]
    ) -> DeleteIsolatePayload:
        viewer, id = info.context.viewer, stored_id("isolate", input.id)
        version = given(input.expected_version)
        otu, isolate = await info.context.db.isolates.delete(viewer, id, expected_version=version)
        return DeleteIsolatePayload(isolate=Isolate.from_document(isolate, otu.id), otu=OTU.from_document(otu))
