"""Downloads: the bytes of files and reads, with the rights of the API."""

import os
import re
from pathlib import Path
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from schema.ids import stored_id
from virtool_gql.db.database import Database
from virtool_gql.errors import NotFound
from virtool_gql.executors import run_in_thread
from virtool_gql.web.identity import Identifier
from virtool_gql.web.plain import viewer_of

RANGE = re.compile(rb"\s*bytes\s*=\s*(\d*)\s*-\s*(\d*)\s*", re.IGNORECASE)


class Bytes(FileResponse):
    """A file as an attachment, whole or one range of it."""

    chunk_size = 1024 * 1024

    def __init__(self, path: Path, name: str, stat_result: os.stat_result) -> None:
        kind = "application/gzip" if name.lower().endswith(".gz") else "application/octet-stream"
        headers = {"content-disposition": disposition(name), "cache-control": "private, no-cache"}
        super().__init__(path, headers=headers, media_type=kind, stat_result=stat_result)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = [(name, value) for name, value in scope["headers"] if name != b"range" or is_range(value)]
        await super().__call__({**scope, "headers": headers}, receive, send)


class Downloads:
    """Gives bytes out."""

    def __init__(self, db: Database, identifier: Identifier) -> None:
        self.db = db
        self.identifier = identifier

    def routes(self) -> list[Route]:
        return [
            Route("/downloads/files/{id}", self.file),
            Route("/downloads/samples/{id}/reads_{number:int}.fq.gz", self.reads),
        ]

    async def file(self, request: Request) -> Response:
        viewer = await viewer_of(request, self.identifier)
        file = await self.db.files.get(viewer, stored_id("file", request.path_params["id"]))
        if not file.ready:
            raise NotFound("There is no file of that id.")
        return await sent(self.db.places.file(file.id), file.name)

    async def reads(self, request: Request) -> Response:
        viewer = await viewer_of(request, self.identifier)
        sample = await self.db.samples.get(viewer, stored_id("sample", request.path_params["id"]))
        number = request.path_params["number"]
        if f"reads_{number}.fq.gz" not in (reads.name for reads in sample.reads):
            raise NotFound("There are no reads of that number.")
        return await sent(self.db.places.reads(sample.id, number), f"{sample.name}_{number}.fq.gz")


async def sent(path: Path, name: str) -> Response:
    try:
        return Bytes(path, name, await run_in_thread(path.stat))
    except FileNotFoundError:
        raise NotFound("The bytes of the file are not there any more.") from None


def is_range(value: bytes) -> bool:
    """Tell whether a Range header asks for one range; any other is ignored, as RFC 9110 allows."""
    match = RANGE.fullmatch(value)
    if match is None or not any(match.groups()):
        return False
    first, last = match.groups()
    return not (first and last) or int(first) <= int(last)


def disposition(name: str) -> str:
    """Name the attachment after any text; a browser that knows only ASCII gets underscores (RFC 6266, RFC 5987)."""
    flat = re.sub(r"[/\\\x00-\x1f\x7f]", "_", name)
    plain = re.sub(r'[^\x20-\x7e]|["%]', "_", flat)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(flat, safe='', errors='replace')}"
