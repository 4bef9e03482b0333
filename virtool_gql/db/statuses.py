"""What is known of the things that are installed once for the whole instance: the HMM profiles, and the software."""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any

from virtool_gql.access import Viewer, readable_status
from virtool_gql.db.instance import Instance
from virtool_gql.db.listing import Listing
from virtool_gql.db.outside import SOFTWARE_SLUG
from virtool_gql.db.releases import compared
from virtool_gql.db.settings import settings_of
from virtool_gql.db.updates import with_values
from virtool_gql.db.versions import is_newer, stage
from virtool_gql.errors import DuplicateValue, UpstreamUnavailable
from virtool_gql.http import BRIEF, PATIENT, Patience
from virtool_gql.models.references import Release
from virtool_gql.models.settings import SoftwareChannel
from virtool_gql.models.status import HMM_STATUS_ID, SOFTWARE_STATUS_ID, Status
from virtool_gql.models.users import Permission
from virtool_gql.stores.documents import Documents, modify
from virtool_gql.version import running

NO_SOFTWARE = "Could not retrieve software releases"

HIDDEN = {
    SoftwareChannel.STABLE: {"alpha", "beta"},
    SoftwareChannel.BETA: {"alpha"},
    SoftwareChannel.ALPHA: set[str](),
}
"""What of the releases each channel hides."""


async def status_of(store: Documents, id: str) -> Status:
    """Give what is known of one thing; nothing yet, when nobody has asked."""
    return await store.get(Status, id) or Status(id=id)


class Statuses(Listing[Status]):
    """The status of the HMM profiles and of the software, which everybody may read."""

    noun = "status"

    def __init__(self, instance: Instance) -> None:
        super().__init__(instance, Status, readable_status)

    async def get_many(self, viewer: Viewer, ids: Iterable[str]) -> dict[str, Status]:
        """Give by id those that there are, also before anything is known of them."""
        wanted = set(ids)
        unknown = {id: Status(id=id) for id in wanted & {HMM_STATUS_ID, SOFTWARE_STATUS_ID}}
        return unknown | await super().get_many(viewer, wanted)

    async def hmm(self) -> Status:
        return await status_of(self.store, HMM_STATUS_ID)

    async def software(self) -> Status:
        return await status_of(self.store, SOFTWARE_STATUS_ID)

    async def newer_software(self, status: Status) -> list[Release]:
        """Give the releases of the settings' channel that are newer than what runs, newest first."""
        return newer_of(status.releases, (await settings_of(self.store)).software_channel, running())

    async def check_hmm(self, viewer: Viewer) -> Status:
        """Ask for the latest release of the HMM profiles now, with the permission MODIFY_HMM."""
        viewer.require(Permission.MODIFY_HMM)
        failure, status = await refresh_hmm(self.instance, BRIEF)
        if failure is not None:
            raise failure
        return status

    async def check_software(self, viewer: Viewer) -> Status:
        """Ask for the releases of the software now; for administrators."""
        viewer.require_administrator()
        failure, status = await refresh_software(self.instance, BRIEF)
        if failure is not None:
            raise UpstreamUnavailable(NO_SOFTWARE) from failure
        return status


def newer_of(releases: tuple[Release, ...], channel: SoftwareChannel, than: str) -> list[Release]:
    return [
        release for release in releases if stage(release.name) not in HIDDEN[channel] and is_newer(release.name, than)
    ]


async def refresh_hmm(instance: Instance, patience: Patience = PATIENT) -> tuple[UpstreamUnavailable | None, Status]:
    """Ask for the latest release of the HMM profiles; give what went wrong, which is kept, and what is known then."""
    status = await status_of(instance.store, HMM_STATUS_ID)
    slug = (await settings_of(instance.store)).hmm_slug
    try:
        release = await instance.outside.hmms.latest(slug, status.release, patience)
    except UpstreamUnavailable as error:
        return error, await _keep(instance, HMM_STATUS_ID, {"errors": (error.message,)})
    return None, await _keep(instance, HMM_STATUS_ID, {"release": release, "errors": ()})


async def refresh_software(
    instance: Instance, patience: Patience = PATIENT
) -> tuple[UpstreamUnavailable | None, Status]:
    """Ask for the releases of the software, which it never installs by itself; as `refresh_hmm`."""
    status = await status_of(instance.store, SOFTWARE_STATUS_ID)
    known = status.releases[0] if status.releases else None
    try:
        releases = await instance.outside.software.releases(SOFTWARE_SLUG, known, patience)
    except UpstreamUnavailable as error:
        return error, await _keep(instance, SOFTWARE_STATUS_ID, {"errors": (NO_SOFTWARE,)})
    told: Mapping[str, Any] = {} if releases is None else {"releases": tuple(releases)}
    return None, await _keep(instance, SOFTWARE_STATUS_ID, {**told, "errors": ()})


async def _keep(instance: Instance, id: str, values: Mapping[str, Any]) -> Status:
    at = instance.clock()

    def told(status: Status) -> Status:
        after = with_values(status, {**values, "checked_at": at})
        return with_values(after, {"release": compared(after.release, after.installed)})

    if await instance.store.get(Status, id) is None:
        with suppress(DuplicateValue):  # another has just done so
            return (await instance.store.insert(told(Status(id=id))))[0]
    return await modify(instance.store, Status, id, told)
