"""Entries of the history: how they are made, and what OTUs were by them."""

from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby, islice

from msgspec import structs

from virtool_gql.db.diff_files import read_diff, write_diff
from virtool_gql.db.instance import Instance
from virtool_gql.db.otu_diffs import back_to_verified, difference, taken_back, verified_or_none
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

DIFFS_AT_ONCE = 40
"""How many diffs are held at once, however long a history is; of those that lie in files one."""

BASES_AT_ONCE = 8_000_000
"""How many bases OTUs may have that are held at once, unless it is one alone."""


TOO_MANY = "Too many people change this at once; try again."


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
    return {id: otu for id, otu in found.items() if otu is not None and otu.version == revisions[id]}


async def newest_verified_of(store: Documents, instance: Instance, otu_ids: Iterable[str]) -> dict[str, JoinedOTU]:
    """Give OTUs as they were when nothing was wrong with them last; those that never were so are left out."""
    needs = Needs(history=lambda _, otu: otu is None or not otu.verified, entry=lambda _: True)
    found = await _reckoned(store, instance, list(otu_ids), needs, back_to_verified)
    return {id: otu for id, state in found.items() if (otu := verified_or_none(state)) is not None}


async def sizes_of(store: Documents, otu_ids: Iterable[str]) -> Counter[str]:
    """Tell how many bases each of several OTUs has; nothing of those that are removed."""
    lengths = await store.counts(otus.Sequence, ["otu_id", "length"], In("otu_id", tuple(otu_ids)))
    sizes: Counter[str] = Counter()
    for (otu_id, length), count in lengths.items():
        sizes[str(otu_id)] += int(str(length)) * count
    return sizes


async def in_batches(store: Documents, otu_ids: Iterable[str], most: int = AT_ONCE) -> AsyncIterator[list[str]]:
    """Give OTUs in their order, as many at once as can be held together; how large a removed one was is a guess."""
    remaining = iter(otu_ids)
    while some := list(islice(remaining, most)):
        sizes = await sizes_of(store, some)
        batch: list[str] = []
        size = 0
        for id in some:
            weight = sizes[id] or BASES_AT_ONCE // 25
            if batch and size + weight > BASES_AT_ONCE:
                yield batch
                batch, size = [], 0
            batch.append(id)
            size += weight
        yield batch


@dataclass(frozen=True, slots=True)
class Needs:
    """Of which OTUs the history is needed, and which entries of it."""

    history: Callable[[str, OTU | None], bool]
    entry: Callable[[HistoryEntry], bool]


@dataclass(frozen=True, slots=True)
class Known:
    """An OTU as it is, None when it is not there, and the entries of its history that are needed, without diffs."""

    otu: JoinedOTU | None
    newest_first: list[HistoryEntry]


Reckon = Callable[[JoinedOTU | None, Iterable[HistoryEntry]], JoinedOTU | None]
"""Takes some entries back; the older ones follow."""


async def _reckoned(
    store: Documents, instance: Instance, ids: Sequence[str], needs: Needs, reckon: Reckon
) -> dict[str, JoinedOTU | None]:
    found: dict[str, JoinedOTU | None] = {}
    for start in range(0, len(ids), AT_ONCE):
        missing = set(ids[start : start + AT_ONCE])
        for tries in range(1, MODIFY_ATTEMPTS + 1):
            known = await _known(store, missing, needs)
            states = await _all_reckoned(store, instance, known, reckon)
            found |= states
            missing -= states.keys()
            if not missing:
                break
            await spread(tries)
        else:
            raise StaleDocument(TOO_MANY)
    return found


