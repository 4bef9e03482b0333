"""Loaders: what nested fields need, fetched in one statement for all of them."""

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Iterable, Mapping, Sequence
from typing import Any, Generic, TypeVar

from strawberry.dataloader import DataLoader

from schema.audit import AuditEntry
from schema.context import Caller, Context
from schema.contributors import Contributor
from schema.files import File
from schema.groups import Group
from schema.history import HistoryEntry, HistoryPage
from schema.ids import parsed
from schema.indexes import Index, IndexOTU, ManifestEntry
from schema.isolates import Isolate
from schema.jobs import Job
from schema.keys import ApiKey
from schema.labels import Label
from schema.messages import InstanceMessage
from schema.nodes import Node
from schema.otus import OTU
from schema.references import Reference
from schema.samples import Sample
from schema.sequences import Sequence as OTUSequence
from schema.status import AnyStatus
from schema.subtractions import Subtraction
from schema.tasks import Task
from schema.users import User
from virtool_gql.access import Viewer
from virtool_gql.db.database import Database
from virtool_gql.db.history import Then
from virtool_gql.db.isolates import Isolates
from virtool_gql.db.listing import Listing
from virtool_gql.errors import Unauthenticated
from virtool_gql.limits import DEFAULT_LIMITS, Limits
from virtool_gql.models import history as models
from virtool_gql.models import indexes as stored_indexes
from virtool_gql.models import users
from virtool_gql.stores.slices import in_slices

R = TypeVar("R")
S = TypeVar("S")
T = TypeVar("T")

Maker = Callable[[Database, Callable[[], Viewer]], "Loader[Any]"]
"""Makes the loader of one operation, of its database and of who asks."""


class Loader(Generic[T]):
    """Gives entities by their ids, in one statement for all that are asked for at once.

    It remembers nothing but what a list fetched ahead (`cache=False`): what outlives a cancelled operation can hang
    for ever, and would show what was there before a change.
    """

    def __init__(self, fetch: Callable[[list[Any]], Awaitable[list[T]]]) -> None:
        self._fetch = fetch
        self._asked: DataLoader[tuple[Hashable, ...], list[T]] | None = None
        self._ahead: dict[Hashable, T] = {}
        self._turn: asyncio.Lock | None = None

    async def load(self, id: Hashable) -> T:
        return (await self.load_many((id,)))[0]

    async def load_many(self, ids: Iterable[Hashable]) -> list[T]:
        self._asked = self._asked or DataLoader(self._fetch_lists, cache=False)
        return await self._asked.load(tuple(ids))

    async def _fetch_lists(self, lists: list[tuple[Hashable, ...]]) -> list[list[T]]:
        """Fetch for many lists at once: one that waits for each entry of each of them would take long to set up."""
        ids = list({id: None for one in lists for id in one})
        found = dict(zip(ids, await self._fetch(ids), strict=True)) if ids else {}
        return [[found[id] for id in one] for one in lists]

    async def fetch_ahead(self, ids: set[Hashable]) -> list[T]:
        """Fetch what will be asked for; give those that there are. Of two that want the same one fetches it."""
        self._turn = self._turn or asyncio.Lock()
        async with self._turn:
            missing = list(ids - self._ahead.keys())
            if missing:
                self._ahead.update(zip(missing, await self._fetch(missing), strict=True))
        return [entity for id in ids if (entity := self._ahead[id]) is not None]

    def forget(self) -> None:
        """Forget what was fetched ahead: it may be another by now."""
        self._ahead.clear()

    def are_at_hand(self, ids: Iterable[Hashable]) -> bool:
        return all(id in self._ahead for id in ids)

    def at_hand(self, id: Hashable) -> T | Awaitable[T]:
        """Give what was fetched ahead, else something to wait for."""
        return self._ahead[id] if id in self._ahead else self.load(id)

    def all_at_hand(self, ids: Sequence[Hashable]) -> list[T] | Awaitable[list[T]]:
        """Give what was fetched ahead when that is all of them, else something to wait for."""
        if self.are_at_hand(ids):
            return [self._ahead[id] for id in ids]
        return self.load_many(ids)


