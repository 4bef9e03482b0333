"""One's own account at the API: by a session, never by a key, and nothing of others."""

from typing import Any

import pytest
from msgspec import structs
from sqlalchemy import text

from schema.context import Context
from tests.factories.api import Api
from tests.factories.users import PASSWORD
from virtool_gql.access import Viewer
from virtool_gql.models.users import User

UPDATE = """mutation($input: UpdateAccountInput!) { updateAccount(input: $input) {
    viewer { handle email lastPasswordChange } errors { code message path } } }"""
SETTINGS = """mutation($input: UpdateAccountSettingsInput!) { updateAccountSettings(input: $input) {
    viewer { settings { showIds showVersions skipQuickAnalyzeDialog quickAnalyzeWorkflow } }
    errors { code message path } } }"""
END = "mutation($input: EndSessionInput!) { endSession(input: $input) { sessionId errors { code path } } }"
END_OTHERS = "mutation { endOtherSessions { count errors { code } } }"
SESSIONS = """{ viewer { sessions {
    id createdAt lastUsedAt expiresAt address agent remember current } } }"""
EVERYTHING: list[tuple[str, dict[str, Any]]] = [
    (UPDATE, {"input": {"email": "a@example.org"}}),
    (SETTINGS, {"input": {"showIds": False}}),
    (END, {"input": {"id": "session_00000000"}}),
    (END_OTHERS, {}),
]


async def browser(api: Api, viewer: Viewer, *, remember: bool = False, agent: str = "Firefox") -> Context:
    """Give the context of requests with a session of the user."""
    user = await api.db.store.get(User, viewer.user_id)
    assert user is not None
    start = api.db.sign_in.start_session
    token = await start(user, remember=remember, address="192.0.2.1", agent=agent)
    return api.context(await api.db.sign_in.by_session(token), token=token)


@pytest.mark.parametrize(("operation", "variables"), EVERYTHING)
async def test_strangers_and_keys_change_nothing(
    api: Api, administrator: Viewer, operation: str, variables: dict[str, Any]
) -> None:
    assert await api.code(None, operation, **variables) == "UNAUTHENTICATED"
    by_key = structs.replace(administrator, key_id="key00001")
    answer = await api.ask(by_key, operation, **variables)
    assert [error["code"] for error in answer["errors"]] == ["FORBIDDEN"]


async def test_the_address_and_the_password_are_changed(api: Api, owner: Viewer) -> None:
    context, other = await browser(api, owner), await browser(api, owner)
    change = {"email": "ada@example.org", "oldPassword": PASSWORD, "password": "a better horse"}
    shown = await api.ask(context, UPDATE, input=change)
    user = await api.db.store.get(User, owner.user_id)
    assert user is not None
    assert shown == {
        "viewer": {"handle": "owner", "email": "ada@example.org", "lastPasswordChange": user.last_password_change},
        "errors": [],
    }
    assert context.caller.viewer == await api.db.users.viewer(owner.user_id)
    assert context.session_cookie is None
    assert set(await api.db.sign_in.still_sessions([str(c.caller.session_token) for c in (context, other)])) == {
        context.caller.session_token
    }


@pytest.mark.parametrize(
    ("change", "message", "path"),
    [
        ({"password": "a better horse", "oldPassword": "wrong"}, "Invalid credentials.", ["oldPassword"]),
        ({"password": "a better horse"}, "The old password is needed to set a new one.", ["oldPassword"]),
        ({"password": "a better horse", "oldPassword": None}, "The old password is needed", ["oldPassword"]),
        ({"password": "short", "oldPassword": PASSWORD}, "minimum length requirement (8)", ["password"]),
        ({"password": None}, "This cannot be null", ["password"]),
        ({"email": None}, "This cannot be null", ["email"]),
        ({"email": "nobody"}, "This is no e-mail address.", ["email"]),
    ],
)
async def test_what_is_wrong_with_a_change_is_told(
    api: Api, owner: Viewer, change: dict[str, Any], message: str, path: list[str]
) -> None:
    context = await browser(api, owner)
    shown = await api.ask(context, UPDATE, input=change)
    assert shown["viewer"] is None
    [error] = shown["errors"]
    assert (error["code"], error["path"]) == ("BAD_USER_INPUT", path)
    assert message in error["message"]