async def _all_reckoned(
    store: Documents, instance: Instance, known: Mapping[str, Known], reckon: Reckon
) -> dict[str, JoinedOTU | None]:
    """Take the entries back that were found, a few at once; leave out the OTUs of which one is gone meanwhile."""
    states = {id: each.otu for id, each in known.items()}
    entries = [entry for each in known.values() for entry in each.newest_first]
    for start in range(0, len(entries), DIFFS_AT_ONCE):
        some = [entry for entry in entries[start : start + DIFFS_AT_ONCE] if entry.otu_id in states]
        read = await store.get_many(HistoryEntry, [entry.id for entry in some], whole=True)
        for entry in some:
            if entry.id not in read or read[entry.id].place != entry.place:
                states.pop(entry.otu_id, None)
        there = [read[entry.id] for entry in some if entry.otu_id in states]
        for in_files, run in groupby(there, lambda entry: entry.diff_file is not None):
            for few in ([each] for each in run) if in_files else [list(run)]:
                states |= await run_in_thread(_stepped, states, await with_diffs(instance, few), reckon)
    return states


def _stepped(
    states: Mapping[str, JoinedOTU | None], entries: Iterable[HistoryEntry], reckon: Reckon
) -> dict[str, JoinedOTU | None]:
    of_otus = groupby(entries, lambda entry: entry.otu_id)
    return {id: reckon(states[id], few) for id, few in of_otus}


async def _known(store: Documents, ids: Iterable[str], needs: Needs) -> dict[str, Known]:
    """Read OTUs and their histories, each as they are at one moment."""
    known: dict[str, Known] = {}
    missing = set(ids)
    for tries in range(1, MODIFY_ATTEMPTS + 1):
        before = await store.get_many(OTU, missing)
        read = await _read(store, {id: before.get(id) for id in missing}, needs)
        after = await store.get_many(OTU, missing)
        known |= {id: each for id, each in read.items() if _version(before.get(id)) == _version(after.get(id))}
        missing -= known.keys()
        if not missing:
            return known
        await spread(tries)
    raise StaleDocument(TOO_MANY)


def _version(otu: OTU | None) -> int | None:
    return None if otu is None else otu.version


async def _read(store: Documents, found: Mapping[str, OTU | None], needs: Needs) -> dict[str, Known]:
    """Read the rest of OTUs that were read; leave out those that somebody changes at this moment."""
    there = [otu for otu in found.values() if otu is not None]
    ids = [id for otu in there for isolate in otu.isolates for id in isolate.sequence_ids]
    sequences = await store.get_many(otus.Sequence, ids, whole=True)
    whole = [otu for otu in there if all(id in sequences for each in otu.isolates for id in each.sequence_ids)]
    joined = await in_slices(lambda otu: (otu.id, join(otu, sequences)), whole)
    states: dict[str, JoinedOTU | None] = {**{id: None for id, otu in found.items() if otu is None}, **dict(joined)}
    needy = [id for id in states if needs.history(id, found[id])]
    histories = await _histories(store, {id: found[id] for id in needy}, needs) if needy else {}
    return {id: Known(otu, histories.get(id, [])) for id, otu in states.items() if id not in needy or id in histories}


async def _histories(store: Documents, found: Mapping[str, OTU | None], needs: Needs) -> dict[str, list[HistoryEntry]]:
    """Read the entries that are needed, newest first, without their diffs.

    Leave out the OTUs that are not as their newest entry says: without transactions the two are not written together.
    """
    order = [Order("place", descending=True)]
    entries = (await store.find(HistoryEntry, In("otu_id", tuple(found)), order, Page(first=None))).documents
    newest = {entry.otu_id: entry.otu_revision for entry in reversed(entries)}
    revisions = {id: None if otu is None else otu.revision for id, otu in found.items()}
    agreeing = {id for id, revision in revisions.items() if newest.get(id, revision) == revision}
    # One that is gone and was not removed goes with its reference: there is nothing to wait for.
    histories: dict[str, list[HistoryEntry]] = {id: [] for id, otu in found.items() if id in agreeing or otu is None}
    for entry in entries:
        if entry.otu_id in agreeing and needs.entry(entry):
            histories[entry.otu_id].append(entry)
    return histories
