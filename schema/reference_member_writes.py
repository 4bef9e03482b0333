"""What the mutations of the members of references take and give."""

import strawberry

from schema.inputs import optional, partial
from schema.payloads import Payload
from schema.references import Reference
from virtool_gql.db.reference_members import MemberRights


@strawberry.input(description="A user who may read a reference from now on.")
class AddReferenceUserInput:
    """A user who may read a reference from now on."""

    reference_id: strawberry.ID = strawberry.field(description="The reference.")
    user_id: strawberry.ID = strawberry.field(description="The user.")
    build: bool = strawberry.field(default=False, description="Whether they may build indexes.")
    modify: bool = strawberry.field(default=False, description="Whether they may change it, and its members.")
    modify_otu: bool = strawberry.field(default=False, description="Whether they may change its OTUs.")
    remove: bool = strawberry.field(default=False, description="Whether they may delete it.")

    def rights(self) -> MemberRights:
        return MemberRights(build=self.build, modify=self.modify, modify_otu=self.modify_otu, remove=self.remove)


@strawberry.input(description="What to change of the rights of a user. What is left out stays as it is.")
class UpdateReferenceUserInput:
    """What to change of the rights of a user."""

    reference_id: strawberry.ID = strawberry.field(description="The reference.")
    user_id: strawberry.ID = strawberry.field(description="The user, who is a member; also yourself.")
    build: bool | None = optional("Whether they may build indexes.")
    modify: bool | None = optional("Whether they may change it, and its members.")
    modify_otu: bool | None = optional("Whether they may change its OTUs.")
    remove: bool | None = optional("Whether they may delete it.")
    expected_version: int | None = optional("Change them only if this is still the version of the reference.")

    def rights(self) -> MemberRights:
        return partial(
            MemberRights, build=self.build, modify=self.modify, modify_otu=self.modify_otu, remove=self.remove
        )


@strawberry.input(description="A user who is a member no more.")
class RemoveReferenceUserInput:
    """A user who is a member no more."""

    reference_id: strawberry.ID = strawberry.field(description="The reference.")
    user_id: strawberry.ID = strawberry.field(description="The user, who is a member; also yourself.")


@strawberry.input(description="A group whose members may read a reference from now on.")
class AddReferenceGroupInput:
    """A group whose members may read a reference from now on."""

    reference_id: strawberry.ID = strawberry.field(description="The reference.")
    group_id: strawberry.ID = strawberry.field(description="The group.")
    build: bool = strawberry.field(default=False, description="Whether they may build indexes.")
    modify: bool = strawberry.field(default=False, description="Whether they may change it, and its members.")
    modify_otu: bool = strawberry.field(default=False, description="Whether they may change its OTUs.")
    remove: bool = strawberry.field(default=False, description="Whether they may delete it.")

    def rights(self) -> MemberRights:
        return MemberRights(build=self.build, modify=self.modify, modify_otu=self.modify_otu, remove=self.remove)


@strawberry.input(description="What to change of the rights of a group. What is left out stays as it is.")
class UpdateReferenceGroupInput:
    """What to change of the rights of a group."""

    reference_id: strawberry.ID = strawberry.field(description="The reference.")
    group_id: strawberry.ID = strawberry.field(description="The group, which is a member.")
    build: bool | None = optional("Whether they may build indexes.")
    modify: bool | None = optional("Whether they may change it, and its members.")
    modify_otu: bool | None = optional("Whether they may change its OTUs.")
    remove: bool | None = optional("Whether they may delete it.")
    expected_version: int | None = optional("Change them only if this is still the version of the reference.")

    def rights(self) -> MemberRights:
        return partial(
            MemberRights, build=self.build, modify=self.modify, modify_otu=self.modify_otu, remove=self.remove
        )


@strawberry.input(description="A group that is a member no more.")
class RemoveReferenceGroupInput:
    """A group that is a member no more."""

    reference_id: strawberry.ID = strawberry.field(description="The reference.")
    group_id: strawberry.ID = strawberry.field(description="The group, which is a member.")


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
