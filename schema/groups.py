"""Users who share permissions and samples."""

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Self

import strawberry

from schema.arguments import First
from schema.connections import page_size
from schema.context import Info
from schema.enums import described
from schema.ids import global_id, stored_id
from schema.inputs import containing, given, optional, with_ids
from schema.nodes import Node
from schema.orders import Ordering
from virtool_gql.models import users as models
from virtool_gql.models.documents import Timestamp
from virtool_gql.models.users import Permission
from virtool_gql.query import And, Filter

if TYPE_CHECKING:
    from schema.users import User

described(
    Permission,
    "What a group may allow its members on the whole instance. Administrators have all of them.",
    {
        Permission.CANCEL_JOB: "Read and cancel anybody's jobs.",
        Permission.CREATE_REF: "Create, import and clone references.",
        Permission.CREATE_SAMPLE: "Create samples; create, change and delete labels.",
        Permission.MODIFY_HMM: "Install and purge profile HMMs.",
        Permission.MODIFY_SUBTRACTION: "Create, change and delete subtractions.",
        Permission.REMOVE_FILE: "Change and delete anybody's uploaded files.",
        Permission.REMOVE_JOB: "Read and delete anybody's jobs.",
        Permission.UPLOAD_FILE: "Upload files, and change one's own.",
    },
)


@strawberry.type(description="Users who share permissions and samples. Everybody who is signed in may read it.")
class Group(Node):
    """Users who share permissions and samples."""

    name: str = strawberry.field(description="The name, unique among groups whatever the case of its letters.")
    permissions: list[Permission] = strawberry.field(description="What its members may do on the whole instance.")
    created_at: Timestamp = strawberry.field(description="When the group was created.")
    version: int = strawberry.field(description="Counts its changes, for `expectedVersion`.")

    @strawberry.field(description="The first of its members by handle; `users(filter: {groupId})` gives all in pages.")
    async def members(
        self, info: Info, first: First = strawberry.UNSET
    ) -> list[Annotated["User", strawberry.lazy("schema.users")]] | None:
        limits = info.context.limits
        size = page_size("first", given(first), default=limits.size_when_left_out, largest=limits.page)
        info.context.spend(size)
        first_of = await info.context.loaders.members.load(stored_id("group", self.id))
        return first_of(size)

    @strawberry.field(description="How many members it has.")
    async def member_count(self, info: Info) -> int | None:
        return await info.context.loaders.member_count.load(stored_id("group", self.id))

    @classmethod
    def from_document(cls, group: models.Group) -> Self:
        return cls(
            id=global_id("group", group.id),
            name=group.name,
            permissions=list(group.permissions),
            created_at=group.created_at,
            version=group.version,
        )


@strawberry.input(description="Which groups: those to which all that is given applies.")
class GroupFilter:
    """Which groups."""

    search: str | None = optional("Words that are all in the name.")
    ids: list[strawberry.ID] | None = optional("One of these groups.")

    def where(self) -> Filter:
        return And(containing(self.search, "name"), with_ids("id", "group", self.ids))


class GroupOrderField(StrEnum):
    """By what groups are ordered."""

    NAME = "name_key"
    CREATED_AT = "created_at"


described(
    GroupOrderField,
    "By what groups are ordered.",
    {GroupOrderField.NAME: "The name.", GroupOrderField.CREATED_AT: "When the group was created."},
)


@strawberry.input(description="One key of an ordering of groups; ties are broken by id.")
class GroupOrder(Ordering):
    """One key of an ordering of groups."""

    field: GroupOrderField = strawberry.field(description="By what to order.")
