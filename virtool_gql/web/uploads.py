"""Uploads: the body of a request, streamed to the disk at constant memory."""

import asyncio
import errno
import logging
import os
import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import aiofiles
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from schema.ids import global_id
from virtool_gql.access import Viewer
from virtool_gql.actors import acting
from virtool_gql.db.database import Database
from virtool_gql.errors import BadUserInput, ErrorCode, Unauthenticated, VirtoolError
from virtool_gql.executors import run_in_thread
from virtool_gql.models.documents import Timestamp, timestamp
from virtool_gql.models.files import File, FileType
from virtool_gql.models.users import Permission
from virtool_gql.web.errors import RequestError, refuse
from virtool_gql.web.identity import PREFLIGHT, Identifier, SessionToken, credential_of
from virtool_gql.web.operations import encode
from virtool_gql.web.plain import signed_in_of
from virtool_gql.web.requests import headers_of

log = logging.getLogger(__name__)

WRITE_BYTES = 2 * 1024 * 1024
REQUIRED = {"name", "type"}
EXPIRES_AT = "expires_at"
SIMPLE_TYPES = {"", "text/plain", "multipart/form-data", "application/x-www-form-urlencoded"}
FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


class Uploads:
    """Takes uploads in."""

    def __init__(self, db: Database, identifier: Identifier) -> None:
        self.db = db
        self.identifier = identifier

    def routes(self) -> list[Route]:
        return [Route("/uploads", self.upload, methods=["POST"])]

    async def upload(self, request: Request) -> Response:
        """Take one file in; rights, parameters and room are looked at before the first byte is read."""
        check_upload_form(request)
        caller, viewer = await signed_in_of(request, self.identifier)
        upload = parameters_of(request)
        await self._check_room(expected_length(request))
        try:
            with acting(caller.actor("POST /uploads")):
                file = await self._take(request, viewer, upload)
        except ClientDisconnect:
            return Response(status_code=400)
        except OSError as error:
            raise _disk_error(error) from error
        return Response(encode(shown(file)), 201, media_type="application/json")

    async def _take(self, request: Request, viewer: Viewer, upload: "Parameters") -> File:
        file = await self.db.files.begin(viewer, upload.name, upload.type, upload.expires_at)
        try:
            size = await write_all(request.stream(), self.db.places.file(file.id))
            check_length(size, expected_length(request))
            await self._check_still(viewer)
            return await self.db.files.finish(file, size)
        except BaseException:
            await asyncio.shield(self._abandon(file))
            raise

    async def _check_still(self, viewer: Viewer) -> None:
        """See that its user may still upload. Their session may have ended: there was nothing that kept it up."""
        user = await self.db.users.viewer(viewer.user_id)
        if user is None:
            raise Unauthenticated("You can sign in no more; nothing of the upload was kept.")
        user.require(Permission.UPLOAD_FILE)

    async def _abandon(self, file: File) -> None:
        try:
            await self.db.files.abandon(file)
        except VirtoolError as error:
            log.warning("What came of the upload %s is left to the sweep: %s", file.id, error.message)

    async def _check_room(self, length: int | None) -> None:
        usage = await run_in_thread(shutil.disk_usage, self.db.places.files)
        if length is not None and length > usage.free:
            raise _no_room()


async def write_all(chunks: AsyncIterator[bytes], path: Path) -> int:
    """Write the chunks to a new file, in large steps, and onto the disk; give the number of bytes."""
    size = 0
    async with aiofiles.open(path, "xb") as out:
        async for block in blocks_of(chunks):
            await out.write(block)
            size += len(block)
        await out.flush()
        await run_in_thread(os.fsync, out.fileno())
    await run_in_thread(sync_folder, path.parent)
    return size


async def blocks_of(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Gather small chunks, so that few hops to a thread are made."""
    waiting: list[bytes] = []
    length = 0
    async for chunk in chunks:
        waiting.append(chunk)
        length += len(chunk)
        if length >= WRITE_BYTES:
            yield b"".join(waiting)
            waiting, length = [], 0
    yield b"".join(waiting)


def sync_folder(folder: Path) -> None:
    """Put a folder's new entries onto the disk."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def check_upload_form(request: Request) -> None:
    """Refuse a form, and what another site's page could have made a browser send with its cookie."""
    headers = headers_of(request.scope)
    media = headers.get("content-type", "").partition(";")[0].strip().lower()
    if media == "multipart/form-data":
        raise refuse(ErrorCode.BAD_USER_INPUT, "Send the bytes of the file as the body, not as a form.", status=415)
    with_cookie = isinstance(credential_of(headers), SessionToken)
    if with_cookie and media in SIMPLE_TYPES and PREFLIGHT not in headers:
        message = f"An upload with a session cookie needs the header {PREFLIGHT} or the type application/octet-stream."
        raise refuse(ErrorCode.FORBIDDEN, message)


@dataclass(frozen=True, slots=True)
class Parameters:
    """What the address of an upload says of it."""

    name: str
    type: FileType
    expires_at: Timestamp | None


def parameters_of(request: Request) -> Parameters:
    given = request.query_params
    unknown = set(given) - REQUIRED - {EXPIRES_AT}
    if unknown:
        raise BadUserInput(f"Unknown parameter: {', '.join(sorted(unknown))}. There are name, type and {EXPIRES_AT}.")
    missing = REQUIRED - set(given)
    if missing:
        raise BadUserInput(f"Missing parameter: {', '.join(sorted(missing))}.")
    try:
        type = FileType(given["type"].lower())
    except ValueError:
        types = ", ".join(type.upper() for type in FileType)
        raise BadUserInput(f"The type must be one of {types}.", path=["type"]) from None
    return Parameters(given["name"], type, moment(given[EXPIRES_AT]) if EXPIRES_AT in given else None)


def moment(text: str) -> Timestamp:
    """Read a moment with its offset, whose plus sign may have become a blank on its way here."""
    try:
        at = datetime.fromisoformat(text.strip().replace(" ", "+"))
        if at.tzinfo is not None:
            return timestamp(at)
    except (ValueError, OverflowError):
        pass
    raise BadUserInput(f"{EXPIRES_AT} must be a moment with its offset, like 2026-01-31T12:00:00Z.", path=[EXPIRES_AT])


def expected_length(request: Request) -> int | None:
    length = request.headers.get("content-length", "")
    return int(length) if length.isdecimal() else None


def shown(file: File) -> dict[str, Any]:
    """Give the file as the API shows it."""
    id = global_id("file", file.id)
    return {
        "id": id,
        "name": file.name,
        "type": file.type.name,
        "size": file.size,
        "ready": file.ready,
        "createdAt": file.created_at,
        "uploadedAt": file.uploaded_at,
        "expiresAt": file.expires_at,
        "downloadUrl": f"/downloads/files/{id}",
    }


def check_length(size: int, expected: int | None) -> None:
    if expected is not None and expected != size:
        raise BadUserInput(f"The upload was cut off: {size} of {expected} bytes came.")


def _disk_error(error: OSError) -> Exception:
    return _no_room() if error.errno in FULL else error


def _no_room() -> RequestError:
    message = "The server's disk has no room for the file; nothing of it was kept. Ask an administrator to make room."
    return refuse(ErrorCode.UPSTREAM_UNAVAILABLE, message, status=507)
