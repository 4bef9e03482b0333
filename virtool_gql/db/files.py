"""Uploaded files: their rows, and the bytes that lie under their ids."""

import logging
import shutil
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import msgspec
from msgspec import UNSET, UnsetType, structs

from virtool_gql.access import Viewer, readable_files, readable_references, readable_samples
from virtool_gql.db.instance import Instance
from virtool_gql.db.listing import Listing
from virtool_gql.db.names import file_name
from virtool_gql.db.retries import retried
from virtool_gql.db.updates import check_version, to_values, with_values
from virtool_gql.errors import BadUserInput, Conflict, DuplicateValue, Forbidden, NotFound, StaleDocument
from virtool_gql.executors import run_in_thread
from virtool_gql.files import ID
from virtool_gql.models.documents import Timestamp
from virtool_gql.models.files import File, FileType
from virtool_gql.models.references import Reference
from virtool_gql.models.samples import Sample
from virtool_gql.models.users import Permission
from virtool_gql.query import Eq, Page
from virtool_gql.stores.documents import Documents, first_of, modify

logger = logging.getLogger(__name__)

MOST_FILES = 2


class FileChanges(msgspec.Struct, frozen=True, kw_only=True):
    """What is to change of a file; what is not set stays. `expires_at` None lets it stay for good."""

    name: str | UnsetType = UNSET
    expires_at: Timestamp | UnsetType | None = UNSET


class Files(Listing[File]):
    """The uploads, which everybody may read. A row stands before the bytes come, and goes before they go."""

    noun = "file"

    def __init__(self, instance: Instance) -> None:
        super().__init__(instance, File, readable_files)

    async def begin(self, viewer: Viewer, name: str, type: FileType, expires_at: Timestamp | None = None) -> File:
        """Make the row of an upload, whose bytes the caller then writes to `places.file(id)`."""
        viewer.require(Permission.UPLOAD_FILE)
        self._check_expiry(expires_at)
        file = structs.replace(self._new(name, type), user_id=viewer.user_id, expires_at=expires_at)
        return (await self.store.insert(file))[0]

    async def begin_import(self, name: str, source_key: str) -> File | None:
        """Make the row of a file of reads from the watch directory; None when there is one of this source already."""
        try:
            return (await self.store.insert(structs.replace(self._new(name, FileType.READS), source_key=source_key)))[0]
        except DuplicateValue:
            return None

    async def imported(self, source_key: str) -> File | None:
        """Give the file that was made, or is being made, of a source."""
        return await first_of(self.store, File, Eq("source_key", source_key))

    def _new(self, name: str, type: FileType) -> File:
        at = self.instance.clock()
        return File(id=self.instance.new_id(), name=file_name(name), type=type, user_id=None, created_at=at)

    async def finish(self, file: File, size: int) -> File:
        """Make an upload ready, whose bytes are all on the disk."""
        at = self.instance.clock()
        try:
            return await modify(
                self.store, File, file.id, lambda row: structs.replace(row, size=size, ready=True, uploaded_at=at)
            )
        except NotFound as error:
            raise Conflict("The file was deleted while it was being uploaded.") from error

    async def abandon(self, file: File) -> None:
        """Remove row and bytes of an upload that was cut off; leave one alone that was finished."""
        await retried(lambda: self._abandon(file))

    async def _abandon(self, file: File) -> None:
        row = await self.store.get(File, file.id)
        if row is not None and row.ready:
            return
        if row is not None:
            await self.store.delete(row)
        await self._remove_bytes(file)

    async def update(
        self, viewer: Viewer, id: str, changes: FileChanges, *, expected_version: int | None = None
    ) -> File:
        """Give a file another name or end. Who has uploaded it can, while they may upload, and who may remove files."""
        file = await self.get(viewer, id)
        _require_upkeep(viewer, file)
        values = to_values(changes)
        if "name" in values:
            values["name"] = file_name(values["name"])
        self._check_expiry(values.get("expires_at"))

        def changed(row: File) -> File:
            check_version(row, expected_version, self.noun)
            return with_values(row, values)

        return await modify(self.store, File, id, changed)

    def _check_expiry(self, at: Timestamp | None) -> None:
        if at is not None and at <= self.instance.clock():
            raise BadUserInput("The file would have expired already; choose a moment to come.", path=["expires_at"])

    async def delete(self, viewer: Viewer, id: str) -> File:
        """Remove row and bytes; Conflict while a sample or a reference is made from the file."""
        file = await self.get(viewer, id)
        viewer.require(Permission.REMOVE_FILE)
        if file.reserved_by is not None:
            raise Conflict(await self._in_use(viewer, file.reserved_by))
        await self.store.delete(file)
        await self._remove_bytes(file)
        return file

    async def _in_use(self, viewer: Viewer, user_id: str) -> str:
        sample = await self.store.get(Sample, user_id, readable_samples(viewer))
        reference = await self.store.get(Reference, user_id, readable_references(viewer))
        if reference is not None:
            user = f"the reference “{reference.name}”"
        else:
            user = f"the sample “{sample.name}”" if sample else await self._unnamed(user_id)
        return f"The file is being used by {user} and cannot be deleted now."

    async def _unnamed(self, user_id: str) -> str:
        return "a sample" if await self.store.get(Reference, user_id) is None else "a reference"

    async def _remove_bytes(self, file: File) -> None:
        await run_in_thread(remove_file, self.instance.places.file(file.id))


