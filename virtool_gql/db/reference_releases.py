"""The latest releases of references that come from elsewhere: asked for, compared and kept."""

from collections.abc import Callable, Iterable
from itertools import groupby

from virtool_gql.db.instance import Instance
from virtool_gql.db.releases import compared
from virtool_gql.db.updates import with_values
from virtool_gql.errors import NotFound, UpstreamUnavailable
from virtool_gql.http import BRIEF, PATIENT, Patience
from virtool_gql.models.references import Reference, Release
from virtool_gql.query import And, Eq, Exists, Page
from virtool_gql.stores.documents import modify

REFRESHED = And(Exists("remotes_from"), Eq("ready", value=True), Eq("archived", value=False))

Progress = Callable[[float], None]


async def look(instance: Instance, reference: Reference) -> Reference:
    """Ask for the latest release of a reference; give the reference as it is then.

    What went wrong is kept as well, and raised.
    """
    failure, release = await _asked(instance, [reference], BRIEF)
    after = await _keep(instance, reference.id, release, failure)
    if failure is not None:
        raise failure
    return after


async def refresh(instance: Instance, progress: Progress = lambda _: None) -> None:
    """Ask for the latest releases of all references, once for each repository; what goes wrong is kept."""
    found = await instance.store.find(Reference, REFRESHED, page=Page(first=None))
    groups = [list(group) for _, group in groupby(sorted(found.documents, key=slug_of), slug_of)]
    for number, references in enumerate(groups):
        failure, release = await _asked(instance, references, PATIENT)
        for reference in references:
            await _keep_if_there(instance, reference.id, release, failure)
        progress((number + 1) / len(groups))


def slug_of(reference: Reference) -> str:
    return reference.remotes_from.slug if reference.remotes_from else ""


async def _asked(
    instance: Instance, references: list[Reference], patience: Patience
) -> tuple[UpstreamUnavailable | None, Release | None]:
    known = _known_to_all(reference.release for reference in references)
    try:
        return None, await instance.outside.references.latest(slug_of(references[0]), known, patience)
    except UpstreamUnavailable as error:
        return error, None


def _known_to_all(releases: Iterable[Release | None]) -> Release | None:
    """Give the release that all have been told last; None when one has been told another, or of none."""
    first, *others = releases
    return first if first and all(other and other.etag == first.etag for other in others) else None


async def _keep_if_there(
    instance: Instance, id: str, release: Release | None, failure: UpstreamUnavailable | None
) -> None:
    try:
        await _keep(instance, id, release, failure)
    except NotFound:
        return  # somebody has deleted it meanwhile


async def _keep(instance: Instance, id: str, release: Release | None, failure: UpstreamUnavailable | None) -> Reference:
    def told(reference: Reference) -> Reference:
        if failure is not None:
            return with_values(reference, {"errors": (failure.message,)})
        latest = compared(release, reference.installed)
        return with_values(reference, {"release": latest, "errors": ()})

    return await modify(instance.store, Reference, id, told)
