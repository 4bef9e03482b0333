"""What people upload."""

from enum import StrEnum
from typing import Self

import strawberry

from schema.enums import described
from schema.ids import global_id
from schema.inputs import before, containing, equal, optional, partial, present, since, with_id, with_ids
from schema.nodes import Node
from schema.orders import Ordering
from schema.payloads import Payload
from schema.relations import related
from schema.scalars import Long
from schema.users import User
from virtool_gql.db.files import FileChanges
from virtool_gql.models import files as models
from virtool_gql.models.documents import Timestamp
from virtool_gql.models.files import FileType
from virtool_gql.query import And, Filter

described(
    FileType,
    "What an uploaded file is for.",
    {
        FileType.READS: "Sequencing reads, as FASTQ or gzipped FASTQ, for samples.",
        FileType.REFERENCE: "An exported reference.",
        FileType.SUBTRACTION: "A genome as FASTA, for subtractions.",
        FileType.HMM: "Profile HMMs with their annotations.",
    },
)


@strawberry.type(description="An uploaded file. Everybody who is signed in may read it; uploading needs `UPLOAD_FILE`.")
class File(Node):
    """An uploaded file."""

    name: str = strawberry.field(description="The name that its uploader gave.")
    type: FileType = strawberry.field(description="What it is for.")
    size: Long | None = strawberry.field(description="How many bytes; null until all have arrived.")
    ready: bool = strawberry.field(description="Whether all bytes have arrived.")
    reserved: bool = strawberry.field(description="Whether something is being made from it.")
    created_at: Timestamp = strawberry.field(description="When the upload began.")
    uploaded_at: Timestamp | None = strawberry.field(description="When the last byte arrived; null until then.")
    expires_at: Timestamp | None = strawberry.field(description="When it is deleted by itself; null when it stays.")
    download_url: str | None = strawberry.field(description="Where its bytes are, on this server; null until ready.")
    version: int = strawberry.field(description="Counts its changes, for `expectedVersion`.")
    user_id: strawberry.Private[str | None] = None

    user = related("user", "user_id", User, "Who uploaded it; null for a file from the watch directory.")

    @classmethod
    def from_document(cls, file: models.File) -> Self:
        id = global_id("file", file.id)
        return cls(
            id=id,
            name=file.name,
            type=file.type,
            size=None if file.size is None else Long(file.size),
            ready=file.ready,
            reserved=file.reserved_by is not None,
            created_at=file.created_at,
            uploaded_at=file.uploaded_at,
            expires_at=file.expires_at,
            download_url=f"/downloads/files/{id}" if file.ready else None,
            version=file.version,
            user_id=file.user_id,
        )


@strawberry.input(description="Which files: those to which all that is given applies.")
class FileFilter:
    """Which files."""

    search: str | None = optional("Words that are all in the name.")
    ids: list[strawberry.ID] | None = optional("One of these files.")
    type: FileType | None = optional("Of this type.")
    ready: bool | None = optional("Files of which all bytes have arrived, or those still on their way.")
    reserved: bool | None = optional("Files from which something is being made, or those that are free.")
    user_id: strawberry.ID | None = optional("Uploaded by this user.")
    created_after: Timestamp | None = optional("Begun at this moment or later.")
    created_before: Timestamp | None = optional("Begun before this moment.")

    def where(self) -> Filter:
        return And(
            containing(self.search, "name"),
            with_ids("id", "file", self.ids),
            equal("type", self.type),
            equal("ready", self.ready),
            present("reserved_by", self.reserved),
            with_id("user_id", "user", self.user_id),
            since("created_at", self.created_after),
            before("created_at", self.created_before),
        )


class FileOrderField(StrEnum):
    """By what files are ordered."""

    NAME = "name"
    SIZE = "size"
    CREATED_AT = "created_at"
    UPLOADED_AT = "uploaded_at"


described(
    FileOrderField,
    "By what files are ordered.",
    {
        FileOrderField.NAME: "The name.",
        FileOrderField.SIZE: "The number of bytes.",
        FileOrderField.CREATED_AT: "When the upload began.",
        FileOrderField.UPLOADED_AT: "When the last byte arrived.",
    },
)


@strawberry.input(description="One key of an ordering of files; ties are broken by id.")
class FileOrder(Ordering):
    """One key of an ordering of files."""

    field: FileOrderField = strawberry.field(description="By what to order.")


@strawberry.input(description="What to change of a file. What is left out stays as it is.")
class UpdateFileInput:
    """What to change of a file."""

    id: strawberry.ID = strawberry.field(description="The file.")
    name: str | None = optional("The name.")
    expires_at: Timestamp | None = optional("When it is to be deleted by itself, in time to come; null to keep it.")
    expected_version: int | None = optional("Change it only if this is still its version.")

    def changes(self) -> FileChanges:
        return partial(FileChanges, name=self.name, expires_at=self.expires_at)


@strawberry.type(description="What `updateFile` answers with.")
class UpdateFilePayload(Payload):
    """What `updateFile` answers with."""

    file: File | None = strawberry.field(default=None, description="The file as it is now.")


@strawberry.input(description="Which file to delete.")
class DeleteFileInput:
    """Which file to delete."""

    id: strawberry.ID = strawberry.field(description="The file.")


@strawberry.type(description="What `deleteFile` answers with.")
class DeleteFilePayload(Payload):
    """What `deleteFile` answers with."""

    file: File | None = strawberry.field(default=None, description="The file as it was.")