def _require_upkeep(viewer: Viewer, file: File) -> None:
    if file.user_id == viewer.user_id and viewer.may(Permission.UPLOAD_FILE):
        return
    if not viewer.may(Permission.REMOVE_FILE):
        raise Forbidden(
            "You need the permission REMOVE_FILE to change a file, or UPLOAD_FILE for one that you have uploaded; "
            "an administrator can give them to one of your groups."
        )


async def reserve(documents: Documents, file_ids: Sequence[str], sample_id: str) -> None:
    """Take one or two uploaded files of reads for a sample."""
    if not 1 <= len(file_ids) <= MOST_FILES:
        raise BadUserInput("A sample is made from one or two files.", path=["file_ids"])
    if len(set(file_ids)) < len(file_ids):
        raise BadUserInput("The two files of a sample must differ.", path=["file_ids"])
    found = await documents.get_many(File, [id for id in file_ids if ID.fullmatch(id)])
    missing = [f"file_{id}" for id in file_ids if id not in found]
    if missing:
        raise BadUserInput(f"File does not exist: {', '.join(missing)}.", path=["file_ids"])
    # In the order of their ids, so that two samples racing for the same files never wait for one another.
    files = [found[id] for id in sorted(file_ids)]
    for file in files:
        _check_free_reads(file)
    try:
        await documents.replace(*(structs.replace(file, reserved_by=sample_id) for file in files))
    except StaleDocument as error:
        raise Conflict("A file was just taken by another sample.", path=["file_ids"]) from error


def _check_free_reads(file: File) -> None:
    if file.type is not FileType.READS:
        raise BadUserInput(f"The file “{file.name}” was not uploaded as reads.", path=["file_ids"])
    _check_ready(file, "file_ids")
    if file.reserved_by is not None:
        raise Conflict(f"The file “{file.name}” is already being used by a sample.", path=["file_ids"])


def _check_ready(file: File, path: str) -> None:
    if not file.ready:
        raise Conflict(f"The file “{file.name}” is still being uploaded.", path=[path])


async def reserve_reference_file(documents: Documents, file_id: str, reference_id: str) -> File:
    """Take an uploaded file for a reference that is made from it; give it."""
    file = await documents.get(File, file_id) if ID.fullmatch(file_id) else None
    if file is None:
        raise NotFound("File not found.", path=["file_id"])
    if file.type is not FileType.REFERENCE:
        raise BadUserInput(f"The file “{file.name}” was not uploaded as a reference.", path=["file_id"])
    _check_ready(file, "file_id")
    taken = Conflict(f"The file “{file.name}” is already being used by a reference.", path=["file_id"])
    if file.reserved_by is not None:
        raise taken
    try:
        return (await documents.replace(structs.replace(file, reserved_by=reference_id)))[0]
    except StaleDocument as error:
        raise taken from error


async def release(documents: Documents, user_id: str) -> None:
    """Let go of the files that a sample or a reference has reserved."""
    reserved = (await documents.find(File, Eq("reserved_by", user_id), page=Page(first=None))).documents
    if reserved:
        await documents.replace(*(structs.replace(file, reserved_by=None) for file in reserved))


def remove_file(path: Path) -> None:
    path.unlink(missing_ok=True)


def mark(path: Path) -> None:
    """Make an empty file, where there is a folder for it."""
    with suppress(FileNotFoundError):
        path.touch()


def remove_folder(path: Path) -> None:
    """Remove a folder and all that is in it; what cannot be removed is told to the operator."""
    try:
        shutil.rmtree(path)
    except FileNotFoundError:
        return
    except OSError as error:
        logger.warning("The folder %s could not be removed: %s", path, error)
