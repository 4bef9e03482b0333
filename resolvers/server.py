"""The server at the root of the API."""

import strawberry

import virtool_gql
from schema.context import Info
from schema.scalars import Cursor
from schema.server import Server, Settings


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
            version=virtool_gql.__version__,
            setup_required=not await db.users.any_exist(),
            minimum_password_length=(await db.settings.get()).minimum_password_length,
        )

    @strawberry.field(description="What is settled for the whole instance. For everybody who is signed in.")
    async def settings(self, info: Info) -> Settings:
        info.context.refuse_strangers()
        return Settings.from_document(await info.context.db.settings.get())
