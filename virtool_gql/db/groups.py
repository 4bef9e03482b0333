"""Groups: users who share permissions and samples."""

from collections.abc import Iterable

from virtool_gql.access import readable_groups
from virtool_gql.db.instance import Instance
from virtool_gql.db.listing import Listing
from virtool_gql.db.names import comparable, single_line
from virtool_gql.errors import BadUserInput, Conflict, DuplicateValue
from virtool_gql.models.users import Group, Permission
from virtool_gql.stores.documents import Documents


class Groups(Listing[Group]):
    """The groups, which everybody may read."""

    noun = "group"

    def __init__(self, instance: Instance) -> None:
        super().__init__(instance, Group, readable_groups)

    async def create(self, name: str, permissions: Iterable[Permission] = ()) -> Group:
        """Make a group, whose name differs from all others by more than the case of its letters."""
        name = single_line(name, "name", may_be_empty=False)
        group = Group(
            id=self.instance.new_id(),
            name=name,
            name_key=comparable(name),
            permissions=tuple(sorted(set(permissions))),
            created_at=self.instance.clock(),
        )
        try:
            return (await self.store.insert(group))[0]
        except DuplicateValue as error:
            raise Conflict("Group already exists.", path=["name"]) from error


async def check_groups(store: Documents, group_ids: Iterable[str]) -> None:
    """Raise BadUserInput, naming the groups that do not exist."""
    wanted = set(group_ids)
    missing = wanted - set(await store.get_many(Group, wanted))
    if missing:
        raise BadUserInput(f"Groups do not exist: {', '.join(sorted(missing))}.", path=["group_ids"])
