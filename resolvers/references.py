"""References at the root of the API."""

from typing import Annotated

import strawberry

from resolvers.listings import listed
from resolvers.subscriptions import watched
from schema.arguments import Id, described
from schema.changes import ReferenceChange
from schema.context import Info
from schema.ids import stored_id
from schema.inputs import given
from schema.payloads import mutation
from schema.reference_writes import (
    ArchiveReferenceInput,
    ArchiveReferencePayload,
    CloneReferenceInput,
    CloneReferencePayload,
    CreateReferenceInput,
    CreateReferencePayload,
    DeleteReferenceInput,
    DeleteReferencePayload,
    RestoreReferenceInput,
    RestoreReferencePayload,
    UpdateReferenceInput,
    UpdateReferencePayload,
)
from schema.references import Reference, ReferenceFilter, ReferenceOrder
from schema.tasks import Task
from virtool_gql.query import Order


@strawberry.type
class ReferenceQuery:
    """The references that one may read."""

    references = listed(
        lambda db: db.references,
        Reference,
        ReferenceFilter,
        ReferenceOrder,
        default_order=[Order("name_key")],
        description="The references that you may read, by name by default; those that are archived or not ready, too.",
    )

    @strawberry.field(description="One reference. Needs to be its creator, a member or an administrator.")
    async def reference(self, info: Info, id: Id) -> Reference | None:
        reference: Reference | None = await info.context.loaders.fetch("reference", id)
        return reference

    @strawberry.field(description="Whether the official reference of plant viruses is here, whoever may read it.")
    async def official_installed(self, info: Info) -> bool:
        info.context.refuse_strangers()
        return await info.context.db.references.official_installed()


@strawberry.type
class ReferenceMutation:
    """Creating, changing and deleting references."""

    @mutation("Create an empty reference, with all rights on it. Needs the permission `CREATE_REF`.")
    async def create_reference(
        self, info: Info, input: Annotated[CreateReferenceInput, described("The reference.")]
    ) -> CreateReferencePayload:
        viewer, key = info.context.viewer, given(input.idempotency_key)
        reference = await info.context.db.references.create(viewer, input.new_reference(), idempotency_key=key)
        return CreateReferencePayload(reference=Reference.from_document(reference))

    @mutation("Copy a reference that you may read. Needs the permission `CREATE_REF`.")
    async def clone_reference(
        self, info: Info, input: Annotated[CloneReferenceInput, described("What to copy.")]
    ) -> CloneReferencePayload:
        viewer, key = info.context.viewer, given(input.idempotency_key)
        clones = info.context.db.reference_clones
        reference, task = await clones.create(viewer, input.new_clone(), idempotency_key=key)
        return CloneReferencePayload(reference=Reference.from_document(reference), task=Task.from_document(task))

    @mutation("Change what is known of a reference. Needs the right `modify` on it.")
    async def update_reference(
        self, info: Info, input: Annotated[UpdateReferenceInput, described("The reference, and what to change.")]
    ) -> UpdateReferencePayload:
        viewer, id = info.context.viewer, stored_id("reference", input.id)
        version = given(input.expected_version)
        reference = await info.context.db.references.update(viewer, id, input.changes(), expected_version=version)
        return UpdateReferencePayload(reference=Reference.from_document(reference))

    @mutation("Let a reference be changed no more until it is restored. Needs the right `modify` on it.")
    async def archive_reference(
        self, info: Info, input: Annotated[ArchiveReferenceInput, described("The reference.")]
    ) -> ArchiveReferencePayload:
        reference = await info.context.db.references.archive(info.context.viewer, stored_id("reference", input.id))
        return ArchiveReferencePayload(reference=Reference.from_document(reference))

    @mutation("Let an archived reference be changed again. Needs the right `modify` on it.")
    async def restore_reference(
        self, info: Info, input: Annotated[RestoreReferenceInput, described("The reference.")]
    ) -> RestoreReferencePayload:
        reference = await info.context.db.references.restore(info.context.viewer, stored_id("reference", input.id))
        return RestoreReferencePayload(reference=Reference.from_document(reference))

    @mutation(
        "Delete a reference at once, and in the background all that is in it; also one that is archived or not ready. "
        "Needs the right `remove` on it."
    )
    async def delete_reference(
        self, info: Info, input: Annotated[DeleteReferenceInput, described("The reference.")]
    ) -> DeleteReferencePayload:
        references, id = info.context.db.references, stored_id("reference", input.id)
        reference, task = await references.delete(info.context.viewer, id)
        return DeleteReferencePayload(reference=Reference.from_document(reference), task=Task.from_document(task))


@strawberry.type
class ReferenceSubscription:
    """Changes of references."""

    references = watched(
        lambda db: db.references,
        "reference",
        ReferenceFilter,
        ReferenceChange,
        description="Changes of references that you may read, not of their OTUs.",
    )
