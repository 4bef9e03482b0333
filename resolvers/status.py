"""The profile HMMs and the software at the root of the API."""

from collections.abc import AsyncIterator

import strawberry

from schema.arguments import AfterChange, OfIds
from schema.changes import StatusChange, told
from schema.context import Info
from schema.ids import stored_ids
from schema.inputs import bounded, given
from schema.payloads import mutation
from schema.status import CheckHmmReleasePayload, CheckSoftwareReleasesPayload, HMMStatus, Software


@strawberry.type
class StatusQuery:
    """The profile HMMs and the software."""

    @strawberry.field(description="The profile HMMs. For everybody who is signed in.")
    async def hmm_status(self, info: Info) -> HMMStatus | None:
        info.context.refuse_strangers()
        return HMMStatus.from_document(await info.context.db.statuses.hmm())

    @strawberry.field(description="The software of the server, and what is newer. For everybody who is signed in.")
    async def software(self, info: Info) -> Software | None:
        info.context.refuse_strangers()
        return Software.from_document(await info.context.db.statuses.software())


@strawberry.type
class StatusMutation:
    """Looking for releases now."""

    @mutation("Ask for the latest release of the profile HMMs now. Needs the permission `MODIFY_HMM`.")
    async def check_hmm_release(self, info: Info) -> CheckHmmReleasePayload:
        status = await info.context.db.statuses.check_hmm(info.context.viewer)
        return CheckHmmReleasePayload(hmm_status=HMMStatus.from_document(status))

    @mutation("Ask for the releases of this software now. Needs to be an administrator.")
    async def check_software_releases(self, info: Info) -> CheckSoftwareReleasesPayload:
        status = await info.context.db.statuses.check_software(info.context.viewer)
        return CheckSoftwareReleasesPayload(software=Software.from_document(status))


@strawberry.type
class StatusSubscription:
    """Changes of what is known of the profile HMMs and of the software."""

    @strawberry.subscription(
        description="Changes of what is known of the profile HMMs and of the software. For everybody who is signed in."
    )
    async def status(
        self, info: Info, ids: OfIds = strawberry.UNSET, after: AfterChange = strawberry.UNSET
    ) -> AsyncIterator[StatusChange]:
        info.context.refuse_strangers()
        caller, wanted = info.context.caller, bounded(ids, "ids")
        stored = None if wanted is None else stored_ids("status", wanted)
        return told(info.context.db.statuses.changes(lambda: caller.viewer, ids=stored, after=given(after)))
