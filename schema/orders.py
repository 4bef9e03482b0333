"""How lists are ordered."""

from enum import StrEnum

import strawberry

from schema.enums import described
from virtool_gql.query import Order


class OrderDirection(StrEnum):
    """Which way an ordering goes."""

    ASC = "asc"
    DESC = "desc"


described(
    OrderDirection,
    "Which way an ordering goes.",
    {
        OrderDirection.ASC: "The smallest, earliest or first of the alphabet first.",
        OrderDirection.DESC: "The largest, latest or last of the alphabet first.",
    },
)


@strawberry.input(description="One key of an ordering; ties are broken by id.")
class Ordering:
    """One key of an ordering. The values of each entity's `field` enum are paths of its documents."""

    field: strawberry.Private[StrEnum]
    direction: OrderDirection = strawberry.field(default=OrderDirection.ASC, description="Which way.")

    def order(self) -> Order:
        return Order(self.field.value, descending=self.direction is OrderDirection.DESC)


NEWEST_FIRST = (Order("created_at", descending=True),)
