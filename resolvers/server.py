"""The server at the root of the API."""

import strawberry

from schema.context import Info
from schema.scalars import Cursor
from schema.server import Server
from virtool_gql.version import running


@strawberry.type
class ServerQuery:
    """The server."""

    @strawberry.field(
        description="The place of the newest change, taken before anything else of the request is read: "
        "subscribe `after` it and you miss nothing that this answer does not show. For everybody who is signed in."
    )
    async def cursor(self, info: Info) -> Cursor:
        info.context.refuse_strangers()
        return Cursor(info.context.cursor or await info.context.db.hub.cursor())

    @strawberry.field(description="The server. For anybody.")
    async def server(self, info: Info) -> Server:
        db = info.context.db
        return Server(
            version=running(),
            setup_required=not await db.users.any_exist(),
            minimum_password_length=(await db.settings.get()).minimum_password_length,
        )
