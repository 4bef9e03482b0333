"""`update_remote_reference`: a reference is brought to a newer release, all of it or nothing."""

from collections.abc import Sequence
from typing import Any

from msgspec import structs

from virtool_gql.db.reference_files import ReferenceFile, checked_reference
from virtool_gql.db.release_updates import ReleaseUpdate, Taken
from virtool_gql.db.releases import compared, finished
from virtool_gql.executors import run_in_thread
from virtool_gql.models.references import DataType, Reference
from virtool_gql.models.tasks import RemoteReference, TaskType
from virtool_gql.stores.documents import Documents
from virtool_gql.tasks.release_files import contents_of
from virtool_gql.tasks.work import Step, SubjectGone, TaskFailed, Work


class RemoteUpdate(Work[RemoteReference]):
    """The steps of `update_remote_reference`."""

    type = TaskType.UPDATE_REMOTE_REFERENCE
    arguments = RemoteReference
    finishing = "update"
    contents: Any = None
    is_done = False
    """Tells whether an earlier attempt has updated the reference, and could not say so."""

    @property
    def steps(self) -> Sequence[Step]:
        return (self.prepare, self.download, self.validate, self.compare)

    async def prepare(self) -> None:
        self.reference = await self._reference(self.held.instance.store)
        self.is_done = not self.reference.updating

    async def download(self) -> None:
        if not self.is_done:
            self.contents = await contents_of(self.held, self.args.release)

    async def validate(self) -> None:
        if self.is_done:
            return
        self._file = await run_in_thread(checked_reference, self.contents, strict=True, progress=self.held.within)
        self.contents = None
        self.held.warn(self._file.warnings)
        if self._file.problems:
            raise TaskFailed("The release has problems; nothing was changed.", self._file.problems)
        if self._file.data_type is not self.reference.data_type:
            raise TaskFailed(f"The release is of another data type: {self._file.data_type}. Nothing was changed.")

    async def compare(self) -> None:
        if self.is_done:
            return
        user_id = self.reference.updates[-1].user_id
        self._update = ReleaseUpdate(self.held.instance, self.reference.id, self._file.otus, user_id)
        await self._update.compare(self.held.instance.store, self.held.within)

    async def finish(self, documents: Documents) -> None:
        if self.is_done:
            return
        try:
            gone = await self._update.write(documents, self.held.within)
        except Taken as taken:
            message = "OTUs that were made here have names of OTUs of the release; nothing was changed."
            raise TaskFailed(message, taken.problems) from taken
        reference = await self._reference(documents)
        await documents.replace(self._updated(reference, gone, self._file))

    def _updated(self, reference: Reference, gone: frozenset[str], file: ReferenceFile) -> Reference:
        updates = finished(reference.updates)
        control = reference.internal_control_id
        return structs.replace(
            reference,
            installed=updates[-1],
            updates=updates,
            updating=False,
            release=compared(reference.release, updates[-1]),
            targets=file.targets if file.data_type is DataType.BARCODE else reference.targets,
            internal_control_id=None if control in gone else control,
            updated_at=self.held.instance.clock(),
        )

    async def give_up(self, documents: Documents) -> None:
        """Leave the reference as it was; that the update was tried and is not ready stays on record."""
        reference = await documents.get(Reference, self.args.reference_id)
        if reference is not None and reference.updating:
            await documents.replace(structs.replace(reference, updating=False))

    async def _reference(self, documents: Documents) -> Reference:
        reference = await documents.get(Reference, self.args.reference_id)
        if reference is None:
            raise SubjectGone
        return reference
