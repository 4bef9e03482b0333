"""Anything by its id."""

import asyncio

import strawberry

from schema.arguments import Id, Ids
from schema.context import Info
from schema.nodes import Node
from virtool_gql.errors import BadUserInput


@strawberry.type
class NodeQuery:
    """Anything by its id."""

    @strawberry.field(description="Anything by its id. Needs the right to read it.")
    async def node(self, info: Info, id: Id) -> Node | None:
        return await info.context.loaders.node(id)

    @strawberry.field(description="Several things by their ids; null for each that you may not read.")
    async def nodes(self, info: Info, ids: Ids) -> list[Node | None]:
        info.context.refuse_strangers()
        most = info.context.limits.page
        if len(ids) > most:
            raise BadUserInput(f"At most {most} ids can be given.", path=["ids"])
        return await asyncio.gather(*map(info.context.loaders.node, ids))
