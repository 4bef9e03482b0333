"""What administrators tell of a user, how it is checked, and what becomes of the user by it."""

import re
from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType, structs

from virtool_gql.access import Viewer
from virtool_gql.db.credentials import ended
from virtool_gql.db.names import single_line
from virtool_gql.errors import BadUserInput, Conflict, Forbidden
from virtool_gql.models.users import User
from virtool_gql.query import And, Eq, Filter, Not, Or

PRIVATE = frozenset({"email", "force_reset", "last_password_change"})
"""What of a user only they themselves and administrators may read."""

LONGEST_EMAIL = 254
EMAIL = re.compile(r"[a-zA-Z0-9_.+-]+@[a-zA-Z0-9-]+\.[a-zA-Z0-9.-]+")


class NewUser(msgspec.Struct, frozen=True, kw_only=True):
    """What a user is created from."""

    handle: str
    password: str
    force_reset: bool = True
    email: str = ""
    group_ids: tuple[str, ...] = ()
    primary_group_id: str | None = None
    administrator: bool = False


class UserChanges(msgspec.Struct, frozen=True, kw_only=True):
    """What is to change of a user; what is not set stays. `primary_group_id` None takes the primary group away."""

    handle: str | UnsetType = UNSET
    email: str | UnsetType = UNSET
    group_ids: tuple[str, ...] | UnsetType = UNSET
    primary_group_id: str | UnsetType | None = UNSET
    password: str | UnsetType = UNSET
    force_reset: bool | UnsetType = UNSET
    administrator: bool | UnsetType = UNSET
    active: bool | UnsetType = UNSET


def email_address(text: str) -> str:
    """Give the address as it is stored; an empty one is none."""
    address = single_line(text, "email", longest=LONGEST_EMAIL)
    if address and not EMAIL.fullmatch(address):
        raise BadUserInput("This is no e-mail address.", path=["email"])
    return address


def changed(user: User, values: Mapping[str, Any]) -> User:
    """Give the user with other values; the very same user when nothing changes.

    Who leaves the primary group has none; whose password, role or activity changes is signed out everywhere.
    """
    after = structs.replace(user, **values)
    if after.primary_group_id not in {None, *after.group_ids}:
        if "primary_group_id" in values:
            raise Conflict("User is not member of group.", path=["primary_group_id"])
        after = structs.replace(after, primary_group_id=None)
    if after == user:
        return user
    return ended(after) if _ends_credentials(user, after) else after


def _ends_credentials(before: User, after: User) -> bool:
    return (
        before.password_hash != after.password_hash
        or before.administrator != after.administrator
        or (before.active and not after.active)
        or (after.force_reset and not before.force_reset)
    )


def rules(user: User) -> bool:
    """Tell whether the user is one of those of whom there is always one: administrators who can sign in."""
    return user.administrator and user.active


def seen_by(viewer: Viewer, where: Filter) -> Filter:
    """Give what a filter of users means to the viewer: nobody finds others by what they may not read of them."""
    if viewer.administrator:
        return where
    match where:
        case And(parts):
            return And(*(seen_by(viewer, part) for part in parts))
        case Or(parts):
            return Or(*(seen_by(viewer, part) for part in parts))
        case Not(part):
            return Not(seen_by(viewer, part))
    if where.path == "force_reset":
        raise Forbidden("You need to be an administrator to ask who must choose a new password.")
    return And(Eq("id", viewer.user_id), where) if where.path in PRIVATE else where
