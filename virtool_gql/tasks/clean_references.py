"""`clean_references`: what references that are gone have left behind, and what tasks that are gone have held."""

import asyncio
from collections.abc import Sequence

from msgspec import structs

from virtool_gql.db.files import release
from virtool_gql.db.reference_removal import orphaned_reference_ids, remove_parts, told_within
from virtool_gql.errors import StaleDocument
from virtool_gql.models.files import File, FileType
from virtool_gql.models.references import Reference
from virtool_gql.models.tasks import Refresh, Task, TaskState, TaskType
from virtool_gql.query import And, Eq, Exists, In, Or, Page
from virtool_gql.tasks.work import Step, Work

EVERY = Page(first=None)
OUTSTANDING = (TaskState.WAITING, TaskState.RUNNING)


class ReferenceCleaning(Work[Refresh]):
    """The steps of `clean_references`."""

    type = TaskType.CLEAN_REFERENCES
    arguments = Refresh
    every_seconds = 3600
    heavy = True
    patience_seconds = 5.0

    @property
    def steps(self) -> Sequence[Step]:
        return (self.settle_references, self.release_files, self.delete_orphans)

    async def settle_references(self) -> None:
        """Settle references whose task has ended, and could not undo what it had done."""
        store = self.held.instance.store
        unsettled = Or(Eq("ready", value=False), Eq("updating", value=True))
        for reference in (await store.find(Reference, unsettled, page=EVERY)).documents:
            task = await store.get(Task, reference.task_id) if reference.task_id else None
            if task is None or task.ended:
                await self._settle(reference)

    async def _settle(self, reference: Reference) -> None:
        updates = tuple(update for update in reference.updates if update.ready)
        try:
            if reference.ready:
                await self.held.instance.store.replace(structs.replace(reference, updating=False, updates=updates))
            else:
                await self.held.instance.store.delete(reference)
        except StaleDocument:
            return  # somebody has just done so, or the next run will

    async def release_files(self) -> None:
        """Let go of files that no reference is made from any more, also after a second look."""
        suspects = await self._needlessly_reserved()
        if suspects:
            await asyncio.sleep(self.patience_seconds)  # a file is reserved before its reference is there
            for user_id in suspects & await self._needlessly_reserved():
                await release(self.held.instance.store, user_id)

    async def _needlessly_reserved(self) -> set[str]:
        store = self.held.instance.store
        reserved = And(Exists("reserved_by"), Eq("type", FileType.REFERENCE))
        ids = {
            file.reserved_by for file in (await store.find(File, reserved, page=EVERY)).documents if file.reserved_by
        }
        references = await store.get_many(Reference, ids)
        return ids - {id for id, reference in references.items() if not reference.ready}

    async def delete_orphans(self) -> None:
        """Delete the parts of references that do not exist, and that no task is to delete."""
        store = self.held.instance.store
        orphaned = await orphaned_reference_ids(store)
        deleting = And(Eq("type", TaskType.DELETE_REFERENCE), In("state", OUTSTANDING))
        known = {task.reference_id for task in (await store.find(Task, deleting, page=EVERY)).documents}
        for id, told in told_within(self.held.within, orphaned - known):
            await remove_parts(self.held.instance, id, told)
