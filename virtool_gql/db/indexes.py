"""Indexes: how a reference is built, and what is in its builds."""

from collections import defaultdict
from collections.abc import Iterable, Mapping

import msgspec
from msgspec import UNSET, structs

from virtool_gql.access import Viewer
from virtool_gql.db.builds import Unbuilt, abandon, tag, unbuilt_of
from virtool_gql.db.creation import created_in, creation_key, once
from virtool_gql.db.instance import Instance
from virtool_gql.db.jobs import Jobs, call_off, tell_runners
from virtool_gql.db.reference_counts import Contribution
from virtool_gql.db.reference_parts import ReferenceParts, changeable_reference
from virtool_gql.db.retries import retried
from virtool_gql.errors import BadUserInput, Conflict, DuplicateValue, NotFound
from virtool_gql.executors import run_in_thread
from virtool_gql.models.history import HistoryEntry
from virtool_gql.models.indexes import Index
from virtool_gql.models.jobs import Job
from virtool_gql.models.otus import OTU
from virtool_gql.models.references import Reference, Right
from virtool_gql.query import Eq, Filter, In, Order, Page, Scalar
from virtool_gql.stores.documents import first_of, stale
from virtool_gql.workflows import BuildIndex, Workflow

NEWEST_FIRST = (Order("number", descending=True),)
LATEST_CHANGE = (Order("place", descending=True),)


class BuiltOTU(msgspec.Struct, frozen=True, kw_only=True):
    """An OTU of which there are changes in an index: how many, and its name now, or before it was removed."""

    otu_id: str
    name: str
    change_count: int


class Indexes(ReferenceParts[Index]):
    """The indexes of the references that a viewer may read; the right BUILD is needed to make one."""

    noun = "index"

    def __init__(self, instance: Instance, jobs: Jobs) -> None:
        super().__init__(instance, Index)
        self._jobs = jobs

    async def build(
        self, viewer: Viewer, reference_id: str, *, idempotency_key: str | None = None
    ) -> tuple[Index, Job]:
        """Take all unbuilt changes of a reference into a new index, and make the job that builds it.

        The same user's same idempotency key gives the same index and job again.
        """
        await changeable_reference(self.store, viewer, reference_id, Right.BUILD, "reference_id")
        key = creation_key(viewer, idempotency_key)
        index, job = await once(
            lambda: self._built_by(reference_id, key), lambda: retried(lambda: self._build(viewer, reference_id, key))
        )
        await self._undo_in_deleted(index, job)
        await self._jobs.enqueue(job)
        return index, job

    async def _build(self, viewer: Viewer, reference_id: str, key: str | None) -> tuple[Index, Job]:
        await changeable_reference(self.store, viewer, reference_id, Right.BUILD, "reference_id")
        if await first_of(self.store, Index, Eq("building_key", reference_id)) is not None:
            raise _in_progress()
        unbuilt = await unbuilt_of(self.store, reference_id)
        _check_buildable(unbuilt)
        return await self._insert(viewer, await self._draft(viewer, reference_id, unbuilt, key), unbuilt)

    async def _draft(self, viewer: Viewer, reference_id: str, unbuilt: Unbuilt, key: str | None) -> Index:
        return Index(
            id=self.instance.new_id(),
            reference_id=reference_id,
            number=await self._next_number(reference_id),
            building_key=reference_id,
            creation_key=key,
            manifest=unbuilt.manifest,
            otu_count=len(unbuilt.standings),
            change_count=len(unbuilt.entries),
            modified_otu_count=len({entry.otu_id for entry in unbuilt.entries}),
            user_id=viewer.user_id,
            created_at=self.instance.clock(),
        )

    async def _next_number(self, reference_id: str) -> int:
        """Give the number after the highest, of builds that are not ready too."""
        of_reference = Eq("reference_id", reference_id)
        found = (await self.store.find(Index, of_reference, NEWEST_FIRST, Page(first=1))).documents
        return found[0].number + 1 if found else 0

    async def _insert(self, viewer: Viewer, draft: Index, unbuilt: Unbuilt) -> tuple[Index, Job]:
        args = BuildIndex(
            reference_id=draft.reference_id, index_id=draft.id, index_number=draft.number, user_id=viewer.user_id
        )
        job = self._jobs.new(Workflow.BUILD_INDEX, args, viewer.user_id)
        try:
            async with self.store.transaction() as documents:
                # The index comes first: of two builds at once one learns it from the first statement.
                index = (await documents.insert(structs.replace(draft, job_id=job.id)))[0]
                job = (await documents.insert(job))[0]
                await tag(documents, unbuilt, index)
        except DuplicateValue as error:
            raise _in_progress() if error.path == ("building_key",) else stale() from error
        return index, job

    async def _built_by(self, reference_id: str, key: str | None) -> tuple[Index, Job] | None:
        index = await created_in(self.store, Index, key, reference_id)
        if index is None:
            return None
        job = await self.store.get(Job, index.job_id) if index.job_id else None
        if job is None:
            raise Conflict(f"The index index_{index.id} was built with this key, and its job has been removed.")
        return index, job

    async def _undo_in_deleted(self, index: Index, job: Job) -> None:
        """Call the build of a reference off that was deleted meanwhile, by somebody who may not have seen it."""
        if await self.store.get(Reference, index.reference_id) is None:
            await call_off_build(self.instance, index.id, job.id)
            raise NotFound("There is no reference of that id.", path=["reference_id"])

    async def manifests(self, viewer: Viewer, ids: Iterable[str]) -> dict[str, dict[str, int]]:
        """Give, for each index, the revision of each OTU that is in it; nothing where the viewer may not read it."""
        wanted = list(ids)
        found = await self.store.get_many(Index, wanted, await self.rights(viewer), whole=True)
        manifests = {id: index.manifest for id, index in found.items() if index.manifest is not UNSET}
        return {id: manifests.get(id, {}) for id in wanted}

    async def contributions(self, _: Viewer, ids: Iterable[str]) -> dict[str, list[Contribution]]:
        """Give those who have made the changes that are in each index, who has made most first."""
        wanted = list(ids)
        counted = await self.store.counts(HistoryEntry, ["index_id", "user_id"], _in(wanted))
        found: defaultdict[str, list[Contribution]] = defaultdict(list)
        for (index_id, user_id), count in counted.items():
            found[str(index_id)].append(Contribution(user_id=str(user_id), count=count))
        return {id: sorted(found[id], key=lambda by: (-by.count, by.user_id)) for id in wanted}

    async def otus(self, _: Viewer, ids: Iterable[str]) -> dict[str, list[BuiltOTU]]:
        """Give the OTUs of which there are changes in each index, by name."""
        wanted = list(ids)
        counted = await self.store.counts(HistoryEntry, ["index_id", "otu_id"], _in(wanted))
        names = await self._names({str(otu_id) for _, otu_id in counted})
        return await run_in_thread(_by_index, wanted, counted, names)

    async def _names(self, otu_ids: set[str]) -> dict[str, str]:
        """Give the names of OTUs as they are now, of those that were removed as they were then."""
        names = {id: otu.name for id, otu in (await self.store.get_many(OTU, otu_ids)).items()}
        gone = otu_ids - names.keys()
        latest = await self.store.first_of_each(HistoryEntry, "otu_id", gone, order=LATEST_CHANGE) if gone else {}
        return names | {id: entry.otu_name for id, entry in latest.items()}


