"""References and indexes as gzipped JSON, written while it is sent."""

from collections.abc import AsyncGenerator
from enum import StrEnum
from typing import TypeVar

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from schema.ids import stored_id
from virtool_gql.access import Viewer
from virtool_gql.db.database import Database
from virtool_gql.db.reference_exports import Export, Scope
from virtool_gql.db.reference_writing import IdKind
from virtool_gql.errors import BadUserInput
from virtool_gql.web.identity import Identifier
from virtool_gql.web.plain import viewer_of
from virtool_gql.web.streams import Pieces, Streams

E = TypeVar("E", bound=StrEnum)


class Exports:
    """Gives references out."""

    def __init__(self, db: Database, identifier: Identifier, streams: Streams) -> None:
        self.db = db
        self.identifier = identifier
        self.streams = streams

    def routes(self) -> list[Route]:
        return [
            Route("/downloads/references/{id}/reference.json.gz", self.reference),
            Route("/downloads/indexes/{id}/reference.json.gz", self.index),
        ]

    async def reference(self, request: Request) -> Response:
        viewer = await viewer_of(request, self.identifier)
        scope, ids = chosen(request, "scope", Scope.ALL), chosen(request, "ids", IdKind.REMOTE)
        id = stored_id("reference", request.path_params["id"])
        return self._sent(request, viewer, await self.db.reference_exports.of_reference(viewer, id, scope, ids))

    async def index(self, request: Request) -> Response:
        viewer = await viewer_of(request, self.identifier)
        ids = chosen(request, "ids", IdKind.REMOTE)
        id = stored_id("index", request.path_params["id"])
        return self._sent(request, viewer, await self.db.reference_exports.of_index(viewer, id, ids))

    def _sent(self, request: Request, viewer: Viewer, export: Export) -> Response:
        ended = self.streams.enter(viewer)
        chunks = _nothing() if request.method == "HEAD" else export.chunks()
        return Pieces(chunks, export.name, ended=ended)


async def _nothing() -> AsyncGenerator[bytes, None]:
    yield b""


def chosen(request: Request, name: str, default: E) -> E:
    """Give the value of a parameter of the address; raise BadUserInput for one that there is not."""
    kind = type(default)
    text = request.query_params.get(name, default)
    if text not in set(kind):
        raise BadUserInput(f"The parameter “{name}” can be {', '.join(kind)}; it cannot be “{text[:40]}”.", path=[name])
    return kind(text)
