"""Who may read, write and own a sample, and what a viewer is."""

from typing import Any

import pytest

from virtool_gql.access import (
    Viewer,
    owned_samples,
    readable_jobs,
    readable_keys,
    readable_samples,
    viewer_of,
    writable_samples,
)
from virtool_gql.errors import Forbidden
from virtool_gql.models.documents import Timestamp
from virtool_gql.models.users import ApiKey, Group, Permission, User
from virtool_gql.query import matches

AT = Timestamp("2026-01-01T00:00:00.000Z")
OWNER = Viewer(user_id="owner", handle="owner")
MEMBER = Viewer(user_id="member", handle="member", group_ids=frozenset({"lab"}))
STRANGER = Viewer(user_id="stranger", handle="stranger")
ADMINISTRATOR = Viewer(user_id="boss", handle="boss", administrator=True)


def rights(viewer: Viewer, **fields: Any) -> str:
    """Give the letters of what the viewer may: read, write, own."""
    closed = {"group_read": False, "group_write": False, "all_read": False, "all_write": False}
    sample = {"user_id": "owner", "group_id": "lab", **closed, **fields}
    filters = {"r": readable_samples(viewer), "w": writable_samples(viewer), "o": owned_samples(viewer)}
    return "".join(letter for letter, filter in filters.items() if matches(filter, sample))


@pytest.mark.parametrize(
    ("fields", "member", "stranger"),
    [
        ({}, "", ""),
        ({"group_read": True}, "r", ""),
        ({"group_read": True, "group_write": True}, "rw", ""),
        ({"group_write": True}, "", ""),
        ({"all_read": True}, "r", "r"),
        ({"all_read": True, "all_write": True}, "rw", "rw"),
        ({"all_write": True}, "", ""),
        ({"all_read": True, "group_write": True}, "rw", "r"),
        ({"group_read": True, "group_write": True, "group_id": None}, "", ""),
    ],
)
def test_a_sample_is_open_to_whom_its_rights_name(fields: dict[str, Any], member: str, stranger: str) -> None:
    assert rights(MEMBER, **fields) == member
    assert rights(STRANGER, **fields) == stranger
    assert rights(OWNER, **fields) == "rwo"
    assert rights(ADMINISTRATOR, **fields) == "rwo"


def test_jobs_are_their_owners_and_those_who_look_after_jobs() -> None:
    job = {"user_id": "owner"}
    keepers = [
        Viewer(user_id="keeper", handle="keeper", permissions=frozenset({permission}))
        for permission in (Permission.CANCEL_JOB, Permission.REMOVE_JOB)
    ]
    assert all(matches(readable_jobs(viewer), job) for viewer in (OWNER, ADMINISTRATOR, *keepers))
    assert not matches(readable_jobs(STRANGER), job)


def test_nobody_reads_the_keys_of_others() -> None:
    assert matches(readable_keys(OWNER), {"user_id": "owner"})
    assert not matches(readable_keys(ADMINISTRATOR), {"user_id": "owner"})


def user(*, administrator: bool = False) -> User:
    return User(
        id="ada",
        handle="Ada",
        handle_key="ada",
        password_hash="",
        administrator=administrator,
        created_at=AT,
        last_password_change=AT,
    )


def key(*permissions: Permission, administrator: bool = False) -> ApiKey:
    return ApiKey(
        id="k",
        name="k",
        key_hash="",
        user_id="ada",
        permissions=permissions,
        administrator=administrator,
        created_at=AT,
    )


LAB = Group(
    id="lab", name="Lab", name_key="lab", permissions=(Permission.CREATE_SAMPLE, Permission.UPLOAD_FILE), created_at=AT
)


def test_permissions_are_those_of_the_groups_and_a_key_has_no_more() -> None:
    assert viewer_of(user(), []).permissions == frozenset()
    assert viewer_of(user(), [LAB]).permissions == {Permission.CREATE_SAMPLE, Permission.UPLOAD_FILE}
    seen = viewer_of(user(), [LAB], key(Permission.UPLOAD_FILE, Permission.REMOVE_JOB, administrator=True))
    assert (seen.permissions, seen.administrator, seen.key_id) == ({Permission.UPLOAD_FILE}, False, "k")


def test_an_administrators_key_is_one_only_if_it_was_made_so() -> None:
    assert viewer_of(user(administrator=True), []).permissions == frozenset(Permission)
    plain = viewer_of(user(administrator=True), [], key(Permission.UPLOAD_FILE))
    assert (plain.administrator, plain.permissions) == (False, {Permission.UPLOAD_FILE})
    assert viewer_of(user(administrator=True), [], key(administrator=True)).administrator


def test_what_is_missing_is_named_as_the_api_names_it() -> None:
    with pytest.raises(Forbidden, match="You need the permission UPLOAD_FILE;"):
        STRANGER.require(Permission.UPLOAD_FILE)
    ADMINISTRATOR.require(Permission.UPLOAD_FILE)
