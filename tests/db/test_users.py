import asyncio
from time import perf_counter

import pytest
from msgspec import structs
from redis.asyncio import Redis

from tests.factories.database import LIMITS
from tests.factories.groups import stored_group
from tests.factories.users import PASSWORD, stored_user
from virtool_gql.access import Viewer
from virtool_gql.db.database import Database
from virtool_gql.db.users import NewUser, UserChanges
from virtool_gql.errors import BadUserInput, Conflict, Forbidden, VirtoolError
from virtool_gql.models.settings import Settings
from virtool_gql.models.users import ApiKey, Permission, User
from virtool_gql.query import And, Eq, Not, Or, Text


async def test_of_fifty_first_users_one_is_made(db: Database) -> None:
    assert not await db.users.any_exist()
    answers = await asyncio.gather(
        *(db.users.create_first(f"user{number}", PASSWORD) for number in range(50)), return_exceptions=True
    )
    made = [answer for answer in answers if isinstance(answer, User)]
    refused = [answer for answer in answers if isinstance(answer, Conflict)]
    assert (len(made), len(refused)) == (1, 49)
    assert {error.message for error in refused} == {"Virtool already has at least one user."}
    assert await db.store.count(User) == 1
    assert made[0].administrator
    assert not made[0].force_reset


async def test_there_is_no_first_user_after_another(db: Database) -> None:
    await stored_user(db, "alice")
    assert await db.users.any_exist()
    with pytest.raises(Conflict):
        await db.users.create_first("bob", PASSWORD)


@pytest.mark.parametrize(("handle", "password"), [("", PASSWORD), ("alice", "short"), ("virtool", PASSWORD)])
async def test_a_first_user_that_is_refused_leaves_the_way_free(db: Database, handle: str, password: str) -> None:
    with pytest.raises(BadUserInput):
        await db.users.create_first(handle, password)
    assert (await db.users.create_first("alice", PASSWORD)).handle == "alice"


async def test_a_handle_is_taken_in_every_spelling(db: Database) -> None:
    await stored_user(db, "Straße")
    with pytest.raises(Conflict, match=r"User already exists\.") as error:
        await db.users.create("STRASSE", PASSWORD)
    assert error.value.path == ("handle",)


async def test_the_settings_say_how_long_a_password_is(db: Database) -> None:
    await db.store.insert(Settings(id="settings", minimum_password_length=20))
    with pytest.raises(BadUserInput, match=r"\(20\)"):
        await db.users.create("alice", PASSWORD)


async def test_groups_of_a_user_exist(db: Database) -> None:
    with pytest.raises(BadUserInput, match=r"Groups do not exist: group_nothing1, group_nothing2\."):
        await db.users.create("alice", PASSWORD, group_ids=["nothing2", "nothing1"])


async def test_a_viewer_may_what_the_groups_may_at_the_moment(db: Database) -> None:
    group = await stored_group(db, "Uploaders", Permission.UPLOAD_FILE)
    other = await stored_group(db, "Creators", Permission.CREATE_SAMPLE)
    user, viewer = await stored_user(db, "alice", group_ids=[group.id, other.id])
    assert viewer.permissions == {Permission.UPLOAD_FILE, Permission.CREATE_SAMPLE}
    assert viewer.group_ids == {group.id, other.id}
    await db.store.replace(structs.replace(group, permissions=(Permission.CANCEL_JOB,)))
    later = await db.users.viewer(user.id)
    assert later is not None
    assert later.permissions == {Permission.CANCEL_JOB, Permission.CREATE_SAMPLE}


async def test_a_group_that_is_gone_gives_nothing(db: Database) -> None:
    group = await stored_group(db, "Uploaders", Permission.UPLOAD_FILE)
    user, _ = await stored_user(db, "alice", group_ids=[group.id])
    await db.store.delete(group)
    viewer = await db.users.viewer(user.id)
    assert viewer is not None
    assert viewer.permissions == frozenset()


async def test_a_deactivated_user_is_no_viewer(db: Database) -> None:
    user, _ = await stored_user(db, "alice")
    await db.store.replace(structs.replace(user, active=False))
    assert await db.users.viewer(user.id) is None
    assert await db.users.viewer("nobody00") is None


async def test_no_password_is_stored_or_told(db: Database) -> None:
    user, viewer = await stored_user(db, "alice")
    assert PASSWORD not in repr(user)
    changes = db.users.changes(lambda: viewer, after=None)
    told = asyncio.ensure_future(anext(changes))
    while not told.done():
        user = (await db.store.replace(structs.replace(user, email=f"{user.version}@example.org")))[0]
        await asyncio.wait([told], timeout=0.05)
    assert "password_hash" not in (await told).document
    await changes.aclose()


