"""Uploaded files at the root of the API. They are uploaded and downloaded over plain HTTP."""

from typing import Annotated

import strawberry

from resolvers.listings import listed
from resolvers.subscriptions import watched
from schema.arguments import Id, described
from schema.changes import FileChange
from schema.context import Info
from schema.files import (
    DeleteFileInput,
    DeleteFilePayload,
    File,
    FileFilter,
    FileOrder,
    UpdateFileInput,
    UpdateFilePayload,
)
from schema.ids import stored_id
from schema.inputs import given
from schema.payloads import mutation


@strawberry.type
class FileQuery:
    """The uploaded files."""

    files = listed(
        lambda db: db.files,
        File,
        FileFilter,
        FileOrder,
        description="The uploaded files, newest first by default. For everybody who is signed in.",
    )

    @strawberry.field(description="One uploaded file. For everybody who is signed in.")
    async def file(self, info: Info, id: Id) -> File | None:
        file: File | None = await info.context.loaders.fetch("file", id)
        return file


@strawberry.type
class FileMutation:
    """Changing and deleting files."""

    @mutation(
        "Give a file another name or another end. Needs the permission `REMOVE_FILE`, or `UPLOAD_FILE` for a file that "
        "you have uploaded."
    )
    async def update_file(
        self, info: Info, input: Annotated[UpdateFileInput, described("The file, and what to change.")]
    ) -> UpdateFilePayload:
        viewer, id = info.context.viewer, stored_id("file", input.id)
        version = given(input.expected_version)
        file = await info.context.db.files.update(viewer, id, input.changes(), expected_version=version)
        return UpdateFilePayload(file=File.from_document(file))

    @mutation("Delete a file that nothing is being made from. Needs the permission `REMOVE_FILE`.")
    async def delete_file(
        self, info: Info, input: Annotated[DeleteFileInput, described("The file.")]
    ) -> DeleteFilePayload:
        file = await info.context.db.files.delete(info.context.viewer, stored_id("file", input.id))
        return DeleteFilePayload(file=File.from_document(file))


@strawberry.type
class FileSubscription:
    """Changes of files."""

    files = watched(
        lambda db: db.files,
        "file",
        FileFilter,
        FileChange,
        description="Changes of uploaded files. For everybody who is signed in.",
    )
