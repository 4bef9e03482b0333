"""What the mutations of groups take and give."""

import strawberry

from schema.groups import Group
from schema.inputs import optional, partial, translated
from schema.payloads import Payload
from virtool_gql.db.groups import GroupChanges
from virtool_gql.models.users import Permission


@strawberry.input(description="A new group.")
class CreateGroupInput:
    """A new group."""

    name: str = strawberry.field(description="The name, unique among groups whatever the case of its letters.")
    permissions: list[Permission] = strawberry.field(
        default_factory=list, description="What its members may do on the whole instance."
    )
    idempotency_key: str | None = optional("A text of your choice; another create with it gives the same group.")


@strawberry.input(description="What to change of a group. What is left out stays as it is.")
class UpdateGroupInput:
    """What to change of a group."""

    id: strawberry.ID = strawberry.field(description="The group.")
    name: str | None = optional("The name, unique among groups whatever the case of its letters.")
    permissions: list[Permission] | None = optional("What its members may do on the whole instance, from now on.")
    expected_version: int | None = optional("Change it only if this is still its version.")

    def changes(self) -> GroupChanges:
        return partial(GroupChanges, name=self.name, permissions=translated(self.permissions, tuple))


@strawberry.input(description="Which group to delete.")
class DeleteGroupInput:
    """Which group to delete."""

    id: strawberry.ID = strawberry.field(description="The group.")


@strawberry.type(description="What `createGroup` answers with.")
class CreateGroupPayload(Payload):
    """What `createGroup` answers with."""

    group: Group | None = strawberry.field(default=None, description="The group.")


@strawberry.type(description="What `updateGroup` answers with.")
class UpdateGroupPayload(Payload):
    """What `updateGroup` answers with."""

    group: Group | None = strawberry.field(default=None, description="The group as it is now.")


@strawberry.type(description="What `deleteGroup` answers with.")
class DeleteGroupPayload(Payload):
    """What `deleteGroup` answers with."""

    group: Group | None = strawberry.field(default=None, description="The group as it was, without its members.")
