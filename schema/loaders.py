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
from virtool_gql.db.reference_counts import Contribution
from virtool_gql.errors import Unauthenticated
from virtool_gql.limits import DEFAULT_LIMITS, Limits
from virtool_gql.models import history as models
from virtool_gql.models import indexes as stored_indexes
from virtool_gql.models import users
from virtool_gql.models.samples import Quality

S = TypeVar("S")
T = TypeVar("T")


class Loader(Generic[T]):
    """Gives entities by their ids, in one statement for all that are asked for at once.

    It remembers nothing but what a list fetched ahead (`cache=False`): what outlives a cancelled operation can hang
    for ever, and would show what was there before a change.
    """

    def __init__(self, fetch: Callable[[list[Any]], Awaitable[list[T]]]) -> None:
        self._fetch = fetch
        self._asked = DataLoader(self._fetch_lists, cache=False)
        self._ahead: dict[Hashable, T] = {}
        self._turn: asyncio.Lock | None = None

    async def load(self, id: Hashable) -> T:
        return (await self._asked.load((id,)))[0]

    async def load_many(self, ids: Iterable[Hashable]) -> list[T]:
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

    They are made when one of them is used: most events of a burst need none.
    """

    def __init__(self, db: Database, caller: Caller) -> None:
        self._db = db
        self._caller = caller

    def __getattr__(self, name: str) -> Any:
        """Make the loaders when the first of them is asked for."""
        if name.startswith("_") or "audit" in vars(self):
            raise AttributeError(name)
        self._make(self._db)
        return getattr(self, name)

    def _make(self, db: Database) -> None:
        self.audit = self._loader(db.audit, AuditEntry.from_document)
        self.sample = self._loader(db.samples, Sample.from_document)
        self.quality: Loader[Quality | None] = self._of_each(db.samples.qualities, lambda quality: quality)
        self.file = self._loader(db.files, File.from_document)
        self.job = self._loader(db.jobs, Job.from_document)
        self.group = self._loader(db.groups, Group.from_document)
        self.key = self._loader(db.keys, ApiKey.from_document)
        self.message = self._loader(db.messages, InstanceMessage.from_document)
        self.account = self._loader(db.users, lambda user: user)
        self.known_user = self._loader(db.users, User.from_document)
        self.user: Loader[User] = self._loader(db.users, User.from_document, User.gone)
        self.label = self._loader(db.labels, Label.from_document)
        self.label_sample_count: Loader[int] = self._of_each(db.labels.sample_counts, int)
        self.subtraction = self._loader(db.subtractions, Subtraction.from_document)
        self.reference = self._loader(db.references, Reference.from_document)
        counts = db.reference_counts
        self.reference_otu_count: Loader[int] = self._of_each(counts.otus, int)
        self.reference_unbuilt_change_count: Loader[int] = self._of_each(counts.unbuilt_changes, int)
        self.reference_modified_otu_count: Loader[int] = self._of_each(counts.modified_otus, int)
        self.reference_contributions: Loader[list[Contribution]] = self._of_each(counts.contributions, list)
        self.reference_latest_build: Loader[Index | None] = self._of_each(counts.latest_builds, _build)
        self.index = self._loader(db.indexes, Index.from_document)
        self.index_contributors: Loader[list[Contributor]] = self._of_each(db.indexes.contributions, Contributor.of)
        self.index_otus: Loader[list[IndexOTU]] = self._of_each(db.indexes.otus, IndexOTU.of)
        self.index_manifest: Loader[list[ManifestEntry]] = self._of_each(db.indexes.manifests, ManifestEntry.of)
        self.otu = self._loader(db.otus, OTU.from_document)
        self.isolate = self._loader(db.isolates, lambda found: Isolate.from_document(found[1], found[0].id))
        self.sequence = self._loader(db.sequences, OTUSequence.from_document)
        self.bases: Loader[str | None] = self._of_each(db.sequences.bases, lambda bases: bases)
        self.history = self._loader(db.history, HistoryEntry.from_document)
        self.history_diff: Loader[str | None] = self._of_each(db.history.diffs, lambda diff: diff)
        self.otu_history: Loader[HistoryPage] = self._of_each(db.history.newest, HistoryPage.of)
        self.otu_most_recent_change: Loader[HistoryEntry | None] = self._of_each(db.history.latest_unbuilt, _entry)
        self.otu_at_version: Loader[OTU | None] = self._of_each(db.history.at_versions, _then)
        self.task = self._loader(db.tasks, Task.from_document)
        self.status = self._loader(db.statuses, AnyStatus.from_document)
        self.members: Loader[Callable[[int], list[User]]] = self._of_each(db.groups.members, _first_of)
        self.member_count: Loader[int] = self._of_each(db.groups.count_members, int)

    def forget(self) -> None:
        """Forget all that was fetched ahead, before something is changed."""
        for loader in vars(self).values():
            if isinstance(loader, Loader):
                loader.forget()

    async def fetch(self, prefix: str, id: str) -> Any:
        """Give the entity of that type and id; None when it is unknown, malformed or forbidden."""
        self._viewer()
        pair, loader = parsed(id), self._nodes.get(prefix)
        if pair is None or pair[0] != prefix or loader is None:
            return None
        return await loader.load(pair[1])

    async def node(self, id: str) -> Node | None:
        """Give whatever has the id; None when that is unknown, malformed or forbidden."""
        pair = parsed(id)
        node: Node | None = await self.fetch(pair[0] if pair else "", id)
        return node

    @property
    def _nodes(self) -> dict[str, Loader[Any]]:
        return {
            "sample": self.sample,
            "file": self.file,
            "job": self.job,
            "group": self.group,
            "key": self.key,
            "audit": self.audit,
            "message": self.message,
            "user": self.known_user,
            "label": self.label,
            "subtraction": self.subtraction,
            "task": self.task,
            "status": self.status,
            "reference": self.reference,
            "otu": self.otu,
            "isolate": self.isolate,
            "sequence": self.sequence,
            "history": self.history,
            "index": self.index,
        }

    def _loader(
        self,
        wrapper: Listing[Any] | Isolates,
        shown: Callable[[Any], T],
        gone: Callable[[str], T | None] = lambda _: None,
    ) -> Loader[Any]:
        async def load(ids: list[str]) -> list[T | None]:
            documents = await wrapper.get_many(self._viewer(), set(ids))
            found = {id: shown(document) for id, document in documents.items()}
            return [found[id] if id in found else gone(id) for id in ids]

        return Loader(load)

    def _of_each(
        self, fetch: Callable[[Viewer, Iterable[Any]], Awaitable[Mapping[Any, S]]], shown: Callable[[S], T]
    ) -> Loader[T]:
        """Make a loader of what points at entities, by their ids."""

        async def load(ids: list[Any]) -> list[T]:
            found = await fetch(self._viewer(), set(ids))
            return [shown(found[id]) for id in ids]

        return Loader(load)

    def _viewer(self) -> Viewer:
        if self._caller.viewer is None:
            raise Unauthenticated
        return self._caller.viewer


def _first_of(members: Sequence[users.User]) -> Callable[[int], list[User]]:
    """Give what shows as many of the members as are asked for."""
    return lambda size: [User.from_document(member) for member in members[:size]]


def _build(index: stored_indexes.Index | None) -> Index | None:
    return None if index is None else Index.from_document(index)


def _entry(entry: models.HistoryEntry | None) -> HistoryEntry | None:
    return None if entry is None else HistoryEntry.from_document(entry)


def _then(then: Then | None) -> OTU | None:
    return None if then is None else OTU.from_joined(*then)


def fresh_context(db: Database, caller: Caller, limits: Limits = DEFAULT_LIMITS) -> Context:
    """Make the context of one operation or one event."""
    return Context(db, caller, Loaders(db, caller), limits)
