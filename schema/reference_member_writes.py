"""What the mutations of the members of references take and give."""

import strawberry

from schema.inputs import optional, partial
from schema.payloads import Payload
from schema.references import Reference
from virtool_gql.db.reference_members import MemberRights


@strawberry.input
class UserMember:
    """A user and a reference."""

    reference_id: strawberry.ID = strawberry.field(description="The reference.")
    user_id: strawberry.ID = strawberry.field(description="The user, who is a member; also yourself.")


@strawberry.input
class GroupMember:
    """A group and a reference."""

    reference_id: strawberry.ID = strawberry.field(description="The reference.")
    group_id: strawberry.ID = strawberry.field(description="The group, which is a member.")


@strawberry.input
class NewRights:
    """What a new member may do beside reading."""

    build: bool = strawberry.field(default=False, description="Whether they may build indexes.")
    modify: bool = strawberry.field(default=False, description="Whether they may change it, and its members.")
    modify_otu: bool = strawberry.field(default=False, description="Whether they may change its OTUs.")
    remove: bool = strawberry.field(default=False, description="Whether they may delete it.")

    def rights(self) -> MemberRights:
        return MemberRights(build=self.build, modify=self.modify, modify_otu=self.modify_otu, remove=self.remove)


@strawberry.input
class ChangedRights:
    """What to change of the rights of a member."""

    build: bool | None = optional("Whether they may build indexes.")
    modify: bool | None = optional("Whether they may change it, and its members.")
    modify_otu: bool | None = optional("Whether they may change its OTUs.")
    remove: bool | None = optional("Whether they may delete it.")
    expected_version: int | None = optional("Change them only if this is still the version of the reference.")

    def rights(self) -> MemberRights:
        return partial(
            MemberRights, build=self.build, modify=self.modify, modify_otu=self.modify_otu, remove=self.remove
        )


@strawberry.input(description="A user who may read a reference from now on.")
class AddReferenceUserInput(UserMember, NewRights):
    """A user who may read a reference from now on."""

    user_id: strawberry.ID = strawberry.field(description="The user.")


@strawberry.input(description="What to change of the rights of a user. What is left out stays as it is.")
class UpdateReferenceUserInput(UserMember, ChangedRights):
    """What to change of the rights of a user."""


@strawberry.input(description="A user who is a member no more.")
class RemoveReferenceUserInput(UserMember):
    """A user who is a member no more."""


@strawberry.input(description="A group whose members may read a reference from now on.")
class AddReferenceGroupInput(GroupMember, NewRights):
    """A group whose members may read a reference from now on."""

    group_id: strawberry.ID = strawberry.field(description="The group.")


@strawberry.input(description="What to change of the rights of a group. What is left out stays as it is.")
class UpdateReferenceGroupInput(GroupMember, ChangedRights):
    """What to change of the rights of a group."""


@strawberry.input(description="A group that is a member no more.")
class RemoveReferenceGroupInput(GroupMember):
    """A group that is a member no more."""


@strawberry.type(description="What `addReferenceUser` answers with.")
class AddReferenceUserPayload(Payload):
    """What `addReferenceUser` answers with."""

    reference: Reference | None = strawberry.field(default=None, description="The reference as it is now.")


@strawberry.type(description="What `updateReferenceUser` answers with.")
class UpdateReferenceUserPayload(Payload):
    """What `updateReferenceUser` answers with."""

    reference: Reference | None = strawberry.field(default=None, description="The reference as it is now.")


@strawberry.type(description="What `removeReferenceUser` answers with.")
class RemoveReferenceUserPayload(Payload):
    """What `removeReferenceUser` answers with."""

    reference: Reference | None = strawberry.field(default=None, description="The reference as it is now.")


@strawberry.type(description="What `addReferenceGroup` answers with.")
class AddReferenceGroupPayload(Payload):
    """What `addReferenceGroup` answers with."""

    reference: Reference | None = strawberry.field(default=None, description="The reference as it is now.")


@strawberry.type(description="What `updateReferenceGroup` answers with.")
class UpdateReferenceGroupPayload(Payload):
    """What `updateReferenceGroup` answers with."""

    reference: Reference | None = strawberry.field(default=None, description="The reference as it is now.")


@strawberry.type(description="What `removeReferenceGroup` answers with.")
class RemoveReferenceGroupPayload(Payload):
    """What `removeReferenceGroup` answers with."""

    reference: Reference | None = strawberry.field(default=None, description="The reference as it is now.")
