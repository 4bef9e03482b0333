"""What the mutations of references that come from releases take and give."""

import strawberry

from schema.inputs import given, optional
from schema.payloads import Payload
from schema.references import Reference
from schema.tasks import Task
from virtool_gql.db.references import OFFICIAL_SLUG
from virtool_gql.db.remote_references import NewRemote


@strawberry.input(description="A reference that is filled from a release, in the background.")
class InstallReferenceInput:
    """A reference that is filled from a release."""

    slug: str = strawberry.field(
        default=OFFICIAL_SLUG,
        description="The repository that publishes it, as `owner/name`: one of those that the operator allows.",
    )
    release_id: strawberry.ID | None = optional(
        "The id of the release where it is published. The latest one when left out."
    )
    name: str | None = optional("The name; others may have the same. `Plant Viruses` when left out.")
    description: str | None = optional("What it is for; as for the official reference when left out.")
    idempotency_key: str | None = optional("A text of your choice; another install with it gives the same reference.")

    def new_remote(self) -> NewRemote:
        return NewRemote(
            slug=self.slug,
            release_id=given(self.release_id),
            name=given(self.name),
            description=given(self.description),
        )


@strawberry.type(description="What `installReference` answers with.")
class InstallReferencePayload(Payload):
    """What `installReference` answers with."""

    reference: Reference | None = strawberry.field(default=None, description="The reference, which is not ready yet.")
    task: Task | None = strawberry.field(default=None, description="The work in the background that fills it.")


@strawberry.input(description="Of which reference to ask for the latest release.")
class CheckReferenceReleaseInput:
    """Of which reference to ask for the latest release."""

    id: strawberry.ID = strawberry.field(description="The reference.")


@strawberry.type(description="What `checkReferenceRelease` answers with.")
class CheckReferenceReleasePayload(Payload):
    """What `checkReferenceRelease` answers with."""

    reference: Reference | None = strawberry.field(default=None, description="The reference, with what is known now.")


@strawberry.input(description="Which reference to bring to its latest release.")
class UpdateReferenceFromReleaseInput:
    """Which reference to bring to its latest release."""

    id: strawberry.ID = strawberry.field(description="The reference.")
    expected_version: int | None = optional("Begin only if this is still its version.")


@strawberry.type(description="What `updateReferenceFromRelease` answers with.")
class UpdateReferenceFromReleasePayload(Payload):
    """What `updateReferenceFromRelease` answers with."""

    reference: Reference | None = strawberry.field(default=None, description="The reference, which is being updated.")
    task: Task | None = strawberry.field(default=None, description="The work in the background that updates it.")
