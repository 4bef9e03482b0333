"""What the mutations of users take and give."""

from collections.abc import Iterable

import strawberry

from schema.ids import stored_id
from schema.inputs import bounded, given, optional, partial, translated
from schema.payloads import Payload
from schema.users import User
from virtool_gql.db.users import NewUser, UserChanges


def _group_ids(ids: Iterable[str]) -> tuple[str, ...]:
    return tuple(stored_id("group", id, "groupIds") for id in ids)


def _primary_group_id(id: str) -> str:
    return stored_id("group", id, "primaryGroupId")


@strawberry.input(description="A new user.")
class CreateUserInput:
    """A new user."""

    handle: str = strawberry.field(description="The name to sign in with, unique whatever the case of its letters.")
    password: str = strawberry.field(description="At least `Server.minimumPasswordLength` characters.")
    force_reset: bool = strawberry.field(
        default=True, description="Whether they must choose a new password when they sign in."
    )
    email: str | None = optional("The e-mail address.")
    group_ids: list[strawberry.ID] | None = optional("The groups whose permissions they have.")
    primary_group_id: strawberry.ID | None = optional(
        "The one of these groups that their samples belong to where the settings say so."
    )
    administrator: bool = strawberry.field(default=False, description="Whether they may do everything.")
    idempotency_key: str | None = optional("A text of your choice; another create with it gives the same user.")

    def new_user(self) -> NewUser:
        primary_group_id = given(self.primary_group_id)
        return NewUser(
            handle=self.handle,
            password=self.password,
            force_reset=self.force_reset,
            email=given(self.email) or "",
            group_ids=_group_ids(bounded(self.group_ids, "group_ids") or ()),
            primary_group_id=None if primary_group_id is None else _primary_group_id(primary_group_id),
            administrator=self.administrator,
        )


@strawberry.input(description="What to change of a user. What is left out stays as it is.")
class UpdateUserInput:
    """What to change of a user."""

    id: strawberry.ID = strawberry.field(description="The user.")
    handle: str | None = optional("The name to sign in with, unique whatever the case of its letters.")
    email: str | None = optional("The e-mail address; empty for none.")
    group_ids: list[strawberry.ID] | None = optional("The groups whose permissions they have.")
    primary_group_id: strawberry.ID | None = optional(
        "The one of their groups that their samples belong to where the settings say so; null for none."
    )
    password: str | None = optional("At least `Server.minimumPasswordLength` characters. Ends their sessions and keys.")
    force_reset: bool | None = optional(
        "Whether they must choose a new password when they sign in, which ends their sessions and keys."
    )
    administrator: bool | None = optional(
        "Whether they may do everything. Ends their sessions and keys. Not for yourself."
    )
    active: bool | None = optional(
        "Whether they can sign in. Without it their sessions and keys end for good. Not for yourself."
    )
    expected_version: int | None = optional("Change it only if this is still its version.")

    def changes(self) -> UserChanges:
        bounded(self.group_ids, "group_ids")
        return partial(
            UserChanges,
            handle=self.handle,
            email=self.email,
            group_ids=translated(self.group_ids, _group_ids),
            primary_group_id=translated(self.primary_group_id, _primary_group_id),
            password=self.password,
            force_reset=self.force_reset,
            administrator=self.administrator,
            active=self.active,
        )


@strawberry.type(description="What `createUser` answers with.")
class CreateUserPayload(Payload):
    """What `createUser` answers with."""

    user: User | None = strawberry.field(default=None, description="The user.")


@strawberry.type(description="What `updateUser` answers with.")
class UpdateUserPayload(Payload):
    """What `updateUser` answers with."""

    user: User | None = strawberry.field(default=None, description="The user as it is now.")