async def test_nothing_of_the_settings_lands_at_the_root_of_the_document(api: Api, owner: Viewer) -> None:
    change = {"showIds": False, "quickAnalyzeWorkflow": "NUVS"}
    shown = await api.ask(await browser(api, owner), SETTINGS, input=change)
    assert shown["viewer"]["settings"] == {
        "showIds": False,
        "showVersions": True,
        "skipQuickAnalyzeDialog": True,
        "quickAnalyzeWorkflow": "NUVS",
    }
    async with api.store.engine.connect() as connection:
        query = text("SELECT doc FROM documents.users WHERE id = :id")
        document = (await connection.execute(query, {"id": owner.user_id})).scalar_one()
    names = {"show_ids", "show_versions", "skip_quick_analyze_dialog", "quick_analyze_workflow"}
    assert names.isdisjoint(document)
    assert set(document["settings"]) == names


async def test_settings_that_cannot_be_are_refused(api: Api, owner: Viewer) -> None:
    context = await browser(api, owner)
    for change in ({"showIds": None}, {"quickAnalyzeWorkflow": "CREATE_SAMPLE"}):
        shown = await api.ask(context, SETTINGS, input=change)
        assert [error["path"] for error in shown["errors"]] == [list(change)]


async def test_sessions_are_listed_and_ended(api: Api, owner: Viewer, stranger: Viewer) -> None:
    context = await browser(api, owner)
    await browser(api, owner, remember=True, agent="curl/8")
    theirs = await api.db.account.sessions((await browser(api, stranger)).viewer)
    other, own = sorted(
        (await api.ask(context, SESSIONS))["sessions"], key=lambda session: session["agent"] != "curl/8"
    )
    assert [(own[name], other[name]) for name in ("current", "remember", "agent", "address")] == [
        (True, False),
        (False, True),
        ("Firefox", "curl/8"),
        ("192.0.2.1", "192.0.2.1"),
    ]
    assert own["createdAt"] < own["lastUsedAt"] < own["expiresAt"] < other["expiresAt"]
    for id in (f"session_{theirs[0].id}", "session_unknown0", "session_", "user_first", owner.user_id):
        shown = await api.ask(context, END, input={"id": id})
        assert shown == {"sessionId": None, "errors": [{"code": "NOT_FOUND", "path": ["id"]}]}
    assert (await api.ask(context, END, input={"id": other["id"]})) == {"sessionId": other["id"], "errors": []}
    assert context.session_cookie is None
    await browser(api, owner)
    assert await api.ask(context, END_OTHERS) == {"count": 1, "errors": []}
    [left] = (await api.ask(context, SESSIONS))["sessions"]
    assert left["id"] == own["id"]
    assert await api.ask(context, "query($id: ID!) { node(id: $id) { id } }", id=own["id"]) is None


async def test_ending_the_own_session_signs_out(api: Api, owner: Viewer) -> None:
    context = await browser(api, owner)
    [own] = (await api.ask(context, SESSIONS))["sessions"]
    assert (await api.ask(context, END, input={"id": own["id"]}))["sessionId"] == own["id"]
    assert context.session_cookie is not None
    assert context.session_cookie.token is None
    assert await api.code(context, "{ cursor }") == "UNAUTHENTICATED"


async def test_a_key_sees_no_session_as_its_own(api: Api, owner: Viewer) -> None:
    await browser(api, owner)
    by_key = structs.replace(owner, key_id="key00001")
    assert [session["current"] for session in (await api.ask(by_key, SESSIONS))["sessions"]] == [False]
