"""Subtractions at the root of the API."""

import strawberry

from resolvers.listings import listed
from resolvers.subscriptions import watched
from schema.arguments import Id
from schema.changes import SubtractionChange
from schema.context import Info
from schema.subtractions import Subtraction, SubtractionFilter, SubtractionOrder
from virtool_gql.query import Order


@strawberry.type
class SubtractionQuery:
    """The subtractions."""

    subtractions = listed(
        lambda db: db.subtractions,
        Subtraction,
        SubtractionFilter,
        SubtractionOrder,
        default_order=[Order("name")],
        description="The subtractions that were not deleted, by name by default. For everybody who is signed in.",
    )

    @strawberry.field(description="One subtraction, also one that was deleted. For everybody who is signed in.")
    async def subtraction(self, info: Info, id: Id) -> Subtraction | None:
        subtraction: Subtraction | None = await info.context.loaders.fetch("subtraction", id)
        return subtraction


@strawberry.type
class SubtractionSubscription:
    """Changes of subtractions."""

    subtractions = watched(
        lambda db: db.subtractions,
        "subtraction",
        SubtractionFilter,
        SubtractionChange,
        description="Changes of subtractions. For everybody who is signed in.",
    )
