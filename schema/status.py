"""What is known of the things that are installed once for the whole instance."""

from typing import Annotated, Self

import strawberry

from schema.context import Info
from schema.ids import global_id
from schema.nodes import Node
from schema.payloads import Payload
from schema.relations import related
from schema.releases import Installation, Release
from schema.tasks import Task
from virtool_gql.models import status as models
from virtool_gql.models.documents import Timestamp
from virtool_gql.models.status import HMM_STATUS_ID
from virtool_gql.version import running


@strawberry.type(
    description="The profile HMMs: which are installed, and which could be. For everybody who is signed in."
)
class HMMStatus(Node):
    """The profile HMMs: which are installed, and which could be."""

    release: Release | None = strawberry.field(description="The latest release; null when none is known.")
    installed: Installation | None = strawberry.field(description="What is installed; null when nothing is.")
    updates: list[Installation] = strawberry.field(description="All that was installed, newest first.")
    updating: bool = strawberry.field(description="Whether a release is being installed.")
    errors: list[str] = strawberry.field(description="Why the latest release is not known; empty when it is.")
    checked_at: Timestamp | None = strawberry.field(description="When it was asked for last; null when never.")
    version: int = strawberry.field(description="Counts its changes; 0 before the first.")
    task_id: strawberry.Private[str | None]

    task = related("task", "task_id", Task, "The latest installation in the background; null when there was none.")

    @classmethod
    def from_document(cls, status: models.Status) -> Self:
        return cls(
            id=global_id("status", status.id),
            release=Release.from_document(status.release) if status.release else None,
            installed=Installation.from_document(status.installed) if status.installed else None,
            updates=[Installation.from_document(update) for update in reversed(status.updates)],
            updating=status.updating,
            errors=list(status.errors),
            checked_at=status.checked_at,
            version=status.version,
            task_id=status.task_id,
        )


@strawberry.type(
    description="The software of the server, and what is newer; it never replaces itself. For everybody who is signed "
    "in."
)
class Software(Node):
    """The software of the server, and what is newer."""

    version: str = strawberry.field(description="The version that runs.")
    errors: list[str] = strawberry.field(description="Why releases are not known; empty when they are.")
    checked_at: Timestamp | None = strawberry.field(description="When they were asked for last; null when never.")
    document: strawberry.Private[models.Status]

    @strawberry.field(
        description="The releases that are newer than what runs, newest first: those of the settings' "
        "`softwareChannel`."
    )
    async def releases(self, info: Info) -> list[Release] | None:
        releases = await info.context.db.statuses.newer_software(self.document)
        info.context.spend(len(releases))
        return [Release.from_document(release) for release in releases]

    @classmethod
    def from_document(cls, status: models.Status) -> Self:
        return cls(
            id=global_id("status", status.id),
            version=running(),
            errors=list(status.errors),
            checked_at=status.checked_at,
            document=status,
        )


Status = Annotated[
    HMMStatus | Software,
    strawberry.union("Status", description="What is known of something that is installed once for the whole instance."),
]


class AnyStatus:
    """Either of them."""

    @staticmethod
    def from_document(status: models.Status) -> HMMStatus | Software:
        kind = HMMStatus if status.id == HMM_STATUS_ID else Software
        return kind.from_document(status)


@strawberry.type(description="What `checkHmmRelease` answers with.")
class CheckHmmReleasePayload(Payload):
    """What `checkHmmRelease` answers with."""

    hmm_status: HMMStatus | None = strawberry.field(default=None, description="What is known now.")


@strawberry.type(description="What `checkSoftwareReleases` answers with.")
class CheckSoftwareReleasesPayload(Payload):
    """What `checkSoftwareReleases` answers with."""

    software: Software | None = strawberry.field(default=None, description="What is known now.")
