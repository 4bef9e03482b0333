"""References as files: which OTUs are in one, each at which revision, and its bytes."""

from collections.abc import AsyncGenerator, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from itertools import islice
from typing import TypeVar

from virtool_gql.access import Viewer
from virtool_gql.db.instance import Instance
from virtool_gql.db.names import name_key
from virtool_gql.db.otu_entries import at_versions, in_batches, newest_verified_of
from virtool_gql.db.reference_parts import readable_reference
from virtool_gql.db.reference_writing import IdKind, Packer
from virtool_gql.errors import Conflict, NotFound
from virtool_gql.executors import run_in_thread
from virtool_gql.files import ID
from virtool_gql.models.history import HistoryEntry
from virtool_gql.models.indexes import Index
from virtool_gql.models.joined import JoinedOTU
from virtool_gql.models.otus import OTU
from virtool_gql.models.references import Reference
from virtool_gql.query import And, Eq, In, Order, Page, Scalar
from virtool_gql.stores.documents import Documents

T = TypeVar("T")

AT_ONCE = 100
HISTORIES_AT_ONCE = 25


class Scope(StrEnum):
    """Which state of the OTUs is exported: of the last build, the newest that is verified, or as they are."""

    BUILT = "built"
    UNBUILT = "unbuilt"
    ALL = "all"


class Vanished(Exception):
    """A revision that is in the export is no more: somebody has taken changes back, or deleted the reference."""


@dataclass(frozen=True, slots=True)
class State:
    """One OTU of an export: its revision, and the key of the name that it had then, by which it is sorted."""

    otu_id: str
    revision: int
    name_key: str


@dataclass(frozen=True, slots=True)
class Export:
    """One file, whose contents are settled, and which has no bytes yet."""

    instance: Instance
    reference: Reference
    ids: IdKind
    states: tuple[State, ...]
    name: str

    async def chunks(self) -> AsyncGenerator[bytes, None]:
        """Give the bytes, of some OTUs after the other; raise Vanished when one of them is no longer known."""
        packer = Packer(self.ids)
        yield await run_in_thread(packer.begin, self.reference)
        states = {state.otu_id: state for state in self.states}
        async for some in in_batches(self.instance.store, states):
            async with self.instance.versions.of(self.reference.id):
                packed = await run_in_thread(packer.add, await self._joined([states[id] for id in some]))
            yield packed
        yield await run_in_thread(packer.end)

    async def _joined(self, some: list[State]) -> list[JoinedOTU]:
        revisions = {state.otu_id: state.revision for state in some}
        found = await at_versions(self.instance.store, self.instance, revisions)
        if len(found) < len(some):
            raise Vanished("somebody has taken back what was to be in it, or deleted the reference.")
        return [found[state.otu_id] for state in some]


class ReferenceExports:
    """Makes files of references and indexes that one may read.

    The right is asked for at the beginning. The OTUs are as they were then, whoever edits them meanwhile.
    """

    def __init__(self, instance: Instance) -> None:
        self.instance = instance
        self._store = instance.store

    async def of_reference(self, viewer: Viewer, id: str, scope: Scope, ids: IdKind) -> Export:
        reference = await readable_reference(self._store, viewer, id)
        if not reference.ready:
            raise Conflict(f"The reference “{reference.name}” is still being made; wait until its task is complete.")
        states = await self._states(reference, scope)
        return Export(self.instance, reference, ids, states, _file_name(reference.name))

    async def of_index(self, viewer: Viewer, id: str, ids: IdKind) -> Export:
        index = (await self._store.get_many(Index, [id], whole=True)).get(id) if ID.fullmatch(id) else None
        missing = NotFound("There is no index of that id.", path=["id"])
        if index is None:
            raise missing
        try:
            reference = await readable_reference(self._store, viewer, index.reference_id)
        except NotFound:
            raise missing from None
        states = await self._as_built(index)
        return Export(self.instance, reference, ids, states, _file_name(f"{reference.name}_{index.number}"))

    async def _states(self, reference: Reference, scope: Scope) -> tuple[State, ...]:
        if scope is Scope.BUILT:
            return await self._as_built(await self._last_build(reference))
        fields = ["id", "revision", "name_key", "verified"]
        now = await self._store.counts(OTU, fields, Eq("reference_id", reference.id))
        as_they_are = await run_in_thread(_as_they_are, now, scope)
        unverified = [str(id) for id, _, _, verified in now if not verified] if scope is Scope.UNBUILT else []
        return await run_in_thread(_sorted, [*as_they_are, *await self._newest_verified(unverified)])

    async def _newest_verified(self, ids: list[str]) -> list[State]:
        states: list[State] = []
        async for some in in_batches(self._store, ids):
            found = await newest_verified_of(self._store, self.instance, some)
            states += (State(id, otu.version, name_key(otu.name)) for id, otu in found.items())
        return states

    async def _last_build(self, reference: Reference) -> Index:
        where = And(Eq("reference_id", reference.id), Eq("ready", value=True))
        newest = [Order("number", descending=True)]
        found = (await self._store.find(Index, where, newest, Page(first=1))).documents
        whole = await self._store.get_many(Index, [index.id for index in found], whole=True)
        for index in whole.values():
            return index
        raise Conflict(f"The reference “{reference.name}” has not been built yet; export it with the scope “all”.")

    async def _as_built(self, index: Index) -> tuple[State, ...]:
        manifest = index.manifest
        if not isinstance(manifest, dict):
            raise TypeError(f"The index {index.id} was read without its manifest.")
        keys = await name_keys_at(self._store, manifest)
        return await run_in_thread(
            _sorted, [State(id, revision, keys.get(id, "")) for id, revision in manifest.items()]
        )


async def name_keys_at(store: Documents, revisions: Mapping[str, int]) -> dict[str, str]:
    """Give the keys of the names that OTUs, removed or not, had at their revisions."""
    keys: dict[str, str] = {}
    for some in _batches(revisions, AT_ONCE):
        now = (await store.get_many(OTU, some)).values()
        keys |= {otu.id: otu.name_key for otu in now if otu.revision == revisions[otu.id]}
    for some in _batches([id for id in revisions if id not in keys], HISTORIES_AT_ONCE):
        entries = await store.find(HistoryEntry, In("otu_id", tuple(some)), [Order("place")], Page(first=None))
        names: dict[str, str] = {}
        for entry in entries.documents:
            if entry.place > revisions[entry.otu_id]:
                names.setdefault(entry.otu_id, entry.otu_name)  # a change tells the name from before it
        keys |= {id: name_key(name) for id, name in names.items()}
    return keys


def _batches(values: Iterable[T], size: int) -> Iterator[list[T]]:
    remaining = iter(values)
    while some := list(islice(remaining, size)):
        yield some


def _as_they_are(now: Iterable[tuple[Scalar, ...]], scope: Scope) -> list[State]:
    return [
        State(str(id), int(str(revision)), str(key))
        for id, revision, key, verified in now
        if verified or scope is Scope.ALL
    ]


def _sorted(states: Iterable[State]) -> tuple[State, ...]:
    return tuple(sorted(states, key=lambda state: (state.name_key, state.otu_id)))


def _file_name(name: str) -> str:
    """Name the file; one with another dot in its name is refused by older programs."""
    return f"{name.replace('.', '_')}.json.gz"