class Loaders:
    """The loaders of one operation or one event, never of more.

    Each is made when it is used: most operations need a few, most events of a burst none.
    """

    user: Loader[User]
    members: Loader[Callable[[int], list[User]]]
    member_count: Loader[int]

    def __init__(self, db: Database, caller: Caller) -> None:
        self._db = db
        self._caller = caller

    def __getattr__(self, name: str) -> Any:
        """Make the loader of that name when it is asked for."""
        make = MAKERS.get(name)
        if make is None:
            raise AttributeError(name)
        loader = make(self._db, self._viewer)
        setattr(self, name, loader)
        return loader

    def forget(self) -> None:
        """Forget all that was fetched ahead, before something is changed."""
        for loader in vars(self).values():
            if isinstance(loader, Loader):
                loader.forget()

    async def fetch(self, prefix: str, id: str) -> Any:
        """Give the entity of that type and id; None when it is unknown, malformed or forbidden."""
        self._viewer()
        pair, name = parsed(id), NODES.get(prefix)
        if pair is None or pair[0] != prefix or name is None:
            return None
        return await getattr(self, name).load(pair[1])

    async def node(self, id: str) -> Node | None:
        """Give whatever has the id; None when that is unknown, malformed or forbidden."""
        pair = parsed(id)
        node: Node | None = await self.fetch(pair[0] if pair else "", id)
        return node

    def _viewer(self) -> Viewer:
        if self._caller.viewer is None:
            raise Unauthenticated
        return self._caller.viewer


def _first_of(members: Sequence[users.User]) -> Callable[[int], list[User]]:
    """Give what shows as many of the members as are asked for."""
    return lambda size: [User.from_document(member) for member in members[:size]]


def _by_id(manifest: Mapping[str, int]) -> list[tuple[str, int]]:
    return sorted(manifest.items())


def _build(index: stored_indexes.Index | None) -> Index | None:
    return None if index is None else Index.from_document(index)


def _entry(entry: models.HistoryEntry | None) -> HistoryEntry | None:
    return None if entry is None else HistoryEntry.from_document(entry)


def _then(then: Then | None) -> OTU | None:
    return None if then is None else OTU.from_joined(*then)


def _entities(
    wrapper_of: Callable[[Database], Listing[Any] | Isolates],
    shown: Callable[[Any], T],
    gone: Callable[[str], T | None] = lambda _: None,
) -> Maker:
    """Make loaders of entities by their ids."""

    def make(db: Database, viewer: Callable[[], Viewer]) -> Loader[Any]:
        wrapper = wrapper_of(db)

        async def load(ids: list[str]) -> list[T | None]:
            documents = await wrapper.get_many(viewer(), set(ids))
            found = dict(zip(documents, await in_slices(shown, list(documents.values())), strict=True))
            return [found[id] if id in found else gone(id) for id in ids]

        return Loader(load)

    return make


def _of_each(
    fetch_of: Callable[[Database], Callable[[Viewer, Iterable[Any]], Awaitable[Mapping[Any, S]]]],
    shown: Callable[[S], T],
) -> Maker:
    """Make loaders of what points at entities, by their ids."""

    def make(db: Database, viewer: Callable[[], Viewer]) -> Loader[Any]:
        fetch = fetch_of(db)

        async def load(ids: list[Any]) -> list[T]:
            found = await fetch(viewer(), set(ids))
            return [shown(found[id]) for id in ids]

        return Loader(load)

    return make


def _lists_of_each(
    fetch_of: Callable[[Database], Callable[[Viewer, Iterable[Any]], Awaitable[Mapping[Any, R]]]],
    parts_of: Callable[[R], Sequence[S]],
    shown: Callable[[S], T],
) -> Maker:
    """Make loaders of lists, however long, of what belongs to entities, by their ids."""

    def make(db: Database, viewer: Callable[[], Viewer]) -> Loader[Any]:
        fetch = fetch_of(db)

        async def load(ids: list[Any]) -> list[list[T]]:
            found = await fetch(viewer(), set(ids))
            return [await in_slices(shown, parts_of(found[id])) for id in ids]

        return Loader(load)

    return make