def _by_index(
    wanted: Iterable[str], counted: Mapping[tuple[Scalar, ...], int], names: Mapping[str, str]
) -> dict[str, list[BuiltOTU]]:
    """Give the OTUs of each index by name, from the counts of the changes of each OTU in each index."""
    found: defaultdict[str, list[BuiltOTU]] = defaultdict(list)
    for (index_id, id), count in counted.items():
        otu_id = str(id)
        found[str(index_id)].append(BuiltOTU(otu_id=otu_id, name=names.get(otu_id, ""), change_count=count))
    return {id: sorted(found[id], key=lambda otu: (otu.name, otu.otu_id)) for id in wanted}


def _in(index_ids: list[str]) -> Filter:
    return In("index_id", tuple(index_ids))


def _in_progress() -> Conflict:
    return Conflict("Index build already in progress.")


def _check_buildable(unbuilt: Unbuilt) -> None:
    if not unbuilt.is_verified:
        raise BadUserInput("There are unverified OTUs.", path=["reference_id"])
    if not unbuilt.entries:
        raise BadUserInput("There are no unbuilt changes.", path=["reference_id"])


async def call_off_builds(instance: Instance, reference_id: str) -> None:
    """Call off whatever is being built of a reference."""
    building = Eq("building_key", reference_id)
    for index in (await instance.store.find(Index, building, page=Page(first=None))).documents:
        await call_off_build(instance, index.id, index.job_id)


async def call_off_build(instance: Instance, index_id: str, job_id: str | None) -> None:
    """Cancel the job of an index that is not finished, with all that it has done; ask for the end of one that runs."""
    called_off = await retried(lambda: _call_off(instance, index_id, job_id))
    if called_off is not None:
        await tell_runners(instance, called_off)


async def _call_off(instance: Instance, index_id: str, job_id: str | None) -> Job | None:
    async with instance.store.transaction() as documents:
        job = await documents.get(Job, job_id) if job_id else None
        if job is not None and not job.finished:
            return await call_off(documents, job, instance.clock())
        await abandon(documents, index_id)
        return None
