"""Downloads of OTUs, isolates and sequences as FASTA, with the rights of the API."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from schema.ids import stored_id
from virtool_gql.access import Viewer
from virtool_gql.db.database import Database
from virtool_gql.db.fasta import Fasta
from virtool_gql.web.identity import Identifier
from virtool_gql.web.plain import viewer_of
from virtool_gql.web.streams import Pieces, Streams


class FastaDownloads:
    """Gives FASTA out, in parts as they are read."""

    def __init__(self, db: Database, identifier: Identifier, streams: Streams) -> None:
        self.db = db
        self.identifier = identifier
        self.streams = streams

    def routes(self) -> list[Route]:
        return [
            Route("/downloads/otus/{id}.fa", self.otu),
            Route("/downloads/isolates/{id}.fa", self.isolate),
            Route("/downloads/sequences/{id}.fa", self.sequence),
        ]

    async def otu(self, request: Request) -> Response:
        viewer = await viewer_of(request, self.identifier)
        return self._sent(viewer, await self.db.fastas.of_otu(viewer, stored_id("otu", request.path_params["id"])))

    async def isolate(self, request: Request) -> Response:
        viewer = await viewer_of(request, self.identifier)
        return self._sent(
            viewer, await self.db.fastas.of_isolate(viewer, stored_id("isolate", request.path_params["id"]))
        )

    async def sequence(self, request: Request) -> Response:
        viewer = await viewer_of(request, self.identifier)
        return self._sent(
            viewer, await self.db.fastas.of_sequence(viewer, stored_id("sequence", request.path_params["id"]))
        )

    def _sent(self, viewer: Viewer, fasta: Fasta) -> Response:
        return Pieces(fasta.parts, fasta.name, media_type="text/x-fasta", ended=self.streams.enter(viewer))
