"""Labels at the root of the API."""

from typing import Annotated

import strawberry

from resolvers.listings import listed
from resolvers.subscriptions import watched
from schema.arguments import Id, described
from schema.changes import LabelChange
from schema.context import Info
from schema.ids import stored_id
from schema.inputs import given
from schema.labels import (
    CreateLabelInput,
    CreateLabelPayload,
    DeleteLabelInput,
    DeleteLabelPayload,
    Label,
    LabelFilter,
    LabelOrder,
    UpdateLabelInput,
    UpdateLabelPayload,
)
from schema.payloads import mutation
from virtool_gql.query import Order


@strawberry.type
class LabelQuery:
    """The labels."""

    labels = listed(
        lambda db: db.labels,
        Label,
        LabelFilter,
        LabelOrder,
        default_order=[Order("name_key")],
        description="The labels, by name by default. For everybody who is signed in.",
    )

    @strawberry.field(description="One label. For everybody who is signed in.")
    async def label(self, info: Info, id: Id) -> Label | None:
        label: Label | None = await info.context.loaders.fetch("label", id)
        return label


@strawberry.type
class LabelMutation:
    """Creating, changing and deleting labels."""

    @mutation("Create a label. Needs the permission `CREATE_SAMPLE`.")
    async def create_label(
        self, info: Info, input: Annotated[CreateLabelInput, described("The label.")]
    ) -> CreateLabelPayload:
        viewer, key = info.context.viewer, given(input.idempotency_key)
        label = await info.context.db.labels.create(viewer, input.new_label(), idempotency_key=key)
        return CreateLabelPayload(label=Label.from_document(label))

    @mutation("Change a label. Needs the permission `CREATE_SAMPLE`.")
    async def update_label(
        self, info: Info, input: Annotated[UpdateLabelInput, described("The label, and what to change.")]
    ) -> UpdateLabelPayload:
        viewer, id = info.context.viewer, stored_id("label", input.id)
        version = given(input.expected_version)
        label = await info.context.db.labels.update(viewer, id, input.changes(), expected_version=version)
        return UpdateLabelPayload(label=Label.from_document(label))

    @mutation("Delete a label and take it off all samples. Needs the permission `CREATE_SAMPLE`.")
    async def delete_label(
        self, info: Info, input: Annotated[DeleteLabelInput, described("The label.")]
    ) -> DeleteLabelPayload:
        label = await info.context.db.labels.delete(info.context.viewer, stored_id("label", input.id))
        return DeleteLabelPayload(label=Label.from_document(label))


@strawberry.type
class LabelSubscription:
    """Changes of labels."""

    labels = watched(
        lambda db: db.labels,
        "label",
        LabelFilter,
        LabelChange,
        description="Changes of labels, not of the samples that have them. For everybody who is signed in.",
    )
