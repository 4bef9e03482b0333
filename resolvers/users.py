"""Users at the root of the API."""

import strawberry

from resolvers.listings import listed
from resolvers.subscriptions import watched
from schema.arguments import Id
from schema.changes import UserChange
from schema.context import Info
from schema.users import User, UserFilter, UserOrder
from virtool_gql.query import Order


@strawberry.type
class UserQuery:
    """The users."""

    users = listed(
        lambda db: db.users,
        User,
        UserFilter,
        UserOrder,
        default_order=[Order("handle_key")],
        description="The users, by handle by default. For everybody who is signed in.",
    )

    @strawberry.field(description="One user. For everybody who is signed in.")
    async def user(self, info: Info, id: Id) -> User | None:
        user: User | None = await info.context.loaders.fetch("user", id)
        return user


@strawberry.type
class UserSubscription:
    """Changes of users."""

    users = watched(
        lambda db: db.users,
        "user",
        UserFilter,
        UserChange,
        description="Changes of users. For everybody who is signed in.",
    )
