"""What belongs to a reference: read by those who may read the reference."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TypeVar

from virtool_gql.access import ReadableParts, Viewer, as_told, readable_parts, readable_references, require_right
from virtool_gql.db.instance import Instance
from virtool_gql.db.listing import Listing
from virtool_gql.errors import Conflict, NotFound
from virtool_gql.files import ID
from virtool_gql.models.documents import Document
from virtool_gql.models.references import Reference, Right
from virtool_gql.query import NOTHING, Filter, In, Page
from virtool_gql.stores.documents import Documents

D = TypeVar("D", bound=Document)

AT_ONCE = 500


class ReferenceParts(Listing[D]):
    """The reading half of a wrapper of what belongs to references.

    A store cannot look into another collection, so the references that the viewer may read are asked for first; for an
    event the reference's members are at hand (`db.reference_access`).
    """

    def __init__(self, instance: Instance, kind: type[D], readable: ReadableParts = readable_parts) -> None:
        super().__init__(instance, kind, as_told(readable))
        self._readable_parts = readable

    async def rights(self, viewer: Viewer) -> Filter:
        if viewer.administrator:
            return self._readable_parts(viewer, NOTHING)
        ids = await _ids_for_operation(self.store, viewer)
        return self._readable_parts(viewer, In("reference_id", ids) if ids else NOTHING)


class _Remembered:
    """The ids of the references that somebody may read, asked for once."""

    def __init__(self) -> None:
        self.ids: dict[Viewer, tuple[str, ...]] = {}
        self.turn = asyncio.Lock()


_remembered: ContextVar[_Remembered | None] = ContextVar("remembered", default=None)


@contextmanager
def one_reading() -> Iterator[None]:
    """Look once which references somebody may read, for all that is read in the block and in the tasks it starts.

    The block is one query or one event: it changes nothing, and ends soon.
    """
    token = _remembered.set(_Remembered())
    try:
        yield
    finally:
        _remembered.reset(token)


async def _ids_for_operation(store: Documents, viewer: Viewer) -> tuple[str, ...]:
    known = _remembered.get()
    if known is None:
        return tuple([id async for id in readable_ids(store, viewer)])
    async with known.turn:
        if viewer not in known.ids:
            known.ids[viewer] = tuple([id async for id in readable_ids(store, viewer)])
        return known.ids[viewer]


async def readable_ids(store: Documents, viewer: Viewer) -> AsyncIterator[str]:
    """Give the ids of the references that the viewer may read."""
    page = Page(first=AT_ONCE)
    while True:
        found = await store.find(Reference, readable_references(viewer), page=page)
        for reference in found.documents:
            yield reference.id
        if not found.has_next:
            return
        page = Page(first=AT_ONCE, after=(found.documents[-1].id,))


async def readable_reference(store: Documents, viewer: Viewer, id: str, path: str = "id") -> Reference:
    """Give a reference that the viewer may read; NotFound alike when it is missing and when they may not."""
    found = await store.get(Reference, id, readable_references(viewer)) if ID.fullmatch(id) else None
    if found is None:
        raise NotFound("There is no reference of that id.", path=[path])
    return found


async def changeable_reference(store: Documents, viewer: Viewer, id: str, right: Right, path: str = "id") -> Reference:
    """Give a reference that the viewer has a right on, and that can be changed now."""
    reference = await readable_reference(store, viewer, id, path)
    require_right(viewer, reference, right)
    check_changeable(reference)
    return reference


def check_changeable(reference: Reference) -> None:
    """Raise Conflict for a reference that is archived, or not all there yet."""
    if reference.archived:
        raise Conflict(f"The reference “{reference.name}” is archived; restore it to change it.")
    if not reference.ready:
        raise Conflict(f"The reference “{reference.name}” is still being made; wait until its task is complete.")
