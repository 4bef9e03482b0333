"""Downloads of OTUs, isolates and sequences as FASTA, with the rights of the API."""

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from schema.ids import stored_id
from virtool_gql.db.database import Database
from virtool_gql.db.fasta import Fasta
from virtool_gql.web.downloads import disposition
from virtool_gql.web.identity import Identifier
from virtool_gql.web.plain import viewer_of


class FastaDownloads:
    """Gives FASTA out, in parts as they are read."""

    def __init__(self, db: Database, identifier: Identifier) -> None:
        self.db = db
        self.identifier = identifier

    def routes(self) -> list[Route]:
        return [
            Route("/downloads/otus/{id}.fa", self.otu),
            Route("/downloads/isolates/{id}.fa", self.isolate),
            Route("/downloads/sequences/{id}.fa", self.sequence),
        ]

    async def otu(self, request: Request) -> Response:
        viewer = await viewer_of(request, self.identifier)
        return sent(await self.db.fastas.of_otu(viewer, stored_id("otu", request.path_params["id"])))

    async def isolate(self, request: Request) -> Response:
        viewer = await viewer_of(request, self.identifier)
        return sent(await self.db.fastas.of_isolate(viewer, stored_id("isolate", request.path_params["id"])))

    async def sequence(self, request: Request) -> Response:
        viewer = await viewer_of(request, self.identifier)
        return sent(await self.db.fastas.of_sequence(viewer, stored_id("sequence", request.path_params["id"])))


def sent(fasta: Fasta) -> Response:
    headers = {"content-disposition": disposition(fasta.name), "cache-control": "private, no-cache"}
    return StreamingResponse(fasta.parts, headers=headers, media_type="text/x-fasta")
