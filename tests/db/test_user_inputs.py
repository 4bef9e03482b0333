import pytest
from msgspec import structs

from tests.factories.users import viewer_named
from virtool_gql.db.user_inputs import changed, email_address, rules, seen_by
from virtool_gql.errors import BadUserInput, Conflict, Forbidden
from virtool_gql.models.documents import now, to_builtins
from virtool_gql.models.users import User
from virtool_gql.query import And, Eq, Filter, Not, Or, Range, Text, matches

USER = User(
    id="alice",
    handle="alice",
    handle_key="alice",
    password_hash="hash",
    group_ids=("first", "second"),
    primary_group_id="first",
    email="alice@example.org",
    created_at=now(),
    last_password_change=now(),
)
ROOT = viewer_named("root", administrator=True)
PRIVATE: list[Filter] = [
    Text("email", "example"),
    Range("last_password_change", gte="2020"),
    Or(Eq("handle", "bob"), And(Text("email", "alice"), Text("handle", "alice"))),
]


@pytest.mark.parametrize("where", PRIVATE)
def test_what_is_private_finds_nobody_but_oneself(where: Filter) -> None:
    document = to_builtins(USER)
    for viewer, found in ((ROOT, True), (viewer_named("alice"), True), (viewer_named("bob"), False)):
        assert matches(seen_by(viewer, where), document) == found
        assert matches(seen_by(viewer, Not(where)), document) != found


def test_who_must_choose_a_password_is_asked_by_administrators_alone() -> None:
    where = And(Not(Or(Eq("force_reset", value=True))))
    assert seen_by(ROOT, where) == where
    for handle in ("alice", "bob"):
        with pytest.raises(Forbidden):
            seen_by(viewer_named(handle), where)


def test_a_change_that_changes_nothing_gives_the_same_user() -> None:
    assert changed(USER, {"handle": "alice", "group_ids": ("first", "second")}) is USER


def test_who_leaves_the_primary_group_has_none() -> None:
    assert changed(USER, {"group_ids": ("second",)}).primary_group_id is None
    assert changed(USER, {"group_ids": ("first",)}).primary_group_id == "first"
    with pytest.raises(Conflict):
        changed(USER, {"group_ids": ("second",), "primary_group_id": "first"})


@pytest.mark.parametrize(
    ("values", "ends"),
    [
        ({"password_hash": "other"}, 1),
        ({"administrator": True}, 1),
        ({"active": False}, 1),
        ({"force_reset": True}, 1),
        ({"active": False, "administrator": True, "force_reset": True}, 1),
        ({"handle": "bob", "email": ""}, 0),
        ({"group_ids": ()}, 0),
    ],
)
def test_what_ends_sessions_and_keys(values: dict[str, object], ends: int) -> None:
    assert changed(USER, values).credentials_version == ends


def test_coming_back_and_having_chosen_a_password_end_nothing() -> None:
    away = structs.replace(USER, active=False, force_reset=True)
    assert changed(away, {"active": True, "force_reset": False}).credentials_version == 0


def test_those_of_whom_there_is_always_one() -> None:
    root = structs.replace(USER, administrator=True)
    assert rules(root)
    assert not rules(USER)
    assert not rules(structs.replace(root, active=False))


@pytest.mark.parametrize("text", ["", "a@b.c", " first.last+tag@mail-1.example.org ", "A_1@EXAMPLE.ORG"])
def test_addresses(text: str) -> None:
    assert email_address(text) == text.strip()


@pytest.mark.parametrize(
    "text", ["alice", "a@b", "a b@c.d", "a@c.d e", "é@c.d", "@c.d", "a@.d", "a@c.d\nb", "a@@c.d", f"{'a' * 255}@c.d"]
)
def test_what_is_no_address(text: str) -> None:
    with pytest.raises(BadUserInput) as error:
        email_address(text)
    assert error.value.path == ("email",)