@pytest.mark.parametrize("handle", ["", "x" * 10_000, "a\0", "\ud800", "a:b", "virtool"])
async def test_a_handle_that_cannot_be_is_nobodys(db: Database, handle: str) -> None:
    assert await db.users.by_handle(handle) is None


async def test_a_race_for_a_handle_has_one_winner(db: Database) -> None:
    answers = await asyncio.gather(*(db.users.create("alice", PASSWORD) for _ in range(10)), return_exceptions=True)
    assert sum(isinstance(answer, User) for answer in answers) == 1
    assert sum(isinstance(answer, VirtoolError) for answer in answers) == 9


async def an_administrator(db: Database, handle: str = "root") -> Viewer:
    return (await stored_user(db, handle, administrator=True))[1]


@pytest.mark.parametrize("who", ["stranger", "key"])
async def test_only_administrators_make_and_change_users(db: Database, who: str) -> None:
    user, plain = await stored_user(db, "alice")
    root = await an_administrator(db)
    _, secret = await db.keys.create(root, "plain")
    by_key = await db.sign_in.by_key(secret)
    assert by_key is not None
    viewer = plain if who == "stranger" else by_key
    for id in (user.id, "nothere0", "../x"):
        with pytest.raises(Forbidden, match="administrator"):
            await db.users.update(viewer, id, UserChanges(email="a@example.org"))
    with pytest.raises(Forbidden):
        await db.users.add(viewer, NewUser(handle="bob", password=PASSWORD))
    _, flagged = await db.keys.create(root, "flagged", administrator=True)
    through = await db.sign_in.by_key(flagged)
    assert through is not None
    assert (await db.users.update(through, user.id, UserChanges(email="a@example.org"))).email == "a@example.org"


async def test_an_administrator_makes_a_user_who_must_choose_a_password(db: Database) -> None:
    group = await stored_group(db)
    new = NewUser(
        handle=" bob ",
        password=PASSWORD,
        email="bob@example.org",
        group_ids=(group.id, group.id),
        primary_group_id=group.id,
    )
    user = await db.users.add(await an_administrator(db), new)
    assert (user.handle, user.email, user.force_reset, user.administrator) == ("bob", "bob@example.org", True, False)
    assert (user.group_ids, user.primary_group_id, user.active) == ((group.id,), group.id, True)


@pytest.mark.parametrize(
    ("handle", "message"),
    [
        ("VIRTOOL", "Reserved user name"),
        ("\uff56irtool", "Reserved user name"),  # a fullwidth v
        ("", "visible"),
        (" \u3000", "visible"),
        ("\u3164", "visible"),
        ("a\u200bb", "invisible"),
        ("a\x00b", "invisible"),
        ("x" * 10_000_000, "at most 64"),
    ],
)
async def test_handles_that_cannot_be(db: Database, handle: str, message: str) -> None:
    root = await an_administrator(db)
    user, _ = await stored_user(db, "alice")
    with pytest.raises(BadUserInput, match=message):
        await db.users.add(root, NewUser(handle=handle, password=PASSWORD))
    with pytest.raises(BadUserInput, match=message):
        await db.users.update(root, user.id, UserChanges(handle=handle))


async def test_a_handle_that_looks_like_another_is_taken(db: Database) -> None:
    root = await an_administrator(db)
    await stored_user(db, "alice")
    bob, _ = await stored_user(db, "bob")
    for handle in ("ALICE", "\uff41lice", "al\u0131ce".replace("\u0131", "\u2170")):
        with pytest.raises(Conflict, match=r"User already exists\.") as error:
            await db.users.update(root, bob.id, UserChanges(handle=handle))
        assert error.value.path == ("handle",)
    renamed = await db.users.update(root, bob.id, UserChanges(handle="BOB"))
    assert (renamed.handle, renamed.version) == ("BOB", 2)
    assert (await db.users.by_handle("bob")) == renamed


@pytest.mark.parametrize("email", ["alice", "a@b", "a b@example.org", "a@example.org\n", "é@example.org", "@x.y"])
async def test_an_e_mail_address_looks_like_one(db: Database, email: str) -> None:
    user, _ = await stored_user(db, "alice")
    if email.strip() != email:
        assert (await db.users.update(await an_administrator(db), user.id, UserChanges(email=email))).email
        return
    with pytest.raises(BadUserInput) as error:
        await db.users.update(await an_administrator(db), user.id, UserChanges(email=email))
    assert error.value.path == ("email",)


