"""OTUs at the root of the API."""

from typing import Annotated

import strawberry

from resolvers.listings import OF_REFERENCE, listed
from resolvers.subscriptions import watched
from schema.arguments import Id, described
from schema.changes import OTUChange
from schema.context import Info
from schema.ids import stored_id
from schema.inputs import given
from schema.otu_writes import (
    CreateOtuInput,
    CreateOtuPayload,
    DeleteOtuInput,
    DeleteOtuPayload,
    UpdateOtuInput,
    UpdateOtuPayload,
)
from schema.otus import OTU, OTUFilter, OTUOrder
from schema.payloads import mutation
from virtool_gql.query import Order


@strawberry.type
class OTUQuery:
    """The OTUs of the references that one may read."""

    otus = listed(
        lambda db: db.otus,
        OTU,
        OTUFilter,
        OTUOrder,
        default_order=[Order("name_key")],
        arguments={"reference_id": OF_REFERENCE},
        description="The OTUs of the references that you may read, or of one of these, by name by default.",
    )

    @strawberry.field(description="One OTU. Needs to be a member of its reference.")
    async def otu(self, info: Info, id: Id) -> OTU | None:
        otu: OTU | None = await info.context.loaders.fetch("otu", id)
        return otu


@strawberry.type
class OTUMutation:
    """Creating, changing and deleting OTUs."""

    @mutation("Create an OTU without isolates. Needs the right `modifyOtu` on the reference.")
    async def create_otu(self, info: Info, input: Annotated[CreateOtuInput, described("The OTU.")]) -> CreateOtuPayload:
        viewer, key = info.context.viewer, given(input.idempotency_key)
        reference_id = stored_id("reference", input.reference_id, "reference_id")
        otu = await info.context.db.otus.create(viewer, reference_id, input.new_otu(), idempotency_key=key)
        return CreateOtuPayload(otu=OTU.from_document(otu))

    @mutation("Change the names or the schema of an OTU. Needs the right `modifyOtu` on its reference.")
    async def update_otu(
        self, info: Info, input: Annotated[UpdateOtuInput, described("The OTU, and what to change.")]
    ) -> UpdateOtuPayload:
        viewer, id = info.context.viewer, stored_id("otu", input.id)
        version = given(input.expected_version)
        otu = await info.context.db.otus.update(viewer, id, input.changes(), expected_version=version)
        return UpdateOtuPayload(otu=OTU.from_document(otu))

    @mutation(
        "Delete an OTU with its isolates and sequences. The history can bring it back until the next build. "
        "Needs the right `modifyOtu` on its reference."
    )
    async def delete_otu(self, info: Info, input: Annotated[DeleteOtuInput, described("The OTU.")]) -> DeleteOtuPayload:
        viewer, id = info.context.viewer, stored_id("otu", input.id)
        otu = await info.context.db.otus.delete(viewer, id, expected_version=given(input.expected_version))
        return DeleteOtuPayload(otu=OTU.from_document(otu))


@strawberry.type
class OTUSubscription:
    """Changes of OTUs."""

    otus = watched(
        lambda db: db.otus,
        "otu",
        OTUFilter,
        OTUChange,
        description="Changes of OTUs and their isolates, also of their sequences, in references that you may read.",
    )
