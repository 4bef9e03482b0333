"""Taking changes of an OTU back that were not built yet, with all later ones, as if they had never been made."""

from collections.abc import Iterable, Sequence

import msgspec
from msgspec import structs

from virtool_gql.db.diff_files import remove_diffs
from virtool_gql.db.instance import Instance
from virtool_gql.db.otu_diffs import taken_back
from virtool_gql.db.otu_entries import birth_id, with_diffs
from virtool_gql.db.otu_names import check_names, taken_meanwhile
from virtool_gql.db.otu_writes import Stored, document_of, sequences_of, stored, write_state
from virtool_gql.errors import Conflict
from virtool_gql.executors import run_in_thread
from virtool_gql.models.documents import Timestamp
from virtool_gql.models.history import HistoryEntry, Verb
from virtool_gql.models.indexes import Index
from virtool_gql.models.joined import JoinedOTU
from virtool_gql.models.otus import OTU
from virtool_gql.query import And, Eq, Exists, Order, Page, Range
from virtool_gql.stores.documents import Documents, first_of, stale

NEWEST_FIRST = [Order("place", descending=True)]


class Reverted(msgspec.Struct, frozen=True, kw_only=True):
    """What a reversion did: the OTU as it is now, None when it is gone, and the changes that are no more."""

    otu: OTU | None
    entries: tuple[HistoryEntry, ...]


async def reverted(instance: Instance, entry: HistoryEntry) -> Reverted:
    """Take a change and all later ones of its OTU back; StaleDocument when somebody changes the OTU meanwhile."""
    before = await stored(instance.store, entry.otu_id)
    entries = await _entries_since(instance, entry)
    _check_unbuilt(entries)
    _check_consistent(before, entries)
    after = await run_in_thread(taken_back, before.joined if before else None, entries)
    otu = await _write(instance, before, after, entries)
    await remove_diffs(instance, entries)
    return Reverted(otu=otu, entries=tuple(entries))


async def _entries_since(instance: Instance, entry: HistoryEntry) -> list[HistoryEntry]:
    """Read a change and all later ones whole, newest first."""
    since = And(Eq("otu_id", entry.otu_id), Range("place", gte=entry.place))
    found = (await instance.store.find(HistoryEntry, since, NEWEST_FIRST, Page(first=None))).documents
    read = await instance.store.get_many(HistoryEntry, [each.id for each in found], whole=True)
    if entry.id not in read or len(read) < len(found):
        raise stale()
    return await with_diffs(instance, (read[each.id] for each in found))


def _check_unbuilt(entries: Iterable[HistoryEntry]) -> None:
    if any(entry.index_id is not None for entry in entries):
        raise Conflict("Change is already built.", path=["id"])


def _check_consistent(before: Stored | None, newest_first: Sequence[HistoryEntry]) -> None:
    """Raise StaleDocument when the OTU was read before or after its newest change."""
    if newest_first[0].otu_revision != (before.otu.revision if before else None):
        raise stale()


async def _write(
    instance: Instance, before: Stored | None, after: JoinedOTU | None, entries: Sequence[HistoryEntry]
) -> OTU | None:
    if after is not None:
        await check_names(instance.store, entries[0].reference_id, after.name, after.abbreviation, besides=after.id)
    at = instance.clock()
    with taken_meanwhile():
        async with instance.store.transaction() as transaction:
            modified = await _has_unbuilt(transaction, entries[-1])
            if before is not None:
                otu = await write_state(transaction, before, after, at=at, modified=modified)
                await transaction.delete(*entries)
                return otu
            # The removal comes first: whoever was slower learns it from the first statement.
            await transaction.delete(*entries)
            return await _restore(transaction, after, entries[0], modified=modified, at=at) if after else None


async def _has_unbuilt(documents: Documents, oldest: HistoryEntry) -> bool:
    """Tell whether the OTU has unbuilt changes that are older than the oldest that is taken back."""
    older = And(Eq("otu_id", oldest.otu_id), Range("place", lt=oldest.place), Eq("index_id", None))
    return await first_of(documents, HistoryEntry, older) is not None


async def _restore(
    transaction: Documents, otu: JoinedOTU, removal: HistoryEntry, *, modified: bool, at: Timestamp
) -> OTU:
    """Insert an OTU that was removed: who made it and when, and what was built of it, the history tells."""
    birth = await transaction.get(HistoryEntry, birth_id(otu.id))
    if birth is None:
        raise stale()
    restored = structs.replace(
        remembered(otu, birth),
        last_revision=removal.place,
        built_revision=await _built_revision(transaction, otu.id),
        modified=modified,
        updated_at=at,
    )
    await transaction.insert(*sequences_of(otu, removal.reference_id))
    return (await transaction.insert(restored))[0]


def remembered(otu: JoinedOTU, birth: HistoryEntry) -> OTU:
    """Make the document of an OTU that was removed: who made it, and when, its birth tells."""
    imported = birth.verb is not Verb.CREATE
    document = document_of(otu, birth.reference_id, user_id=birth.user_id, at=birth.created_at, imported=imported)
    return structs.replace(document, revision=otu.version)


async def _built_revision(documents: Documents, otu_id: str) -> int | None:
    """Give the revision of an OTU that is in the latest finished index of those that have changes of it."""
    built = And(Eq("otu_id", otu_id), Exists("index_id"))
    entries = (await documents.find(HistoryEntry, built, NEWEST_FIRST, Page(first=None))).documents
    ids = {entry.index_id for entry in entries if entry.index_id is not None}
    finished = await documents.get_many(Index, ids, Eq("ready", value=True))
    return next((entry.otu_revision for entry in entries if entry.index_id in finished), None)
