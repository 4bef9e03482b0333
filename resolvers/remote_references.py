"""References that come from releases, at the root of the API."""

from typing import Annotated

import strawberry

from schema.arguments import described
from schema.context import Info
from schema.ids import stored_id
from schema.inputs import given
from schema.payloads import mutation
from schema.references import Reference
from schema.remote_reference_writes import (
    CheckReferenceReleaseInput,
    CheckReferenceReleasePayload,
    InstallReferenceInput,
    InstallReferencePayload,
    UpdateReferenceFromReleaseInput,
    UpdateReferenceFromReleasePayload,
)
from schema.tasks import Task


@strawberry.type
class RemoteReferenceMutation:
    """Installing references from releases, and newer releases in their place."""

    @mutation(
        "Make a reference from a release. When the task fails there is no reference. Needs the permission `CREATE_REF`."
    )
    async def install_reference(
        self, info: Info, input: Annotated[InstallReferenceInput, described("What to install.")]
    ) -> InstallReferencePayload:
        viewer, key = info.context.viewer, given(input.idempotency_key)
        remotes = info.context.db.remote_references
        reference, task = await remotes.install(viewer, input.new_remote(), idempotency_key=key)
        return InstallReferencePayload(reference=Reference.from_document(reference), task=Task.from_document(task))

    @mutation(
        "Ask for the latest release of a reference now, which is done every ten minutes anyway. Needs to be its "
        "creator, a member or an administrator."
    )
    async def check_reference_release(
        self, info: Info, input: Annotated[CheckReferenceReleaseInput, described("The reference.")]
    ) -> CheckReferenceReleasePayload:
        viewer, id = info.context.viewer, stored_id("reference", input.id)
        reference = await info.context.db.remote_references.check(viewer, id)
        return CheckReferenceReleasePayload(reference=Reference.from_document(reference))

    @mutation(
        "Bring a reference to its latest known release, all of it or nothing: OTUs of the release are as it has them "
        "then, also where somebody has changed them here; OTUs that were made here stay. Needs the right `modify` "
        "on it."
    )
    async def update_reference_from_release(
        self, info: Info, input: Annotated[UpdateReferenceFromReleaseInput, described("The reference.")]
    ) -> UpdateReferenceFromReleasePayload:
        viewer, id = info.context.viewer, stored_id("reference", input.id)
        remotes, version = info.context.db.remote_references, given(input.expected_version)
        reference, task = await remotes.update(viewer, id, expected_version=version)
        shown = Reference.from_document(reference)
        return UpdateReferenceFromReleasePayload(reference=shown, task=Task.from_document(task))
