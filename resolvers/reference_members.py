"""The members of references at the root of the API."""

from typing import Annotated

import strawberry

from schema.arguments import described
from schema.context import Info
from schema.ids import stored_id
from schema.inputs import given
from schema.payloads import mutation
from schema.reference_member_writes import (
    AddReferenceGroupInput,
    AddReferenceGroupPayload,
    AddReferenceUserInput,
    AddReferenceUserPayload,
    GroupMember,
    RemoveReferenceGroupInput,
    RemoveReferenceGroupPayload,
    RemoveReferenceUserInput,
    RemoveReferenceUserPayload,
    UpdateReferenceGroupInput,
    UpdateReferenceGroupPayload,
    UpdateReferenceUserInput,
    UpdateReferenceUserPayload,
    UserMember,
)
from schema.references import Reference


@strawberry.type
class ReferenceMemberMutation:
    """Adding, changing and removing members of references."""

    @mutation("Let a user read a reference, and do with it what the rights say. Needs the right `modify` on it.")
    async def add_reference_user(
        self, info: Info, input: Annotated[AddReferenceUserInput, described("The reference, the user, and the rights.")]
    ) -> AddReferenceUserPayload:
        users, ids = info.context.db.reference_users, _user_ids(input)
        reference = await users.add(info.context.viewer, *ids, input.rights())
        return AddReferenceUserPayload(reference=Reference.from_document(reference))

    @mutation("Change what a user may do with a reference. Needs the right `modify` on it.")
    async def update_reference_user(
        self, info: Info, input: Annotated[UpdateReferenceUserInput, described("The member, and what to change.")]
    ) -> UpdateReferenceUserPayload:
        users, ids, version = info.context.db.reference_users, _user_ids(input), given(input.expected_version)
        reference = await users.update(info.context.viewer, *ids, input.rights(), expected_version=version)
        return UpdateReferenceUserPayload(reference=Reference.from_document(reference))

    @mutation(
        "Let a user be a member of a reference no more, also of one that is archived or not ready; its creator "
        "still reads it. Needs the right `modify` on it."
    )
    async def remove_reference_user(
        self, info: Info, input: Annotated[RemoveReferenceUserInput, described("The reference and the user.")]
    ) -> RemoveReferenceUserPayload:
        users, ids = info.context.db.reference_users, _user_ids(input)
        reference = await users.remove(info.context.viewer, *ids)
        return RemoveReferenceUserPayload(reference=Reference.from_document(reference))

    @mutation("Let a group read a reference, and do with it what the rights say. Needs the right `modify` on it.")
    async def add_reference_group(
        self,
        info: Info,
        input: Annotated[AddReferenceGroupInput, described("The reference, the group, and the rights.")],
    ) -> AddReferenceGroupPayload:
        groups, ids = info.context.db.reference_groups, _group_ids(input)
        reference = await groups.add(info.context.viewer, *ids, input.rights())
        return AddReferenceGroupPayload(reference=Reference.from_document(reference))

    @mutation("Change what the members of a group may do with a reference. Needs the right `modify` on it.")
    async def update_reference_group(
        self, info: Info, input: Annotated[UpdateReferenceGroupInput, described("The member, and what to change.")]
    ) -> UpdateReferenceGroupPayload:
        groups, ids, version = info.context.db.reference_groups, _group_ids(input), given(input.expected_version)
        reference = await groups.update(info.context.viewer, *ids, input.rights(), expected_version=version)
        return UpdateReferenceGroupPayload(reference=Reference.from_document(reference))

    @mutation(
        "Let a group be a member of a reference no more, also of one that is archived or not ready. "
        "Needs the right `modify` on it."
    )
    async def remove_reference_group(
        self, info: Info, input: Annotated[RemoveReferenceGroupInput, described("The reference and the group.")]
    ) -> RemoveReferenceGroupPayload:
        groups, ids = info.context.db.reference_groups, _group_ids(input)
        reference = await groups.remove(info.context.viewer, *ids)
        return RemoveReferenceGroupPayload(reference=Reference.from_document(reference))


def _user_ids(input: UserMember) -> tuple[str, str]:
    return stored_id("reference", input.reference_id, "reference_id"), stored_id("user", input.user_id, "user_id")


def _group_ids(input: GroupMember) -> tuple[str, str]:
    return stored_id("reference", input.reference_id, "reference_id"), stored_id("group", input.group_id, "group_id")
