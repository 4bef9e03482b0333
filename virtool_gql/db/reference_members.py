"""The members of references: users and groups, and what each may do beside reading.

Of a reference that is archived or not ready nobody gets more rights; taking them away is always possible.
"""

from collections.abc import Callable
from typing import Generic, TypeVar

import msgspec
from msgspec import UNSET, UnsetType, structs

from virtool_gql.access import Viewer, readable_references, require_right
from virtool_gql.db.instance import Instance
from virtool_gql.db.reference_parts import changeable_reference, check_changeable, readable_reference
from virtool_gql.db.updates import check_version, to_values
from virtool_gql.errors import BadUserInput, Conflict, NotFound
from virtool_gql.files import ID
from virtool_gql.models.references import Member, Reference, Right
from virtool_gql.models.users import Group, User
from virtool_gql.stores.documents import modify

M = TypeVar("M", User, Group)

Members = tuple[Member, ...]


class MemberRights(msgspec.Struct, frozen=True, kw_only=True):
    """What is to change of a member's rights; what is not set stays, and is not given to a new member."""

    build: bool | UnsetType = UNSET
    modify: bool | UnsetType = UNSET
    modify_otu: bool | UnsetType = UNSET
    remove: bool | UnsetType = UNSET


class ReferenceMembers(Generic[M]):
    """The users, or the groups, that are members of references; whoever has the right MODIFY changes them."""

    def __init__(self, instance: Instance, kind: type[M]) -> None:
        self._instance = instance
        self._store = instance.store
        self._kind: type[M] = kind
        self._field = kind.kept.name
        self._noun = kind.__name__

    async def add(self, viewer: Viewer, reference_id: str, member_id: str, rights: MemberRights) -> Reference:
        """Let a user or a group read a reference, and do with it what the rights say."""
        new = structs.replace(Member(id=member_id, created_at=self._instance.clock()), **to_values(rights))

        def added(members: Members) -> Members:
            if any(member.id == member_id for member in members):
                raise Conflict(f"{self._noun} already exists.", path=[self._path])
            return (*members, new)

        await changeable_reference(self._store, viewer, reference_id, Right.MODIFY, "reference_id")
        await self._check_addable(member_id)
        reference = await self._change(viewer, reference_id, added)
        if await self._is_there(member_id):
            return reference
        # A group that was deleted meanwhile; the deletion cannot have seen the reference.
        await self._take_away(reference_id, member_id)
        raise self._missing()

    async def update(
        self,
        viewer: Viewer,
        reference_id: str,
        member_id: str,
        rights: MemberRights,
        *,
        expected_version: int | None = None,
    ) -> Reference:
        """Change what a member may do."""
        values = to_values(rights)

        def updated(members: Members) -> Members:
            self._check_member(members, member_id)
            return tuple(structs.replace(each, **values) if each.id == member_id else each for each in members)

        return await self._change(viewer, reference_id, updated, expected_version)

    async def remove(self, viewer: Viewer, reference_id: str, member_id: str) -> Reference:
        """Take a member off a reference; who has created it still reads it."""

        def removed(members: Members) -> Members:
            self._check_member(members, member_id)
            return _without(members, member_id)

        return await self._change(viewer, reference_id, removed)

    async def _change(
        self,
        viewer: Viewer,
        reference_id: str,
        change: Callable[[Members], Members],
        expected_version: int | None = None,
    ) -> Reference:
        def changed(reference: Reference) -> Reference:
            require_right(viewer, reference, Right.MODIFY)
            check_version(reference, expected_version, "reference")
            members = change(self._of(reference))
            if _gives_more(self._of(reference), members):
                check_changeable(reference)
            return self._with(reference, members)

        reference = await readable_reference(self._store, viewer, reference_id, "reference_id")
        require_right(viewer, reference, Right.MODIFY)
        return await modify(self._store, Reference, reference_id, changed, readable_references(viewer))

    async def _take_away(self, reference_id: str, member_id: str) -> None:
        await modify(
            self._store,
            Reference,
            reference_id,
            lambda reference: self._with(reference, _without(self._of(reference), member_id)),
        )

    def _of(self, reference: Reference) -> Members:
        members: Members = getattr(reference, self._field)
        return members

    def _with(self, reference: Reference, members: Members) -> Reference:
        if members == self._of(reference):
            return reference
        return structs.replace(reference, **{self._field: members}, updated_at=self._instance.clock())

    async def _check_addable(self, id: str) -> None:
        member = await self._store.get(self._kind, id) if ID.fullmatch(id) else None
        if member is None:
            raise self._missing()
        if isinstance(member, User) and not member.active:
            raise BadUserInput(f"User “{member.handle}” is deactivated.", path=[self._path])

    async def _is_there(self, id: str) -> bool:
        return await self._store.get(self._kind, id) is not None

    def _check_member(self, members: Members, id: str) -> None:
        if not any(member.id == id for member in members):
            raise NotFound(f"{self._noun} is not a member of the reference.", path=[self._path])

    def _missing(self) -> BadUserInput:
        return BadUserInput(f"{self._noun} does not exist.", path=[self._path])

    @property
    def _path(self) -> str:
        return f"{self._noun.lower()}_id"


def _without(members: Members, id: str) -> Members:
    return tuple(member for member in members if member.id != id)


def _gives_more(before: Members, after: Members) -> bool:
    """Tell whether somebody is a member who was none, or has a right that they had not."""
    had = {member.id: member for member in before}
    return any(
        member.id not in had or any(getattr(member, right) and not getattr(had[member.id], right) for right in Right)
        for member in after
    )
