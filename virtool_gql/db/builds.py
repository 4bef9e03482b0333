"""What the builds of a reference do to its OTUs and their history: what is in a build, how it ends, how it is undone.

All OTUs of which there are changes in a build are written with it, also those that stay as they are: of a build and an
edit that happen at once one is then slower, and looks again. What follows from a build is no deed of its own, and the
audit log does not tell of it.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple, TypeVar

import msgspec
from msgspec import structs

from virtool_gql.actors import bookkeeping
from virtool_gql.executors import run_in_thread
from virtool_gql.models.documents import Document
from virtool_gql.models.history import HistoryEntry
from virtool_gql.models.indexes import Index
from virtool_gql.models.otus import OTU
from virtool_gql.models.references import Reference
from virtool_gql.query import EVERYTHING, And, Eq, Filter, Order, Page
from virtool_gql.stores.documents import Documents, stale
from virtool_gql.stores.slices import in_slices

D = TypeVar("D", bound=Document)

AT_ONCE = 100
"""How many documents are read or written by one statement, so that the event loop is not held by it."""


class Standing(NamedTuple):
    """What a build must know of an OTU: which one it is, and of which state."""

    version: int
    revision: int
    verified: bool
    modified: bool


class Unbuilt(msgspec.Struct, frozen=True, kw_only=True):
    """The OTUs of a reference at one moment, the changes that no index has, and the OTUs that these are of."""

    standings: Mapping[str, Standing]
    entries: Sequence[HistoryEntry]
    otus: Sequence[OTU]

    @property
    def manifest(self) -> dict[str, int]:
        return {id: otu.revision for id, otu in sorted(self.standings.items())}

    @property
    def is_verified(self) -> bool:
        return all(otu.verified for otu in self.standings.values())


async def unbuilt_of(store: Documents, reference_id: str) -> Unbuilt:
    """Read what is to be built of a reference; StaleDocument when somebody changes one of its OTUs meanwhile.

    An OTU and its history are written together: while no OTU has become another one, nor has the history. A store
    without transactions shows half of a removal at times: then the last index has an OTU that is gone without a trace.
    """
    built = await _last_manifest(store, reference_id)
    before = await standings_of(store, reference_id)
    entries = await _all(store, HistoryEntry, And(Eq("reference_id", reference_id), Eq("index_id", None)))
    newest = await run_in_thread(_newest_revisions, entries)
    otus = await _all_of(store, OTU, [id for id, revision in newest.items() if revision is not None])
    if await standings_of(store, reference_id) != before or not await run_in_thread(_agree, before, newest, built):
        raise stale()
    return Unbuilt(standings=before, entries=entries, otus=otus)


async def _last_manifest(store: Documents, reference_id: str) -> Mapping[str, int]:
    newest_first = [Order("number", descending=True)]
    found = (await store.find(Index, Eq("reference_id", reference_id), newest_first, Page(first=1))).documents
    whole = await store.get(Index, found[0].id) if found else None
    return (whole.manifest or {}) if whole is not None else {}


async def standings_of(store: Documents, reference_id: str) -> dict[str, Standing]:
    counted = await store.counts(OTU, ["id", *Standing._fields], Eq("reference_id", reference_id))
    # The values are of the types of the model.
    return dict(await in_slices(lambda row: (str(row[0]), Standing(*row[1:])), list(counted)))  # type: ignore[arg-type]


def _newest_revisions(entries: Iterable[HistoryEntry]) -> dict[str, int | None]:
    """Give the revision of the newest change of each OTU: None where that is its removal."""
    newest: dict[str, HistoryEntry] = {}
    for entry in entries:
        known = newest.get(entry.otu_id)
        if known is None or known.place < entry.place:
            newest[entry.otu_id] = entry
    return {id: entry.otu_revision for id, entry in newest.items()}


def _agree(standings: Mapping[str, Standing], newest: Mapping[str, int | None], built: Iterable[str]) -> bool:
    """Tell whether OTUs and history were read at one moment: what was built is there, or was removed since."""
    modified = {id: otu.revision for id, otu in standings.items() if otu.modified or id in newest}
    removed = {id for id, revision in newest.items() if revision is None}
    changed = {id: revision for id, revision in newest.items() if revision is not None}
    return modified == changed and not removed & standings.keys() and set(built) <= standings.keys() | removed


async def tag(transaction: Documents, unbuilt: Unbuilt, index: Index) -> None:
    """Say of all unbuilt changes that they are in the index."""
    with bookkeeping():
        await _replace(transaction, [structs.replace(otu, modified=False) for otu in unbuilt.otus])
        await _replace(
            transaction,
            [structs.replace(entry, index_id=index.id, index_number=index.number) for entry in unbuilt.entries],
        )


async def finish(documents: Documents, index_id: str, *, has_files: bool = True, has_json: bool = True) -> Index:
    """Make an index ready, in the transaction that ends its job; StaleDocument when an OTU is changed meanwhile.

    Its OTUs are built as the manifest says, whatever has become of them since.
    """
    index = await documents.get(Index, index_id)
    if index is None:
        raise stale()
    manifest = index.manifest or {}
    latest = And(Eq("reference_id", index.reference_id), Eq("latest", value=True))
    earlier = (await documents.find(Index, latest, page=Page(first=None))).documents
    with bookkeeping():
        otus = await _all_of(documents, OTU, manifest)
        changed = [otu for otu in otus if otu.built_revision != manifest[otu.id]]
        await _replace(documents, [structs.replace(otu, built_revision=manifest[otu.id]) for otu in changed])
        await _replace(documents, [structs.replace(each, latest=False) for each in earlier])
        ready = structs.replace(
            index, ready=True, latest=True, building_key=None, has_files=has_files, has_json=has_json
        )
        return (await documents.replace(ready))[0]


async def abandon(documents: Documents, index_id: str) -> None:
    """Undo a build that was not finished: its changes are unbuilt again. Any number of times, in one transaction.

    StaleDocument when one of its OTUs is changed meanwhile. Of a reference that is gone only the index goes: all the
    rest is about to.
    """
    index = await documents.get(Index, index_id)
    if index is None or index.ready:
        return
    await documents.delete(index)
    if await documents.get(Reference, index.reference_id) is None:
        return
    entries = await _all(documents, HistoryEntry, Eq("index_id", index_id))
    otus = await _all_of(documents, OTU, {entry.otu_id for entry in entries})
    with bookkeeping():
        await _replace(documents, [structs.replace(otu, modified=True) for otu in otus])
        await _replace(documents, await _removals(documents, entries, otus))
        await _replace(documents, [structs.replace(entry, index_id=None, index_number=None) for entry in entries])


async def _removals(
    documents: Documents, entries: Sequence[HistoryEntry], otus: Sequence[OTU]
) -> Sequence[HistoryEntry]:
    """Give the removals of OTUs that are gone, unless they are among the entries.

    Whoever brings one of them back at this moment takes its removal away, and is the one who is slower or makes us so.
    """
    known = {entry.id for entry in entries}
    gone = {entry.otu_id for entry in entries} - {otu.id for otu in otus}
    ids = {f"{id}_removed" for id in gone} - known
    removals = await _all_of(documents, HistoryEntry, ids)
    if len(removals) < len(ids):
        raise stale()
    return removals


async def _all(store: Documents, kind: type[D], where: Filter = EVERYTHING) -> list[D]:
    """Read all documents that pass the filter, some at a time."""
    found: list[D] = []
    page = Page(first=AT_ONCE)
    while True:
        some = await store.find(kind, where, [Order("id")], page)
        found += some.documents
        if not some.has_next:
            return found
        page = Page(first=AT_ONCE, after=(found[-1].id,))


async def _all_of(store: Documents, kind: type[D], ids: Iterable[str]) -> list[D]:
    """Read the documents of the ids that are there, some at a time."""
    found: list[D] = []
    for some in _batches(sorted(ids)):
        found += (await store.get_many(kind, some)).values()
    return found


async def _replace(transaction: Documents, documents: Sequence[Document]) -> None:
    for some in _batches(documents):
        await transaction.replace(*some)


B = TypeVar("B")


def _batches(values: Sequence[B]) -> Iterator[Sequence[B]]:
    return (values[start : start + AT_ONCE] for start in range(0, len(values), AT_ONCE))
