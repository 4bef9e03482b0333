"""Groups at the root of the API."""

import strawberry

from resolvers.listings import listed
from resolvers.subscriptions import watched
from schema.arguments import Id
from schema.changes import GroupChange
from schema.context import Info
from schema.groups import Group, GroupFilter, GroupOrder
from virtool_gql.query import Order


@strawberry.type
class GroupQuery:
    """The groups."""

    groups = listed(
        lambda db: db.groups,
        Group,
        GroupFilter,
        GroupOrder,
        default_order=[Order("name_key")],
        description="The groups, by name by default. For everybody who is signed in.",
    )

    @strawberry.field(description="One group. For everybody who is signed in.")
    async def group(self, info: Info, id: Id) -> Group | None:
        group: Group | None = await info.context.loaders.fetch("group", id)
        return group


@strawberry.type
class GroupSubscription:
    """Changes of groups."""

    groups = watched(
        lambda db: db.groups,
        "group",
        GroupFilter,
        GroupChange,
        description="Changes of groups. For everybody who is signed in.",
    )
