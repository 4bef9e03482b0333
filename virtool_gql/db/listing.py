"""What every wrapper can be asked, and the rights that go into each of its queries."""

from collections.abc import AsyncGenerator, Callable, Collection, Iterable, Mapping, Sequence
from contextlib import closing
from typing import Any, ClassVar, Generic, TypeVar

from virtool_gql.access import Viewer
from virtool_gql.db.deletions import Deletions
from virtool_gql.db.instance import Instance
from virtool_gql.errors import NotFound
from virtool_gql.events import Hub
from virtool_gql.files import ID
from virtool_gql.models.changes import Change, Operation
from virtool_gql.models.documents import Document
from virtool_gql.query import EVERYTHING, FIRST_PAGE, And, Filter, Order, Page, Predicate, predicate
from virtool_gql.stores.documents import Found

D = TypeVar("D", bound=Document)

Readable = Callable[[Viewer], Filter]
CallerViewer = Callable[[], Viewer | None]


class Listing(Generic[D]):
    """The reading half of a wrapper: rights and `where` decide together what is found, counted and told."""

    noun: ClassVar[str]

    def __init__(self, instance: Instance, kind: type[D], readable: Readable) -> None:
        self.instance = instance
        self.store = instance.store
        self.kind = kind
        self.readable = readable

    async def rights(self, viewer: Viewer) -> Filter:
        """Give what the viewer may read, as a filter for the store."""
        return self.readable(viewer)

    async def get(self, viewer: Viewer, id: str) -> D:
        """Give the document; NotFound alike when it is missing and when the viewer may not read it."""
        document = await self.store.get(self.kind, id, await self.rights(viewer)) if ID.fullmatch(id) else None
        if document is None:
            raise NotFound(f"There is no {self.noun} of that id.", path=["id"])
        return document

    async def get_many(self, viewer: Viewer, ids: Iterable[str]) -> dict[str, D]:
        """Give by id those that the viewer may read."""
        return await self.store.get_many(self.kind, [id for id in ids if ID.fullmatch(id)], await self.rights(viewer))

    def meant(self, viewer: Viewer, where: Filter) -> Filter:  # noqa: ARG002 - for wrappers to which it matters
        """Give what a filter means to the viewer; raise Forbidden when it is not for them to ask."""
        return where

    async def find(
        self,
        viewer: Viewer,
        where: Filter = EVERYTHING,
        order: Sequence[Order] = (),
        page: Page = FIRST_PAGE,
    ) -> Found[D]:
        return await self.store.find(self.kind, And(await self.rights(viewer), self.meant(viewer, where)), order, page)

    async def count(self, viewer: Viewer, where: Filter = EVERYTHING) -> int:
        return await self.store.count(self.kind, And(await self.rights(viewer), self.meant(viewer, where)))

    def changes(
        self,
        caller_viewer: CallerViewer,
        where: Filter = EVERYTHING,
        ids: Collection[str] | None = None,
        after: str | None = None,
    ) -> AsyncGenerator[Change, None]:
        """Give the changes that the viewer may read at the moment of delivery; end when there is no viewer."""
        viewer = caller_viewer()
        where = where if viewer is None else self.meant(viewer, where)
        visibility = Visibility(self.instance, {self.kind: self.readable}, where, ids)
        return visible_changes(self.instance.hub, visibility, caller_viewer, after)


class Visibility:
    """Which changes a viewer is shown. Rights are compiled again only when the viewer is another object."""

    def __init__(
        self,
        instance: Instance,
        readable: Mapping[type[Document], Readable],
        where: Filter = EVERYTHING,
        ids: Collection[str] | None = None,
    ) -> None:
        self.collections = frozenset(kind.kept.name for kind in readable)
        self._store = instance.store
        self._references = instance.references
        self._kinds = {kind.kept.name: kind for kind in readable}
        self._readable = {kind.kept.name: rights for kind, rights in readable.items()}
        self._where = where
        self._ids = None if ids is None else frozenset(ids)
        self._viewer: Viewer | None = None
        self._tests: dict[str, Predicate] = {}
        self._deletions: Deletions | None = None

    async def shows(self, viewer: Viewer, change: Change) -> bool:
        """Tell whether the viewer may read what was changed, as it was then."""
        if self._ids is not None and self._ids.isdisjoint(change.ids):
            return False
        if viewer is not self._viewer:
            self._viewer = viewer
            self._deletions = None
            self._tests = {
                name: predicate(And(readable(viewer), self._where)) for name, readable in self._readable.items()
            }
        document: Mapping[str, Any] = change.document
        if self._kinds[change.collection].kept.in_reference:
            document = await self._with_reference(document)
        return self._tests[change.collection](document)

    async def _with_reference(self, document: Mapping[str, Any]) -> Mapping[str, Any]:
        id = document["reference_id"]
        return {**document, "reference": await self._references.of(id) if id else None}

    async def still_shows(self, hub: Hub, viewer: Viewer, change: Change) -> bool:
        """Tell whether the viewer may also read it as it is now, or if it is gone, as it was when it was deleted."""
        kind = self._kinds[change.collection]
        rights = self._readable[change.collection](viewer)
        if kind.kept.in_reference:
            return True  # `shows` has asked what holds by now
        if rights == EVERYTHING or change.operation is Operation.DELETE:
            return True
        if await self._store.get_many(kind, change.ids, rights):
            return True
        if await self._store.get_many(kind, change.ids):
            return False
        if self._deletions is None:
            tests = {name: predicate(readable(viewer)) for name, readable in self._readable.items()}
            self._deletions = Deletions(hub, tests)
        return await self._deletions.passed(change)

    def caught_up(self) -> None:
        """Forget what only a replay needs."""
        self._deletions = None


async def visible_changes(
    hub: Hub,
    visibility: Visibility,
    caller_viewer: CallerViewer,
    after: str | None,
) -> AsyncGenerator[Change, None]:
    """Give the changes that the viewer may read at the moment of delivery; end when there is no viewer."""
    with closing(await hub.subscribe(visibility.collections, after)) as subscription:
        async for change in subscription:
            viewer = caller_viewer()
            if viewer is None:
                return
            if not await visibility.shows(viewer, change):
                continue
            if not subscription.replays:
                visibility.caught_up()
            elif not await visibility.still_shows(hub, viewer, change):
                continue
            yield change
