"""Entries of the history: how they are made, and what OTUs were by them."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from msgspec import structs

from virtool_gql.db.diff_files import read_diff, write_diff
from virtool_gql.db.instance import Instance
from virtool_gql.db.otu_diffs import difference, newest_verified, taken_back
from virtool_gql.errors import StaleDocument
from virtool_gql.executors import run_in_thread
from virtool_gql.models import otus
from virtool_gql.models.documents import Timestamp
from virtool_gql.models.history import HistoryEntry, Verb
from virtool_gql.models.joined import JoinedOTU, join
from virtool_gql.models.otus import OTU
from virtool_gql.query import In, Order, Page
from virtool_gql.stores.documents import MODIFY_ATTEMPTS, Documents, spread
from virtool_gql.stores.slices import in_slices

MOST_IN_A_DOCUMENT = 1_000_000
"""How many bytes of JSON a diff may have that lies in its entry: MongoDB takes 16 MB, and the loop is held by each."""

AT_ONCE = 100
"""Of how many OTUs the histories are read at once."""


def birth_id(otu_id: str) -> str:
    """Give the id of the entry that tells how an OTU came to be."""
    return f"{otu_id}_0"


async def new_entry(  # noqa: PLR0913 - all that an entry tells of
    instance: Instance,
    before: JoinedOTU | None,
    after: JoinedOTU | None,
    *,
    verb: Verb,
    description: str,
    place: int,
    reference_id: str,
    user_id: str,
    at: Timestamp,
) -> HistoryEntry:
    """Make the entry of a change, to be inserted with it. A diff that is too large for a document lies in a file."""
    otu = before or after
    if otu is None:
        raise ValueError("A change is one of an OTU that was there before or is there after it.")
    entry = HistoryEntry(
        id=f"{otu.id}_removed" if after is None else f"{otu.id}_{place}",
        otu_id=otu.id,
        otu_name=otu.name,
        otu_revision=None if after is None else after.version,
        place=place,
        reference_id=reference_id,
        verb=verb,
        description=description,
        user_id=user_id,
        created_at=at,
    )
    diff = await run_in_thread(difference, before, after)
    if diff is not None and len(diff) > MOST_IN_A_DOCUMENT // 4 and len(diff.encode()) > MOST_IN_A_DOCUMENT:
        return structs.replace(entry, diff_file=await write_diff(instance, entry.id, diff))
    return structs.replace(entry, diff=diff)


async def with_diffs(instance: Instance, entries: Iterable[HistoryEntry]) -> list[HistoryEntry]:
    """Give entries, which were read whole, with the diffs that lie in files."""
    return [
        structs.replace(entry, diff=await read_diff(instance, entry.diff_file)) if entry.diff_file else entry
        for entry in entries
    ]


async def at_version(store: Documents, instance: Instance, otu_id: str, revision: int) -> JoinedOTU | None:
    """Give an OTU, removed or not, as it was at a revision; None when there is no such OTU or revision."""
    return (await at_versions(store, instance, {otu_id: revision})).get(otu_id)


async def at_versions(store: Documents, instance: Instance, revisions: Mapping[str, int]) -> dict[str, JoinedOTU]:
    """Give OTUs, removed or not, as they were at their revisions; what never was is left out.

    It takes a few statements for each hundred of them, and two less when all are at their revisions now.
    """
    needs = Needs(
        history=lambda otu_id, otu: otu is None or otu.revision != revisions[otu_id],
        entry=lambda entry: entry.place > revisions[entry.otu_id],
    )
    found = await _reckoned(store, instance, list(revisions), needs, taken_back)
    return {id: otu for id, otu in found.items() if otu.version == revisions[id]}


async def newest_verified_of(store: Documents, instance: Instance, otu_ids: Iterable[str]) -> dict[str, JoinedOTU]:
    """Give OTUs as they were when nothing was wrong with them last; those that never were so are left out."""
    needs = Needs(history=lambda _, otu: otu is None or not otu.verified, entry=lambda _: True)
    return await _reckoned(store, instance, list(otu_ids), needs, newest_verified)


@dataclass(frozen=True, slots=True)
class Needs:
    """Of which OTUs the history is needed, and which entries of it."""

    history: Callable[[str, OTU | None], bool]
    entry: Callable[[HistoryEntry], bool]


@dataclass(frozen=True, slots=True)
class Known:
    """An OTU as it is, None when it is not there, and the entries of its history that are needed."""

    otu: JoinedOTU | None
    newest_first: list[HistoryEntry]


Reckon = Callable[[JoinedOTU | None, Iterable[HistoryEntry]], JoinedOTU | None]


async def _reckoned(
    store: Documents, instance: Instance, ids: Sequence[str], needs: Needs, reckon: Reckon
) -> dict[str, JoinedOTU]:
    found: dict[str, JoinedOTU | None] = {}
    for start in range(0, len(ids), AT_ONCE):
        known = await _known(store, instance, ids[start : start + AT_ONCE], needs)
        found |= await run_in_thread(_all_reckoned, known, reckon)
    return {id: otu for id, otu in found.items() if otu is not None}


def _all_reckoned(known: Mapping[str, Known], reckon: Reckon) -> dict[str, JoinedOTU | None]:
    return {id: reckon(each.otu, each.newest_first) for id, each in known.items()}


async def _known(store: Documents, instance: Instance, ids: Iterable[str], needs: Needs) -> dict[str, Known]:
    """Read OTUs and their histories, each as they are at one moment."""
    known: dict[str, Known] = {}
    missing = set(ids)
    for tries in range(1, MODIFY_ATTEMPTS + 1):
        before = await store.get_many(OTU, missing)
        read = await _read(store, instance, {id: before.get(id) for id in missing}, needs)
        after = await store.get_many(OTU, missing)
        known |= {id: each for id, each in read.items() if _version(before.get(id)) == _version(after.get(id))}
        missing -= known.keys()
        if not missing:
            return known
        await spread(tries)
    raise StaleDocument("Too many people change this at once; try again.")


def _version(otu: OTU | None) -> int | None:
    return None if otu is None else otu.version


async def _read(
    store: Documents, instance: Instance, found: Mapping[str, OTU | None], needs: Needs
) -> dict[str, Known]:
    """Read the rest of OTUs that were read; leave out those that somebody changes at this moment."""
    there = [otu for otu in found.values() if otu is not None]
    ids = [id for otu in there for isolate in otu.isolates for id in isolate.sequence_ids]
    sequences = await store.get_many(otus.Sequence, ids, whole=True)
    whole = [otu for otu in there if all(id in sequences for each in otu.isolates for id in each.sequence_ids)]
    joined = await in_slices(lambda otu: (otu.id, join(otu, sequences)), whole)
    states: dict[str, JoinedOTU | None] = {**{id: None for id, otu in found.items() if otu is None}, **dict(joined)}
    needy = [id for id in states if needs.history(id, found[id])]
    histories = await _histories(store, instance, needy, needs) if needy else {}
    return {id: Known(otu, histories.get(id, [])) for id, otu in states.items() if id not in needy or id in histories}


async def _histories(
    store: Documents, instance: Instance, otu_ids: Sequence[str], needs: Needs
) -> dict[str, list[HistoryEntry]]:
    """Read the entries that are needed, newest first, with their diffs; leave out whose entry is just reverted."""
    of_otus = In("otu_id", tuple(otu_ids))
    found = await store.find(HistoryEntry, of_otus, [Order("place", descending=True)], Page(first=None))
    needed = [entry for entry in found.documents if needs.entry(entry)]
    read = await store.get_many(HistoryEntry, [entry.id for entry in needed], whole=True)
    whole = {entry.id: entry for entry in await with_diffs(instance, read.values())}
    histories: dict[str, list[HistoryEntry]] = {id: [] for id in otu_ids}
    for entry in needed:
        if entry.id in whole and entry.otu_id in histories:
            histories[entry.otu_id].append(whole[entry.id])
        else:
            histories.pop(entry.otu_id, None)
    return histories
