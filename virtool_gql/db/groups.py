"""Groups: users who share permissions and samples."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from virtool_gql.access import Viewer, readable_groups, readable_users
from virtool_gql.db.creation import created_once, creation_key
from virtool_gql.db.group_traces import MOST_AT_ONCE, count_traces, remove_traces
from virtool_gql.db.instance import Instance
from virtool_gql.db.listing import Listing
from virtool_gql.db.names import name_key, single_line, told_when_taken
from virtool_gql.db.retries import retried
from virtool_gql.db.updates import check_version, with_values
from virtool_gql.errors import BadUserInput
from virtool_gql.files import ID
from virtool_gql.models.users import Group, Permission, User
from virtool_gql.query import And, Has, Or, Order, Page
from virtool_gql.stores.documents import Documents, modify

TAKEN = ("name_key", "name", "Group already exists.")


class GroupChanges(msgspec.Struct, frozen=True, kw_only=True):
    """What is to change of a group; what is not set stays."""

    name: str | UnsetType = UNSET
    permissions: tuple[Permission, ...] | UnsetType = UNSET


class Groups(Listing[Group]):
    """The groups, which everybody may read and administrators change.

    What a group may is looked up whenever a member does something; nothing is copied to anywhere.
    """

    noun = "group"

    def __init__(self, instance: Instance) -> None:
        super().__init__(instance, Group, readable_groups)

    async def create(
        self, viewer: Viewer, name: str, permissions: Iterable[Permission] = (), *, idempotency_key: str | None = None
    ) -> Group:
        """Make a group as an administrator; the same one's same idempotency key gives the same group again."""
        viewer.require_administrator()
        key = creation_key(viewer, idempotency_key)
        return await created_once(self.store, Group, key, lambda: self._create(name, permissions, key))

    async def _create(self, name: str, permissions: Iterable[Permission], key: str | None) -> Group:
        """Make a group, whose name differs from all others by more than the case of its letters."""
        name = _checked(name)
        group = Group(
            id=self.instance.new_id(),
            name=name,
            name_key=name_key(name),
            creation_key=key,
            permissions=_ordered(permissions),
            created_at=self.instance.clock(),
        )
        with told_when_taken(*TAKEN):
            return (await self.store.insert(group))[0]

    async def update(
        self, viewer: Viewer, id: str, changes: GroupChanges, *, expected_version: int | None = None
    ) -> Group:
        """Change a group as an administrator."""
        viewer.require_administrator()
        await self.get(viewer, id)
        values = _values(changes)

        def changed(group: Group) -> Group:
            check_version(group, expected_version, self.noun)
            return with_values(group, values)

        with told_when_taken(*TAKEN):
            return await modify(self.store, Group, id, changed)

    async def delete(self, viewer: Viewer, id: str) -> Group:
        """Remove a group, and every trace of it with it, as an administrator."""
        viewer.require_administrator()
        group = await retried(lambda: self._delete(viewer, id))
        # What was written by those who had still seen the group.
        while await retried(lambda: self._remove_traces(self.store, id)):
            pass
        return group

    async def _delete(self, viewer: Viewer, id: str) -> Group:
        group = await self.get(viewer, id)
        while await count_traces(self.store, id) > MOST_AT_ONCE:  # more than one transaction should hold
            await self._remove_traces(self.store, id)
        async with self.store.transaction() as documents:
            await self._remove_traces(documents, id)
            await documents.delete(group)
        return group

    async def _remove_traces(self, documents: Documents, id: str) -> int:
        return await remove_traces(documents, id, self.instance.clock())

    async def members(self, viewer: Viewer, ids: Iterable[str]) -> dict[str, list[User]]:
        """Give by the group's id its members in the order of their handles, in one statement for all groups."""
        wanted = [id for id in ids if ID.fullmatch(id)]
        of_any = And(readable_users(viewer), Or(*(Has("group_ids", id) for id in wanted)))
        found = await self.store.find(User, of_any, [Order("handle_key")], Page(first=None))
        members: defaultdict[str, list[User]] = defaultdict(list)
        for user in found.documents:
            for id in user.group_ids:
                members[id].append(user)
        return {id: members[id] for id in wanted}

    async def count_members(self, viewer: Viewer, ids: Iterable[str]) -> dict[str, int]:
        """Give by the group's id how many members it has, in one statement for all groups."""
        return await self.store.tally(User, "group_ids", ids, readable_users(viewer))


async def gone_groups(store: Documents, group_ids: Iterable[str]) -> set[str]:
    """Give those of the groups that do not exist."""
    wanted = set(group_ids)
    return wanted - set(await store.get_many(Group, wanted)) if wanted else set()


async def check_groups(store: Documents, group_ids: Iterable[str]) -> None:
    """Raise BadUserInput, naming the groups that do not exist."""
    missing = await gone_groups(store, group_ids)
    if missing:
        named = ", ".join(f"group_{id}" for id in sorted(missing))
        raise BadUserInput(f"Groups do not exist: {named}.", path=["group_ids"])


def _values(changes: GroupChanges) -> dict[str, Any]:
    """Give the changes as they are stored."""
    values: dict[str, Any] = {}
    if changes.name is not UNSET:
        name = _checked(changes.name)
        values |= {"name": name, "name_key": name_key(name)}
    if changes.permissions is not UNSET:
        values["permissions"] = _ordered(changes.permissions)
    return values


def _checked(name: str) -> str:
    return single_line(name, "name", may_be_empty=False)


def _ordered(permissions: Iterable[Permission]) -> tuple[Permission, ...]:
    return tuple(sorted(set(permissions)))
