"""What lists tell of references beside themselves, each in one statement for all of them."""

from collections import defaultdict
from collections.abc import Iterable

import msgspec

from virtool_gql.access import Viewer
from virtool_gql.db.instance import Instance
from virtool_gql.models.documents import Document
from virtool_gql.models.history import HistoryEntry
from virtool_gql.models.indexes import Index
from virtool_gql.models.otus import OTU
from virtool_gql.query import EVERYTHING, And, Eq, Filter, In, Order


class Contribution(msgspec.Struct, frozen=True, kw_only=True):
    """How many changes of OTUs a user has made."""

    user_id: str
    count: int


class ReferenceCounts:
    """Counts what belongs to references, for those to whom the references themselves were given already."""

    def __init__(self, instance: Instance) -> None:
        self._store = instance.store

    async def otus(self, _: Viewer, ids: Iterable[str]) -> dict[str, int]:
        return await self._count(OTU, list(ids))

    async def unbuilt_changes(self, _: Viewer, ids: Iterable[str]) -> dict[str, int]:
        return await self._count(HistoryEntry, list(ids), Eq("index_id", None))

    async def modified_otus(self, _: Viewer, ids: Iterable[str]) -> dict[str, int]:
        """Count the OTUs that have unbuilt changes, of which their removal is one."""
        return await self._count(HistoryEntry, list(ids), Eq("index_id", None), distinct="otu_id")

    async def contributions(self, _: Viewer, ids: Iterable[str]) -> dict[str, list[Contribution]]:
        """Give those who have changed OTUs, who has changed most first."""
        wanted = list(ids)
        counted = await self._store.counts(HistoryEntry, ["reference_id", "user_id"], _of(wanted))
        found: defaultdict[str, list[Contribution]] = defaultdict(list)
        for (reference_id, user_id), count in counted.items():
            found[str(reference_id)].append(Contribution(user_id=str(user_id), count=count))
        return {id: sorted(found[id], key=lambda by: (-by.count, by.user_id)) for id in wanted}

    async def latest_builds(self, _: Viewer, ids: Iterable[str]) -> dict[str, Index | None]:
        """Give the newest index that is ready."""
        wanted = list(ids)
        newest = (Order("number", descending=True),)
        found = await self._store.first_of_each(Index, "reference_id", wanted, Eq("ready", value=True), newest)
        return {id: found.get(id) for id in wanted}

    async def _count(
        self, kind: type[Document], ids: list[str], where: Filter = EVERYTHING, *, distinct: str | None = None
    ) -> dict[str, int]:
        counted = await self._store.counts(kind, ["reference_id"], And(_of(ids), where), distinct=distinct)
        return {id: counted.get((id,), 0) for id in ids}


def _of(reference_ids: list[str]) -> Filter:
    return In("reference_id", tuple(reference_ids))
