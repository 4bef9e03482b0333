"""Groups at the root of the API."""

from typing import Annotated

import strawberry

from resolvers.listings import listed
from resolvers.subscriptions import watched
from schema.arguments import Id, described
from schema.changes import GroupChange
from schema.context import Info
from schema.group_writes import (
    CreateGroupInput,
    CreateGroupPayload,
    DeleteGroupInput,
    DeleteGroupPayload,
    UpdateGroupInput,
    UpdateGroupPayload,
)
from schema.groups import Group, GroupFilter, GroupOrder
from schema.ids import stored_id
from schema.inputs import given
from schema.payloads import mutation
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
class GroupMutation:
    """Creating, changing and deleting groups."""

    @mutation("Create a group. Needs to be an administrator.")
    async def create_group(
        self, info: Info, input: Annotated[CreateGroupInput, described("The group.")]
    ) -> CreateGroupPayload:
        viewer, key = info.context.viewer, given(input.idempotency_key)
        group = await info.context.db.groups.create(viewer, input.name, input.permissions, idempotency_key=key)
        return CreateGroupPayload(group=Group.from_document(group))

    @mutation("Change the name or the permissions of a group. Needs to be an administrator.")
    async def update_group(
        self, info: Info, input: Annotated[UpdateGroupInput, described("The group, and what to change.")]
    ) -> UpdateGroupPayload:
        viewer = info.context.viewer
        viewer.require_administrator()
        version = given(input.expected_version)
        id, changes = stored_id("group", input.id), input.changes()
        group = await info.context.db.groups.update(viewer, id, changes, expected_version=version)
        return UpdateGroupPayload(group=Group.from_document(group))

    @mutation("Delete a group; its members and samples are then without it. Needs to be an administrator.")
    async def delete_group(
        self, info: Info, input: Annotated[DeleteGroupInput, described("The group.")]
    ) -> DeleteGroupPayload:
        viewer = info.context.viewer
        viewer.require_administrator()
        group = await info.context.db.groups.delete(viewer, stored_id("group", input.id))
        return DeleteGroupPayload(group=Group.from_document(group))


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
