"""References that begin as an uploaded file."""

import msgspec

from virtool_gql.access import Viewer
from virtool_gql.db.files import reserve_reference_file
from virtool_gql.db.instance import Instance
from virtool_gql.db.references import NewReference, References
from virtool_gql.errors import NotFound
from virtool_gql.files import ID
from virtool_gql.models.files import File
from virtool_gql.models.references import ImportedFrom, Reference
from virtool_gql.models.tasks import ImportReference, Task, TaskType
from virtool_gql.models.users import Permission
from virtool_gql.stores.documents import Documents

UNNAMED = "Unnamed Import"


class NewImport(msgspec.Struct, frozen=True, kw_only=True):
    """What an import is made from. An organism that is empty is that of the file."""

    file_id: str
    name: str | None = None
    description: str = ""
    organism: str = ""


class ReferenceImports:
    """Makes references from files of the type REFERENCE, which everybody may read."""

    def __init__(self, instance: Instance, references: References) -> None:
        self._store = instance.store
        self._references = references

    async def create(
        self, viewer: Viewer, new: NewImport, *, idempotency_key: str | None = None
    ) -> tuple[Reference, Task]:
        """Make a reference, and the task that fills it; the file is reserved until that has ended."""
        viewer.require(Permission.CREATE_REF)
        earlier = await self._references.made_with(viewer, idempotency_key)
        if earlier is not None:
            return earlier
        file = await self._file(new.file_id)

        async def reserve(documents: Documents, reference: Reference) -> None:
            await reserve_reference_file(documents, file.id, reference.id)

        return await self._references.make(
            viewer,
            _draft(new, file),
            TaskType.IMPORT_REFERENCE,
            lambda made_id: ImportReference(reference_id=made_id, file_id=file.id),
            idempotency_key=idempotency_key,
            also=reserve,
        )

    async def _file(self, id: str) -> File:
        file = await self._store.get(File, id) if ID.fullmatch(id) else None
        if file is None:
            raise NotFound("File not found.", path=["file_id"])
        return file


def _draft(new: NewImport, file: File) -> NewReference:
    return NewReference(
        name=UNNAMED if new.name is None else new.name,
        description=new.description,
        organism=new.organism,
        imported_from=ImportedFrom(
            file_id=file.id,
            file_name=file.name,
            size=file.size or 0,
            uploaded_at=file.uploaded_at,
            user_id=file.user_id,
        ),
    )
