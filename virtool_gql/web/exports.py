"""References and indexes as gzipped JSON, written while it is sent."""

import asyncio
import logging
from collections.abc import AsyncGenerator
from contextlib import aclosing
from enum import StrEnum
from typing import TypeVar

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route
from starlette.types import Send

from schema.ids import stored_id
from virtool_gql.db.database import Database
from virtool_gql.db.reference_exports import Export, Scope, Vanished
from virtool_gql.db.reference_writing import IdKind
from virtool_gql.errors import BadUserInput
from virtool_gql.web.downloads import disposition
from virtool_gql.web.identity import Identifier
from virtool_gql.web.plain import viewer_of

log = logging.getLogger(__name__)

E = TypeVar("E", bound=StrEnum)

PIECE_BYTES = 64 * 1024
STALL_SECONDS = 60.0
"""How long a client may take for one piece, before it is taken for gone."""


class Exports:
    """Gives references out."""

    def __init__(self, db: Database, identifier: Identifier, *, stall_seconds: float = STALL_SECONDS) -> None:
        self.db = db
        self.identifier = identifier
        self.stall_seconds = stall_seconds

    def routes(self) -> list[Route]:
        return [
            Route("/downloads/references/{id}/reference.json.gz", self.reference),
            Route("/downloads/indexes/{id}/reference.json.gz", self.index),
        ]

    async def reference(self, request: Request) -> Response:
        viewer = await viewer_of(request, self.identifier)
        scope, ids = chosen(request, "scope", Scope.ALL), chosen(request, "ids", IdKind.REMOTE)
        id = stored_id("reference", request.path_params["id"])
        return self._sent(request, await self.db.reference_exports.of_reference(viewer, id, scope, ids))

    async def index(self, request: Request) -> Response:
        viewer = await viewer_of(request, self.identifier)
        ids = chosen(request, "ids", IdKind.REMOTE)
        id = stored_id("index", request.path_params["id"])
        return self._sent(request, await self.db.reference_exports.of_index(viewer, id, ids))

    def _sent(self, request: Request, export: Export) -> Response:
        chunks = _nothing() if request.method == "HEAD" else export.chunks()
        return Pieces(chunks, export.name, self.stall_seconds)


class Pieces(StreamingResponse):
    """Bytes that are made while they are sent; what is cut off shows as cut off."""

    body_iterator: AsyncGenerator[bytes, None]

    def __init__(self, chunks: AsyncGenerator[bytes, None], name: str, stall_seconds: float) -> None:
        headers = {"content-disposition": disposition(name), "cache-control": "private, no-cache"}
        super().__init__(chunks, headers=headers, media_type="application/gzip")
        self._stall_seconds = stall_seconds

    async def stream_response(self, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        try:
            async with aclosing(self.body_iterator) as chunks:
                async for chunk in chunks:
                    for start in range(0, len(chunk), PIECE_BYTES):
                        await self._send(send, chunk[start : start + PIECE_BYTES], more=True)
            await self._send(send, b"", more=False)
        except (Vanished, Stalled) as error:
            log.warning("An export was cut off: %s", error)

    async def _send(self, send: Send, piece: bytes, *, more: bool) -> None:
        try:
            async with asyncio.timeout(self._stall_seconds):
                await send({"type": "http.response.body", "body": piece, "more_body": more})
        except TimeoutError:
            raise Stalled(f"for {self._stall_seconds:g} seconds nobody took more of it.") from None


class Stalled(Exception):
    """The client takes no more."""


async def _nothing() -> AsyncGenerator[bytes, None]:
    yield b""


def chosen(request: Request, name: str, default: E) -> E:
    """Give the value of a parameter of the address; raise BadUserInput for one that there is not."""
    kind = type(default)
    text = request.query_params.get(name, default)
    if text not in set(kind):
        raise BadUserInput(f"The parameter “{name}” can be {', '.join(kind)}; it cannot be “{text[:40]}”.", path=[name])
    return kind(text)
