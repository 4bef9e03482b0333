"""The history of OTUs: what was changed by whom, how it was before, and taking it back."""

from collections.abc import Iterable

from virtool_gql.access import Viewer
from virtool_gql.db.diff_files import remove_diffs
from virtool_gql.db.instance import Instance
from virtool_gql.db.otu_diffs import difference
from virtool_gql.db.otu_entries import at_version, at_versions, with_diffs
from virtool_gql.db.otu_writes import stored
from virtool_gql.db.reference_controls import without_deleted_control
from virtool_gql.db.reference_parts import ReferenceParts, changeable_reference
from virtool_gql.db.retries import retried
from virtool_gql.db.reversions import Reverted, reverted
from virtool_gql.errors import NotFound
from virtool_gql.executors import run_in_thread
from virtool_gql.files import ID
from virtool_gql.models.history import BIRTHS, HistoryEntry
from virtool_gql.models.joined import JoinedOTU
from virtool_gql.models.references import Reference, Right
from virtool_gql.query import And, Eq, Order, Page
from virtool_gql.stores.documents import first_of

__all__ = ["Histories", "Reverted"]

NEWEST_FIRST = (Order("place", descending=True),)
"""The order of the changes of one OTU."""


class Histories(ReferenceParts[HistoryEntry]):
    """The changes of OTUs of the references that a viewer may read; who has the right MODIFY_OTU takes them back."""

    noun = "history entry"

    def __init__(self, instance: Instance) -> None:
        super().__init__(instance, HistoryEntry)

    async def diffs(self, viewer: Viewer, ids: Iterable[str]) -> dict[str, str | None]:
        """Give, for each change, its diff as JSON; of a birth that is the whole OTU as it was then.

        None where the viewer may not read it.
        """
        wanted = list(ids)
        entries = await self.store.get_many(HistoryEntry, wanted, await self.rights(viewer), whole=True)
        diffs: dict[str, str | None] = dict.fromkeys(wanted)
        diffs |= {entry.id: _text(entry) for entry in await with_diffs(self.instance, entries.values())}
        births = {entry.otu_id: entry.id for entry in entries.values() if entry.verb in BIRTHS}
        born = await at_versions(self.store, self.instance, dict.fromkeys(births, 0))
        return diffs | {births[id]: await run_in_thread(difference, otu, None) for id, otu in born.items()}

    async def latest_unbuilt(self, viewer: Viewer, otu_ids: Iterable[str]) -> dict[str, HistoryEntry | None]:
        """Give, for each OTU, its latest change that is not built yet, in one statement for all of them."""
        wanted = list(otu_ids)
        unbuilt = And(await self.rights(viewer), Eq("index_id", None))
        found = await self.store.first_of_each(HistoryEntry, "otu_id", wanted, unbuilt, NEWEST_FIRST)
        return {id: found.get(id) for id in wanted}

    async def at_version(self, viewer: Viewer, otu_id: str, version: int) -> JoinedOTU | None:
        """Give an OTU, removed or not, as it was at a version; None when there is none, or none that one may read."""
        of_otu = And(await self.rights(viewer), Eq("otu_id", otu_id))
        if not ID.fullmatch(otu_id) or await first_of(self.store, HistoryEntry, of_otu) is None:
            return None
        return await at_version(self.store, self.instance, otu_id, version)

    async def revert(self, viewer: Viewer, id: str) -> Reverted:
        """Take a change and all later ones of its OTU back, none of which may be built."""
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


def _text(entry: HistoryEntry) -> str | None:
    return entry.diff if isinstance(entry.diff, str) else None
