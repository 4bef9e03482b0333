"""The members of a reference, and what they may do with it."""

from typing import Self

import strawberry

from schema.groups import Group
from schema.relations import related
from schema.users import User
from virtool_gql.access import Viewer, has_right
from virtool_gql.models import references as models
from virtool_gql.models.documents import Timestamp
from virtool_gql.models.references import Right


@strawberry.type(description="What somebody may do with a reference beside reading it.")
class ReferenceRights:
    """What somebody may do with a reference beside reading it."""

    build: bool = strawberry.field(description="Build indexes.")
    modify: bool = strawberry.field(description="Change what is known of it, its members, and update it.")
    modify_otu: bool = strawberry.field(description="Change its OTUs, and revert changes of them.")
    remove: bool = strawberry.field(description="Delete it.")

    @classmethod
    def of(cls, viewer: Viewer, reference: models.Reference) -> Self:
        return cls(**{right.value: has_right(viewer, reference, right) for right in Right})


@strawberry.type(description="A user or a group that may read a reference, and what else they may do with it.")
class ReferenceMember:
    """A user or a group that may read a reference."""

    build: bool = strawberry.field(description="Whether they may build indexes.")
    modify: bool = strawberry.field(description="Whether they may change what is known of it, and its members.")
    modify_otu: bool = strawberry.field(description="Whether they may change its OTUs.")
    remove: bool = strawberry.field(description="Whether they may delete it.")
    created_at: Timestamp = strawberry.field(description="When they became a member.")
    user_id: strawberry.Private[str | None] = None
    group_id: strawberry.Private[str | None] = None

    user = related("user", "user_id", User, "The user; null when the member is a group.")
    group = related("group", "group_id", Group, "The group; null when the member is a user.")

    @classmethod
    def of(cls, reference: models.Reference) -> list[Self]:
        """Give the users and then the groups, each in the order in which they became members."""
        users = [cls._from_document(member, user_id=member.id) for member in reference.users]
        return users + [cls._from_document(member, group_id=member.id) for member in reference.groups]

    @classmethod
    def _from_document(cls, member: models.Member, *, user_id: str | None = None, group_id: str | None = None) -> Self:
        return cls(
            build=member.build,
            modify=member.modify,
            modify_otu=member.modify_otu,
            remove=member.remove,
            created_at=member.created_at,
            user_id=user_id,
            group_id=group_id,
        )
