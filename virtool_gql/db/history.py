"""The history of OTUs: what was changed by whom, how it was before, and taking it back."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from virtool_gql.access import Viewer
from virtool_gql.db.diff_files import remove_diffs
from virtool_gql.db.instance import Instance
from virtool_gql.db.otu_diffs import difference
from virtool_gql.db.otu_entries import at_versions, birth_id, sizes_of, with_diffs
from virtool_gql.db.otu_writes import stored
from virtool_gql.db.reference_controls import without_deleted_control
from virtool_gql.db.reference_parts import ReferenceParts, changeable_reference
from virtool_gql.db.retries import retried
from virtool_gql.db.reversions import Reverted, remembered, reverted
from virtool_gql.errors import NotFound, QueryTooComplex
from virtool_gql.executors import run_in_thread
from virtool_gql.models.history import BIRTHS, HistoryEntry
from virtool_gql.models.joined import JoinedOTU
from virtool_gql.models.otus import OTU
from virtool_gql.models.references import Reference, Right
from virtool_gql.query import And, Eq, Filter, Or, Order, Page, Range
from virtool_gql.stores.documents import Found

__all__ = ["Histories", "Reverted"]

NEWEST_FIRST = (Order("place", descending=True),)
"""The order of the changes of one OTU."""


LONGEST_TOGETHER = 32_000_000
"""How many characters several diffs, or bases several versions, may have that are asked for at once."""


class Newest(NamedTuple):
    """How many changes of which OTU are wanted; `last` is the highest place that was ever given to one."""

    otu_id: str
    last: int
    size: int


class AtVersion(NamedTuple):
    """An OTU at a version."""

    otu_id: str
    version: int


class Then(NamedTuple):
    """An OTU as it was once, and its document as it is or was last."""

    joined: JoinedOTU
    document: OTU


class Histories(ReferenceParts[HistoryEntry]):
    """The changes of OTUs of the references that a viewer may read; who has the right MODIFY_OTU takes them back."""

    noun = "history entry"

    def __init__(self, instance: Instance) -> None:
        super().__init__(instance, HistoryEntry)

    async def diffs(self, viewer: Viewer, ids: Iterable[str]) -> dict[str, str | None]:
        """Give, for each change, its diff as JSON; of a birth that is the whole OTU as it was then.

        None where the viewer may not read it. One diff can be had however large it is, several up to a bound.
        """
        wanted = list(ids)
        entries = await self.store.get_many(HistoryEntry, wanted, await self.rights(viewer), whole=True)
        diffs: dict[str, str | None] = dict.fromkeys(wanted)
        length = 0
        for entry in entries.values():
            (read,) = await with_diffs(self.instance, [entry])
            diffs[entry.id] = _text(read)
            length += len(diffs[entry.id] or "")
            if len(wanted) > 1 and length > LONGEST_TOGETHER:
                raise QueryTooComplex("These diffs are too large for one answer; ask for fewer of them.")
        births = {entry.otu_id: entry.id for entry in entries.values() if entry.verb in BIRTHS}
        born = await at_versions(self.store, self.instance, dict.fromkeys(births, 0))
        return diffs | {births[id]: await run_in_thread(difference, otu, None) for id, otu in born.items()}

    async def latest_unbuilt(self, viewer: Viewer, otu_ids: Iterable[str]) -> dict[str, HistoryEntry | None]:
        """Give, for each OTU, its latest change that is not built yet, in one statement for all of them."""
        wanted = list(otu_ids)
        unbuilt = And(await self.rights(viewer), Eq("index_id", None))
        found = await self.store.first_of_each(HistoryEntry, "otu_id", wanted, unbuilt, NEWEST_FIRST)
        return {id: found.get(id) for id in wanted}

    async def newest(self, viewer: Viewer, wanted: Iterable[Newest]) -> dict[Newest, Found[HistoryEntry]]:
        """Give, for each of several OTUs, its newest changes, in one statement for all of them as a rule.

        As a rule their places follow one another; an OTU in whose places there are gaps takes a statement of its own.
        """
        asked = list(wanted)
        rights = await self.rights(viewer)
        some = Or(*(And(Eq("otu_id", of.otu_id), Range("place", gt=of.last - of.size - 1)) for of in asked))
        found = await self.store.find(HistoryEntry, And(rights, some), NEWEST_FIRST, Page(first=None))
        entries: defaultdict[str, list[HistoryEntry]] = defaultdict(list)
        for entry in found.documents:
            entries[entry.otu_id].append(entry)
        return {of: await self._newest(rights, of, entries[of.otu_id]) for of in asked}

    async def _newest(self, rights: Filter, of: Newest, entries: list[HistoryEntry]) -> Found[HistoryEntry]:
        if len(entries) <= of.size <= of.last:
            where = And(rights, Eq("otu_id", of.otu_id))
            return await self.store.find(HistoryEntry, where, NEWEST_FIRST, Page(first=of.size))
        return Found(entries[: of.size], has_next=len(entries) > of.size, has_previous=False)

    async def at_version(self, viewer: Viewer, otu_id: str, version: int) -> JoinedOTU | None:
        """Give an OTU, removed or not, as it was at a version; None when there is none, or none that one may read."""
        of = AtVersion(otu_id, version)
        then = (await self.at_versions(viewer, [of]))[of]
        return then.joined if then else None

    async def at_versions(self, viewer: Viewer, wanted: Iterable[AtVersion]) -> dict[AtVersion, Then | None]:
        """Give several OTUs, removed or not, as they were, each with its document: of a removed one the last.

        The number of statements does not grow with that of the OTUs.
        """
        asked = list(wanted)
        births = await self.get_many(viewer, {birth_id(of.otu_id) for of in asked})
        readable = {birth.otu_id: birth for birth in births.values()}
        documents = await self.store.get_many(OTU, readable)
        then: dict[AtVersion, Then | None] = dict.fromkeys(asked)
        there = [of for of in asked if of.otu_id in readable]
        await self._check_size(there)
        async with self.instance.versions.of(viewer.user_id):
            for revisions in _rounds(there):
                joined = await at_versions(self.store, self.instance, revisions)
                then |= {
                    AtVersion(id, otu.version): Then(otu, documents.get(id) or remembered(otu, readable[id]))
                    for id, otu in joined.items()
                }
        return then

    async def _check_size(self, wanted: list[AtVersion]) -> None:
        """Refuse several versions that are too large together, each taken to be as large as the OTU is now."""
        if len(wanted) > 1:
            sizes = await sizes_of(self.store, {of.otu_id for of in wanted})
            if sum(sizes[of.otu_id] for of in wanted) > LONGEST_TOGETHER:
                raise QueryTooComplex("These versions are too large for one answer; ask for fewer of them.")

    async def revert(self, viewer: Viewer, id: str) -> Reverted:
        """Take a change and all later ones of its OTU back, none of which may be built."""
        async with self.instance.edits.of(viewer.user_id):
            result = await retried(lambda: self._revert(viewer, id))
        reference = await self.store.get(Reference, result.entries[0].reference_id)
        if reference is None:
            await retried(lambda: self._remove_all(result.entries[0].otu_id))
            raise NotFound("There is no reference of that id.", path=["id"])
        if result.otu is None:
            await without_deleted_control(self.store, reference)
        return result

    async def _revert(self, viewer: Viewer, id: str) -> Reverted:
        entry = await self.get(viewer, id)
        await changeable_reference(self.store, viewer, entry.reference_id, Right.MODIFY_OTU)
        return await reverted(self.instance, entry)

    async def _remove_all(self, otu_id: str) -> None:
        """Remove what came back of a reference that was deleted meanwhile, by somebody who may not have seen it."""
        before = await stored(self.store, otu_id)
        if before is None:
            return
        entries = await self.store.find(HistoryEntry, Eq("otu_id", otu_id), page=Page(first=None))
        async with self.store.transaction() as documents:
            await documents.delete(before.otu)
            await documents.delete(*before.sequences.values())
            await documents.delete(*entries.documents)
        await remove_diffs(self.instance, entries.documents)


def _rounds(wanted: Iterable[AtVersion]) -> Iterator[dict[str, int]]:
    """Give what is wanted in parts, in each of which there is one version of each OTU; the latest ones together."""
    left = dict.fromkeys(sorted(wanted))
    while left:
        some = {of.otu_id: of.version for of in left}
        yield some
        for pair in some.items():
            del left[AtVersion(*pair)]


def _text(entry: HistoryEntry) -> str | None:
    return entry.diff if isinstance(entry.diff, str) else None