async def test_the_primary_group_is_one_of_the_groups(db: Database) -> None:
    root = await an_administrator(db)
    first, second = await stored_group(db, "First"), await stored_group(db, "Second")
    user, _ = await stored_user(db, "alice", group_ids=[first.id])
    with pytest.raises(Conflict, match=r"User is not member of group\."):
        await db.users.update(root, user.id, UserChanges(primary_group_id=second.id))
    with pytest.raises(BadUserInput, match=r"Primary group does not exist\."):
        await db.users.update(root, user.id, UserChanges(primary_group_id="nothere0"))
    with pytest.raises(Conflict):
        await db.users.add(root, NewUser(handle="bob", password=PASSWORD, primary_group_id=first.id))
    both = UserChanges(group_ids=(first.id, second.id), primary_group_id=second.id)
    assert (await db.users.update(root, user.id, both)).primary_group_id == second.id
    left = await db.users.update(root, user.id, UserChanges(group_ids=(first.id,)))
    assert (left.group_ids, left.primary_group_id) == ((first.id,), None)
    again = await db.users.update(root, user.id, UserChanges(primary_group_id=first.id))
    assert (await db.users.update(root, user.id, UserChanges(primary_group_id=None))).version == again.version + 1


async def test_what_changes_nothing_writes_nothing(db: Database) -> None:
    user, viewer = await stored_user(db, "alice")
    same = UserChanges(handle="alice", active=True, administrator=False, force_reset=False, group_ids=())
    assert await db.users.update(await an_administrator(db), user.id, same) == user
    assert await db.users.viewer(user.id) == viewer


async def signed_in(db: Database, user: User) -> tuple[str, str]:
    """Give the token of a session and the secret of an API key."""
    token = await db.sign_in.start_session(user, remember=True, address="192.0.2.1")
    viewer = await db.users.viewer(user.id)
    assert viewer is not None
    return token, (await db.keys.create(viewer, "Script"))[1]


@pytest.mark.parametrize(
    ("changes", "ends"),
    [
        (UserChanges(password="another password"), True),
        (UserChanges(force_reset=True), True),
        (UserChanges(active=False), True),
        (UserChanges(administrator=True), True),
        (UserChanges(handle="bob", email="bob@example.org", group_ids=()), False),
        (UserChanges(force_reset=False, administrator=False, active=True), False),
    ],
)
async def test_what_ends_sessions_and_keys(db: Database, changes: UserChanges, ends: bool) -> None:
    root = await an_administrator(db)
    user, _ = await stored_user(db, "alice")
    token, secret = await signed_in(db, user)
    await db.users.update(root, user.id, changes)
    assert (await db.sign_in.by_session(token) is None) == ends
    assert (await db.sign_in.by_key(secret) is None) == ends
    assert bool((await db.store.find(ApiKey)).documents) != ends


async def test_who_comes_back_does_not_get_the_old_sessions_and_keys_back(db: Database) -> None:
    root = await an_administrator(db)
    user, _ = await stored_user(db, "alice")
    token, secret = await signed_in(db, user)
    await db.users.update(root, user.id, UserChanges(active=False))
    user = await db.users.update(root, user.id, UserChanges(active=True))
    assert await db.users.viewer(user.id) is not None
    assert await db.sign_in.by_session(token) is None
    assert await db.sign_in.by_key(secret) is None
    token, secret = await signed_in(db, user)
    assert await db.sign_in.by_session(token) is not None
    assert await db.sign_in.by_key(secret) is not None


async def test_the_minimum_length_holds_for_administrators_too(db: Database) -> None:
    root = await an_administrator(db)
    user, _ = await stored_user(db, "alice")
    for password in ("short", "x" * 10_000_000):
        with pytest.raises(BadUserInput):
            await db.users.update(root, user.id, UserChanges(password=password))
        with pytest.raises(BadUserInput):
            await db.users.add(root, NewUser(handle="bob", password=password))
    later = await db.users.update(root, user.id, UserChanges(password="another password"))
    assert later.last_password_change > user.last_password_change
    assert later.password_hash != user.password_hash


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (UserChanges(administrator=False), r"Users cannot modify their own administrative status\."),
        (UserChanges(active=False), r"Users cannot deactivate themselves\."),
        (UserChanges(password="another password"), "which asks for the old one"),
    ],
)
async def test_what_nobody_does_to_themselves(db: Database, changes: UserChanges, message: str) -> None:
    root = await an_administrator(db)
    await stored_user(db, "other", administrator=True)
    with pytest.raises(BadUserInput, match=message):
        await db.users.update(root, root.user_id, changes)
    assert (await db.users.update(root, root.user_id, UserChanges(administrator=True, active=True))).version == 1


