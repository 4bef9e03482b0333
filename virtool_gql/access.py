"""Who a viewer is, and what they may do: permissions, and rights as filters."""

from collections.abc import Callable, Iterable

import msgspec

from virtool_gql.errors import Forbidden
from virtool_gql.models.references import Member, Reference, Right
from virtool_gql.models.users import ApiKey, Group, Permission, User
from virtool_gql.query import EVERYTHING, NOTHING, And, Eq, Filter, Has, In, Or, within


class Viewer(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who is signed in, with what they may do at this moment.

    What they sign in with from now on works as long as their user keeps this `credentials_version`.
    """

    user_id: str
    handle: str
    administrator: bool = False
    group_ids: frozenset[str] = frozenset()
    permissions: frozenset[Permission] = frozenset()
    key_id: str | None = None
    credentials_version: int = 0

    def may(self, permission: Permission) -> bool:
        return self.administrator or permission in self.permissions

    def require(self, permission: Permission) -> None:
        if not self.may(permission):
            raise Forbidden(
                f"You need the permission {permission.name}; an administrator can give it to one of your groups."
            )

    def require_administrator(self) -> None:
        if not self.administrator:
            raise Forbidden("You need to be an administrator; an API key is one only if an administrator made it so.")

    def require_session(self) -> None:
        """Keep a stolen key from doing what would outlive it."""
        if self.key_id is not None:
            raise Forbidden("An API key cannot do this; sign in with your password.")


def viewer_of(user: User, groups: Iterable[Group], key: ApiKey | None = None) -> Viewer:
    """Make the viewer that a user is, seen through an API key if one is used.

    Permissions are those of the groups, at this moment; a key never has more than its owner, and is an administrator
    only if an administrator made it so.
    """
    permissions = frozenset(Permission) if user.administrator else _permissions(groups)
    if key is not None:
        permissions &= frozenset(key.permissions)
    return Viewer(
        user_id=user.id,
        handle=user.handle,
        administrator=user.administrator and (key is None or key.administrator),
        group_ids=frozenset(user.group_ids),
        permissions=permissions,
        key_id=key.id if key else None,
        credentials_version=user.credentials_version,
    )


def _permissions(groups: Iterable[Group]) -> frozenset[Permission]:
    return frozenset(permission for group in groups for permission in group.permissions)


def readable_samples(viewer: Viewer) -> Filter:
    if viewer.administrator:
        return EVERYTHING
    return Or(
        Eq("user_id", viewer.user_id), Eq("all_read", value=True), And(_shared(viewer), Eq("group_read", value=True))
    )


def writable_samples(viewer: Viewer) -> Filter:
    if viewer.administrator:
        return EVERYTHING
    shared = Or(Eq("all_write", value=True), And(_shared(viewer), Eq("group_write", value=True)))
    return Or(Eq("user_id", viewer.user_id), And(readable_samples(viewer), shared))


def owned_samples(viewer: Viewer) -> Filter:
    """Match the samples whose rights the viewer may change."""
    return EVERYTHING if viewer.administrator else Eq("user_id", viewer.user_id)


def _shared(viewer: Viewer) -> Filter:
    return In("group_id", tuple(sorted(viewer.group_ids))) if viewer.group_ids else NOTHING


def readable_files(_: Viewer) -> Filter:
    return EVERYTHING


def readable_jobs(viewer: Viewer) -> Filter:
    """Match the viewer's own jobs, and all for those who look after jobs: arguments and logs tell of samples."""
    if viewer.may(Permission.CANCEL_JOB) or viewer.may(Permission.REMOVE_JOB):
        return EVERYTHING
    return Eq("user_id", viewer.user_id)


def readable_users(_: Viewer) -> Filter:
    return EVERYTHING


def readable_groups(_: Viewer) -> Filter:
    return EVERYTHING


def readable_settings(_: Viewer) -> Filter:
    return EVERYTHING


def readable_keys(viewer: Viewer) -> Filter:
    return Eq("user_id", viewer.user_id)


def readable_labels(_: Viewer) -> Filter:
    return EVERYTHING


def readable_subtractions(_: Viewer) -> Filter:
    return EVERYTHING


def readable_references(viewer: Viewer) -> Filter:
    """Match the references that the viewer has made or is a member of; members read, whatever rights they have."""
    if viewer.administrator:
        return EVERYTHING
    groups = (Has("groups.id", id) for id in sorted(viewer.group_ids))
    return Or(Eq("user_id", viewer.user_id), Has("users.id", viewer.user_id), *groups)


def readable_parts(viewer: Viewer, of_references: Filter) -> Filter:
    """Match what belongs to one of the references, given as a filter on their parts."""
    return EVERYTHING if viewer.administrator else of_references


def readable_tasks(viewer: Viewer, of_references: Filter) -> Filter:
    """Match the viewer's own tasks, and those of the references."""
    return EVERYTHING if viewer.administrator else Or(Eq("user_id", viewer.user_id), of_references)


ReadableParts = Callable[[Viewer, Filter], Filter]


def as_told(readable: ReadableParts) -> Callable[[Viewer], Filter]:
    """Give the rights on a part as a filter on what is told of it: the part, with its reference as `reference`."""
    return lambda viewer: readable(viewer, within("reference", readable_references(viewer)))


def readable_status(_: Viewer) -> Filter:
    return EVERYTHING


def has_right(viewer: Viewer, reference: Reference, right: Right) -> bool:
    """Tell whether the viewer has a right on a reference: by themselves, or by one of their groups."""
    own = (member for member in reference.users if member.id == viewer.user_id)
    of_groups = (member for member in reference.groups if member.id in viewer.group_ids)
    return viewer.administrator or any(_gives(member, right) for member in (*own, *of_groups))


def _gives(member: Member, right: Right) -> bool:
    return bool(getattr(member, right))


def require_right(viewer: Viewer, reference: Reference, right: Right) -> None:
    """Raise Forbidden, naming the right, when the viewer does not have it."""
    if not has_right(viewer, reference, right):
        raise Forbidden(
            f"You need the right {right.name} on the reference “{reference.name}”; "
            "somebody who may modify it can give it to you."
        )


def readable_messages(_: Viewer) -> Filter:
    """Match also those that are no longer shown: who saw one must hear that it is taken away."""
    return EVERYTHING


def readable_audit(viewer: Viewer) -> Filter:
    return EVERYTHING if viewer.administrator else NOTHING
