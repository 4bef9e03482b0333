"""How somebody changes an OTU: with the right to, by an edit of what is there, and into the history.

Whoever is slower of two curators reads again what the other has made of the OTU, and edits that. Only who says which
version they expect is told of the other instead.
"""

from collections.abc import Awaitable, Callable
from typing import NamedTuple

from virtool_gql.access import Viewer, readable_references, require_right
from virtool_gql.db.instance import Instance
from virtool_gql.db.otu_edits import Edit
from virtool_gql.db.otu_writes import Stored, stored, write_change
from virtool_gql.db.reference_parts import check_changeable
from virtool_gql.db.retries import retried
from virtool_gql.errors import Conflict, NotFound
from virtool_gql.files import ID
from virtool_gql.models.otus import OTU
from virtool_gql.models.references import Reference, Right

EditOf = Callable[[Stored, Reference], Awaitable[Edit | None]]
"""Gives what is to become of an OTU of a reference; None when it is to stay as it is."""

IsDone = Callable[[Stored], bool]


class Asked(NamedTuple):
    """What somebody has asked for by an id, and the field of the input that holds it."""

    noun: str = "OTU"
    path: str = "id"

    def missing(self) -> NotFound:
        return NotFound(f"There is no {self.noun} of that id.", path=[self.path])


AN_OTU = Asked()


async def curated(  # noqa: PLR0913 - an edit, and all that may keep it from being made
    instance: Instance,
    viewer: Viewer,
    otu_id: str,
    edit_of: EditOf,
    *,
    expected_version: int | None = None,
    is_done: IsDone = lambda _: False,
    asked: Asked = AN_OTU,
) -> OTU:
    """Edit an OTU, again from the start when somebody else was faster; give it as it is now.

    `is_done` tells of an OTU that an earlier request has edited so already.
    """
    async with instance.edits.of(viewer.user_id):
        return await retried(
            lambda: _edited(instance, viewer, otu_id, edit_of, expected_version, is_done, asked),
        )


async def _edited(  # noqa: PLR0913, PLR0917 - as `curated`
    instance: Instance,
    viewer: Viewer,
    otu_id: str,
    edit_of: EditOf,
    expected_version: int | None,
    is_done: IsDone,
    asked: Asked,
) -> OTU:
    reference, before = await changeable_otu(instance, viewer, otu_id, asked)
    if is_done(before):
        return before.otu
    check_revision(before.otu, expected_version)
    edit = await edit_of(before, reference)
    if edit is None:
        return before.otu
    otu = await write_change(
        instance,
        instance.store,
        before,
        edit.otu,
        verb=edit.verb,
        description=edit.description,
        user_id=viewer.user_id,
        at=instance.clock(),
        keys=edit.keys,
    )
    return otu or before.otu


async def changeable_otu(
    instance: Instance, viewer: Viewer, otu_id: str, asked: Asked = AN_OTU
) -> tuple[Reference, Stored]:
    """Give an OTU that the viewer has the right to change now, and the reference that it belongs to.

    NotFound, which names what they asked for, alike when the OTU is missing and when they may not read it.
    """
    reference = await reference_of_changeable(instance, viewer, otu_id, asked)
    before = await stored(instance.store, otu_id)
    if before is None:
        raise asked.missing()
    return reference, before


async def reference_of_changeable(instance: Instance, viewer: Viewer, otu_id: str, asked: Asked = AN_OTU) -> Reference:
    """Give the reference of an OTU that the viewer has the right to change now."""
    otu = await instance.store.get(OTU, otu_id) if ID.fullmatch(otu_id) else None
    # Asked also for what is missing, so that no stopwatch tells that from what is hidden.
    reference = await instance.store.get(Reference, otu.reference_id if otu else "", readable_references(viewer))
    if reference is None:
        raise asked.missing()
    require_right(viewer, reference, Right.MODIFY_OTU)
    check_changeable(reference)
    return reference


def check_revision(otu: OTU, expected_version: int | None) -> None:
    """Raise Conflict when the OTU is not of the version that somebody expects; to try again is no help."""
    if expected_version not in {None, otu.revision}:
        raise Conflict("Somebody else changed the OTU first; look at what is there now.", path=["expected_version"])