@pytest.mark.parametrize("changes", [UserChanges(administrator=False), UserChanges(active=False)])
async def test_however_many_demote_each_other_an_administrator_stays(
    each_db: Database, changes: UserChanges, request: pytest.FixtureRequest
) -> None:
    db = each_db
    count = 8 if request.node.callspec.params["each_db"] == "db" else 4
    viewers = [await an_administrator(db, f"root{number}") for number in range(count)]
    pairs = [(viewer, other.user_id) for viewer in viewers for other in viewers if viewer is not other]
    answers = await asyncio.gather(
        *(db.users.update(viewer, id, changes) for viewer, id in pairs), return_exceptions=True
    )
    assert {type(answer) for answer in answers} <= {User, Forbidden}
    left = [user for user in (await db.store.find(User)).documents if user.administrator and user.active]
    assert len(left) == 1


async def test_a_hundred_edits_of_one_user_all_land(db: Database) -> None:
    root = await an_administrator(db)
    groups = [await stored_group(db, f"Group {number}") for number in range(10)]
    user, _ = await stored_user(db, "alice")
    edits = [UserChanges(email=f"{number}@example.org") for number in range(90)]
    edits += [UserChanges(group_ids=(group.id,)) for group in groups]
    answers = await asyncio.gather(*(db.users.update(root, user.id, edit) for edit in edits))
    assert {answer.version for answer in answers} == set(range(2, 102))
    assert (await db.users.get(root, user.id)).version == 101


async def test_of_a_hundred_edits_of_one_version_one_lands(db: Database) -> None:
    root = await an_administrator(db)
    user, _ = await stored_user(db, "alice")
    edits = [UserChanges(email=f"{number}@example.org") for number in range(100)]
    answers = await asyncio.gather(
        *(db.users.update(root, user.id, edit, expected_version=1) for edit in edits), return_exceptions=True
    )
    landed = [answer for answer in answers if isinstance(answer, User)]
    refused = [answer for answer in answers if isinstance(answer, Conflict)]
    assert (len(landed), len(refused)) == (1, 99)
    assert "Somebody else changed the user first" in refused[0].message
    assert await db.users.get(root, user.id) == landed[0]


async def test_the_same_request_a_hundred_times_makes_one_user(db: Database) -> None:
    root, other = await an_administrator(db), await an_administrator(db, "other")
    new = NewUser(handle="bob", password=PASSWORD)
    answers = await asyncio.gather(*(db.users.add(root, new, idempotency_key="once") for _ in range(100)))
    assert len({(answer.id, answer.handle) for answer in answers}) == 1
    assert await db.store.count(User) == 3
    with pytest.raises(Conflict, match=r"User already exists\."):
        await db.users.add(other, new, idempotency_key="once")
    carl = await db.users.add(other, NewUser(handle="carl", password=PASSWORD), idempotency_key="once")
    assert carl.id != answers[0].id


async def test_a_hundred_requests_at_once_hash_one_password(db: Database, redis: Redis) -> None:
    root = await an_administrator(db)
    slow = Database(db.store, redis, db.hub, db.places, job_limits=LIMITS, bcrypt_rounds=10)
    began = perf_counter()
    await slow.users.add(root, NewUser(handle="carl", password=PASSWORD))
    one = perf_counter() - began
    new = NewUser(handle="bob", password=PASSWORD)
    began = perf_counter()
    answers = await asyncio.gather(*(slow.users.add(root, new, idempotency_key="once") for _ in range(100)))
    assert perf_counter() - began < 20 * one
    assert len({answer.id for answer in answers}) == 1


async def test_nobody_finds_others_by_what_is_private(db: Database) -> None:
    root = await an_administrator(db)
    alice, viewer = await stored_user(db, "alice")
    bob, _ = await stored_user(db, "bob")
    for user in (alice, bob):
        await db.users.update(root, user.id, UserChanges(email=f"{user.handle}@example.org"))
    by_email = Or(Text("handle", "@example"), Text("email", "@example"))
    assert await db.users.count(root, by_email) == 2
    assert [user.handle for user in (await db.users.find(viewer, by_email)).documents] == ["alice"]
    assert await db.users.count(viewer, by_email) == 1
    assert await db.users.count(viewer, Not(by_email)) == 2
    with pytest.raises(Forbidden):
        await db.users.find(viewer, And(Eq("active", value=True), Eq("force_reset", value=True)))
    with pytest.raises(Forbidden):
        db.users.changes(lambda: viewer, Eq("force_reset", value=True))
