"""What administrators tell of a user, and how it is checked before it is stored."""

import re

import msgspec
from msgspec import UNSET, UnsetType

from virtool_gql.db.names import single_line
from virtool_gql.errors import BadUserInput

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