MAKERS: Mapping[str, Maker] = {
    "audit": _entities(lambda db: db.audit, AuditEntry.from_document),
    "sample": _entities(lambda db: db.samples, Sample.from_document),
    "quality": _of_each(lambda db: db.samples.qualities, lambda quality: quality),
    "file": _entities(lambda db: db.files, File.from_document),
    "job": _entities(lambda db: db.jobs, Job.from_document),
    "group": _entities(lambda db: db.groups, Group.from_document),
    "key": _entities(lambda db: db.keys, ApiKey.from_document),
    "message": _entities(lambda db: db.messages, InstanceMessage.from_document),
    "account": _entities(lambda db: db.users, lambda user: user),
    "known_user": _entities(lambda db: db.users, User.from_document),
    "user": _entities(lambda db: db.users, User.from_document, User.gone),
    "label": _entities(lambda db: db.labels, Label.from_document),
    "label_sample_count": _of_each(lambda db: db.labels.sample_counts, int),
    "subtraction": _entities(lambda db: db.subtractions, Subtraction.from_document),
    "reference": _entities(lambda db: db.references, Reference.from_document),
    "reference_otu_count": _of_each(lambda db: db.reference_counts.otus, int),
    "reference_unbuilt_change_count": _of_each(lambda db: db.reference_counts.unbuilt_changes, int),
    "reference_modified_otu_count": _of_each(lambda db: db.reference_counts.modified_otus, int),
    "reference_contributions": _of_each(lambda db: db.reference_counts.contributions, lambda found: found),
    "reference_latest_build": _of_each(lambda db: db.reference_counts.latest_builds, _build),
    "index": _entities(lambda db: db.indexes, Index.from_document),
    "index_contributors": _of_each(lambda db: db.indexes.contributions, Contributor.of),
    "index_otus": _lists_of_each(lambda db: db.indexes.otus, list, IndexOTU.of),
    "index_manifest": _lists_of_each(lambda db: db.indexes.manifests, _by_id, ManifestEntry.of),
    "otu": _entities(lambda db: db.otus, OTU.from_document),
    "isolate": _entities(lambda db: db.isolates, lambda found: Isolate.from_document(found[1], found[0].id)),
    "sequence": _entities(lambda db: db.sequences, OTUSequence.from_document),
    "bases": _of_each(lambda db: db.sequences.bases, lambda bases: bases),
    "history": _entities(lambda db: db.history, HistoryEntry.from_document),
    "history_diff": _of_each(lambda db: db.history.diffs, lambda diff: diff),
    "otu_history": _of_each(lambda db: db.history.newest, HistoryPage.of),
    "otu_most_recent_change": _of_each(lambda db: db.history.latest_unbuilt, _entry),
    "otu_at_version": _of_each(lambda db: db.history.at_versions, _then),
    "task": _entities(lambda db: db.tasks, Task.from_document),
    "status": _entities(lambda db: db.statuses, AnyStatus.from_document),
    "members": _of_each(lambda db: db.groups.members, _first_of),
    "member_count": _of_each(lambda db: db.groups.count_members, int),
}

NODES: Mapping[str, str] = {
    "sample": "sample",
    "file": "file",
    "job": "job",
    "group": "group",
    "key": "key",
    "audit": "audit",
    "message": "message",
    "user": "known_user",
    "label": "label",
    "subtraction": "subtraction",
    "task": "task",
    "status": "status",
    "reference": "reference",
    "otu": "otu",
    "isolate": "isolate",
    "sequence": "sequence",
    "history": "history",
    "index": "index",
}
"""The loaders of what has an id of its own, by the prefix of the id."""


def fresh_context(db: Database, caller: Caller, limits: Limits = DEFAULT_LIMITS) -> Context:
    """Make the context of one operation or one event."""
    return Context(db, caller, Loaders(db, caller), limits)
