"""Users at the root of the API."""

from typing import Annotated

import strawberry

from resolvers.listings import listed
from resolvers.subscriptions import watched
from schema.arguments import Id, described
from schema.changes import UserChange
from schema.context import Info
from schema.ids import stored_id
from schema.inputs import given
from schema.payloads import mutation
from schema.user_writes import CreateUserInput, CreateUserPayload, UpdateUserInput, UpdateUserPayload
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
class UserMutation:
    """Creating, changing, deactivating and reactivating users."""

    @mutation("Create a user. Needs to be an administrator.")
    async def create_user(
        self, info: Info, input: Annotated[CreateUserInput, described("The user.")]
    ) -> CreateUserPayload:
        viewer, key = info.context.viewer, given(input.idempotency_key)
        viewer.require_administrator()
        user = await info.context.db.users.add(viewer, input.new_user(), idempotency_key=key)
        return CreateUserPayload(user=User.from_document(user))

    @mutation("Change, deactivate or reactivate a user. Needs to be an administrator.")
    async def update_user(
        self, info: Info, input: Annotated[UpdateUserInput, described("The user, and what to change.")]
    ) -> UpdateUserPayload:
        viewer = info.context.viewer
        viewer.require_administrator()
        version = given(input.expected_version)
        id, changes = stored_id("user", input.id), input.changes()
        user = await info.context.db.users.update(viewer, id, changes, expected_version=version)
        return UpdateUserPayload(user=User.from_document(user))


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
