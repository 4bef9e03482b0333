"""People who can sign in, as others see them."""

from enum import StrEnum
from typing import Self

import strawberry

from schema.context import Info
from schema.enums import described
from schema.groups import Group
from schema.ids import global_id
from schema.inputs import containing, equal, having_one, optional, with_ids
from schema.nodes import Node
from schema.orders import Ordering
from schema.relations import related, related_many
from virtool_gql.models import users as models
from virtool_gql.models.documents import Timestamp
from virtool_gql.query import And, Filter


@strawberry.type(description="A person who can sign in. Everybody who is signed in may read it.")
class User(Node):
    """A person who can sign in, as others see them."""

    handle: str = strawberry.field(description="The name to sign in with; `deleted user` for one who is gone.")
    administrator: bool = strawberry.field(description="Whether they may do everything.")
    active: bool = strawberry.field(description="Whether they can sign in.")
    created_at: Timestamp | None = strawberry.field(description="When the user was created; null for one who is gone.")
    version: int = strawberry.field(description="Counts its changes, for `expectedVersion`; 0 for one who is gone.")
    private: strawberry.Private[models.User | None] = None
    group_ids: strawberry.Private[tuple[str, ...]] = ()
    primary_group_id: strawberry.Private[str | None] = None

    groups = related_many("group", "group_ids", Group, None, "The groups whose permissions they have.")
    primary_group = related(
        "group", "primary_group_id", Group, "The group that their samples belong to where the settings say so."
    )

    @strawberry.field(
        description="The e-mail address; empty when there is none. Null but for yourself and administrators."
    )
    def email(self, info: Info) -> str | None:
        user = self._told(info)
        return user.email if user else None

    @strawberry.field(description="Whether they must choose a new password. Null but for yourself and administrators.")
    def force_reset(self, info: Info) -> bool | None:
        user = self._told(info)
        return user.force_reset if user else None

    @strawberry.field(description="When they last got a new password. Null but for yourself and administrators.")
    def last_password_change(self, info: Info) -> Timestamp | None:
        user = self._told(info)
        return user.last_password_change if user else None

    def _told(self, info: Info) -> models.User | None:
        """Give what only they themselves and administrators may read, to those; to others None."""
        viewer, user = info.context.caller.viewer, self.private
        may_read = viewer is not None and user is not None and (viewer.administrator or viewer.user_id == user.id)
        return user if may_read else None

    @classmethod
    def from_document(cls, user: models.User) -> Self:
        return cls(
            id=global_id("user", user.id),
            handle=user.handle,
            administrator=user.administrator,
            active=user.active,
            created_at=user.created_at,
            version=user.version,
            private=user,
            group_ids=user.group_ids,
            primary_group_id=user.primary_group_id,
        )

    @classmethod
    def gone(cls, id: str) -> Self:
        """Make the user that stands for one who is no longer there."""
        return cls(
            id=global_id("user", id),
            handle="deleted user",
            administrator=False,
            active=False,
            created_at=None,
            version=0,
        )


@strawberry.input(description="Which users: those to whom all that is given applies.")
class UserFilter:
    """Which users."""

    search: str | None = optional("Words that are each in the handle or, for administrators, in the e-mail address.")
    ids: list[strawberry.ID] | None = optional("One of these users.")
    administrator: bool | None = optional("Administrators, or all the others.")
    active: bool | None = optional("Those who can sign in, or those who cannot.")
    group_id: strawberry.ID | None = optional("Members of this group.")
    force_reset: bool | None = optional(
        "Those who must choose a new password, or all the others. Needs to be an administrator."
    )

    def where(self) -> Filter:
        return And(
            containing(self.search, "handle", "email"),
            with_ids("id", "user", self.ids),
            equal("administrator", self.administrator),
            equal("active", self.active),
            having_one("group_ids", "group", self.group_id),
            equal("force_reset", self.force_reset),
        )


class UserOrderField(StrEnum):
    """By what users are ordered."""

    HANDLE = "handle_key"
    CREATED_AT = "created_at"


described(
    UserOrderField,
    "By what users are ordered.",
    {
        UserOrderField.HANDLE: "The handle, whatever the case of its letters.",
        UserOrderField.CREATED_AT: "When the user was created.",
    },
)


@strawberry.input(description="One key of an ordering of users; ties are broken by id.")
class UserOrder(Ordering):
    """One key of an ordering of users."""

    field: UserOrderField = strawberry.field(description="By what to order.")
