import asyncio
from typing import Any

import pytest
from msgspec import structs

import resolvers.viewer
from tests.factories.api import Api
from tests.factories.groups import stored_group
from tests.factories.users import PASSWORD, stored_user
from virtool_gql.access import Viewer
from virtool_gql.db.credentials import ended
from virtool_gql.errors import Unauthenticated
from virtool_gql.models.users import Permission, User
from virtool_gql.stores.documents import modify

FIRST = """mutation($input: CreateFirstUserInput!) { createFirstUser(input: $input) {
    user { id handle } viewer { handle administrator permissions } errors { code message path } } }"""
LOGIN = """mutation($input: LoginInput!) { login(input: $input) {
    resetCode viewer { id handle groups { name } user { handle } apiKeys { name } } errors { code message path } } }"""
RESET = """mutation($input: ResetPasswordInput!) { resetPassword(input: $input) {
    resetCode viewer { handle } errors { code message path } } }"""
LOGOUT = "mutation { logout { signedOut errors { code } } }"


async def test_nobody_is_the_viewer_of_a_stranger(api: Api) -> None:
    assert await api.ask(None, "{ viewer { handle } }") is None


async def test_a_viewer_sees_what_they_may_do(api: Api, owner: Viewer) -> None:
    shown = await api.ask(owner, "{ viewer { id handle administrator permissions groups { name } } }")
    assert shown == {
        "id": f"user_{owner.user_id}",
        "handle": "owner",
        "administrator": False,
        "permissions": ["CREATE_SAMPLE", "UPLOAD_FILE"],
        "groups": [{"name": "Group of owner"}],
    }


async def test_the_first_user_is_made_once_and_signed_in(api: Api) -> None:
    context = api.context(None)
    made = await api.ask(context, FIRST, input={"handle": "first", "password": PASSWORD})
    assert made["errors"] == []
    assert made["viewer"] == {
        "handle": "first",
        "administrator": True,
        "permissions": [p.name for p in sorted(Permission)],
    }
    assert await signed_in(api, context) == "first"
    again = await api.ask(None, FIRST, input={"handle": "second", "password": PASSWORD})
    assert (again["user"], again["viewer"]) == (None, None)
    assert [error["code"] for error in again["errors"]] == ["CONFLICT"]


async def test_a_short_password_of_the_first_user_is_an_error_of_the_user(api: Api) -> None:
    context = api.context(None)
    made = await api.ask(context, FIRST, input={"handle": "first", "password": "short"})
    assert made["viewer"] is None
    assert [(error["code"], error["path"]) for error in made["errors"]] == [("BAD_USER_INPUT", ["password"])]
    assert context.session_cookie is None


async def signed_in(api: Api, context: Any) -> str:
    """Give the handle of whom the cookie signs in."""
    viewer = await api.db.sign_in.by_session(context.session_cookie.token)
    assert viewer is not None
    return str(viewer.handle)


async def test_signing_in_replaces_the_session_and_signing_out_ends_it(api: Api, owner: Viewer) -> None:
    context = api.context(None)
    shown = await api.ask(context, LOGIN, input={"handle": "OWNER", "password": PASSWORD, "remember": True})
    assert shown["resetCode"] is None
    assert shown["viewer"] == {
        "id": f"user_{owner.user_id}",
        "handle": "owner",
        "groups": [{"name": "Group of owner"}],
        "user": {"handle": "owner"},
        "apiKeys": [],
    }
    assert await signed_in(api, context) == "owner"
    assert context.session_cookie is not None
    assert context.session_cookie.remember
    token = context.session_cookie.token
    assert token is not None
    later = api.context(owner, token=token)
    await api.ask(later, LOGIN, input={"handle": "owner", "password": PASSWORD})
    assert await api.db.sign_in.by_session(token) is None
    assert await api.ask(later, LOGOUT) == {"signedOut": True, "errors": []}
    assert later.session_cookie is not None
    assert later.session_cookie.token is None
    assert await api.code(later, "{ cursor }") == "UNAUTHENTICATED"


async def test_a_failed_sign_in_is_an_error_of_the_user_and_leaves_the_session(api: Api, owner: Viewer) -> None:
    user = (await api.db.store.get_many(User, [owner.user_id]))[owner.user_id]
    token = await api.db.sign_in.start_session(user, remember=False, address="192.0.2.1")
    for handle in ("owner", "nobody"):
        context = api.context(None, token=token)
        shown = await api.ask(context, LOGIN, input={"handle": handle, "password": "wrong password"})
        assert shown["viewer"] is None
        assert [error["code"] for error in shown["errors"]] == ["BAD_USER_INPUT"]
        assert context.session_cookie is None
    assert await api.db.sign_in.by_session(token) is not None


async def test_too_many_tries_are_an_error_of_the_request(api: Api, owner: Viewer) -> None:
    wrong = {"handle": owner.handle, "password": "wrong password"}
    for _ in range(10):
        await api.ask(None, LOGIN, input=wrong)
    assert await api.code(None, LOGIN, input=wrong) == "RATE_LIMITED"


async def test_strangers_and_keys_cannot_sign_out(api: Api, owner: Viewer) -> None:
    assert await api.code(None, LOGOUT) == "UNAUTHENTICATED"
    by_key = structs.replace(owner, key_id="key00001")
    assert await api.ask(by_key, LOGOUT) == {"signedOut": None, "errors": [{"code": "CONFLICT"}]}


async def forced_to_reset(api: Api, viewer: Viewer) -> str:
    """Have the user need a new password; give the code that the next login gives."""
    await modify(api.db.store, User, viewer.user_id, lambda user: structs.replace(user, force_reset=True))
    context = api.context(None)
    shown = await api.ask(context, LOGIN, input={"handle": viewer.handle, "password": PASSWORD, "remember": True})
    assert (shown["viewer"], shown["errors"], context.session_cookie) == (None, [], None)
    return str(shown["resetCode"])


async def test_a_forced_reset_ends_with_a_new_session(api: Api, owner: Viewer) -> None:
    code = await forced_to_reset(api, owner)
    context = api.context(None)
    failed = await api.ask(context, RESET, input={"resetCode": code, "password": "short"})
    assert failed["viewer"] is None
    assert [(error["code"], error["path"]) for error in failed["errors"]] == [("BAD_USER_INPUT", ["password"])]
    assert "minimum length" in failed["errors"][0]["message"]
    assert context.session_cookie is None
    done = await api.ask(context, RESET, input={"resetCode": failed["resetCode"], "password": "a better horse"})
    assert done == {"viewer": {"handle": "owner"}, "resetCode": None, "errors": []}
    assert await signed_in(api, context) == "owner"
    assert context.session_cookie is not None
    assert context.session_cookie.remember


@pytest.mark.parametrize("password", ["short", "a better horse"])
async def test_an_unknown_code_gives_no_other(api: Api, owner: Viewer, password: str) -> None:
    code = await forced_to_reset(api, owner)
    context = api.context(None)
    for wrong in ("", "x" * 43, code.swapcase(), "\0"):
        failed = await api.ask(context, RESET, input={"resetCode": wrong, "password": password})
        message = "Invalid reset code. Sign in again for another."
        invalid = {"code": "BAD_USER_INPUT", "message": message, "path": ["resetCode"]}
        assert failed == {"viewer": None, "resetCode": None, "errors": [invalid]}
    assert context.session_cookie is None


async def test_a_session_that_ended_at_birth_sets_no_cookie(api: Api, owner: Viewer) -> None:
    user = (await api.db.store.get_many(User, [owner.user_id]))[owner.user_id]
    await api.db.store.replace(ended(user))
    token = await api.db.sign_in.start_session(user, remember=False, address="192.0.2.1")
    context = api.context(None)
    with pytest.raises(Unauthenticated):
        await resolvers.viewer.signed_in(context, token)
    assert context.session_cookie is None


async def test_a_viewer_sees_their_own_account(api: Api) -> None:
    group = await stored_group(api.db, "Growers")
    _, viewer = await stored_user(api.db, "ada", group_ids=[group.id])
    await modify(
        api.db.store,
        User,
        viewer.user_id,
        lambda user: structs.replace(user, email="ada@example.org", primary_group_id=group.id),
    )
    query = """{ viewer { email lastPasswordChange primaryGroup { name }
        settings { showIds showVersions skipQuickAnalyzeDialog quickAnalyzeWorkflow } } }"""
    with api.statements() as statements:
        shown = await api.ask(viewer, query)
    assert len(statements) == 2
    user = (await api.db.store.get_many(User, [viewer.user_id]))[viewer.user_id]
    assert shown == {
        "email": "ada@example.org",
        "lastPasswordChange": user.last_password_change,
        "primaryGroup": {"name": "Growers"},
        "settings": {
            "showIds": True,
            "showVersions": True,
            "skipQuickAnalyzeDialog": True,
            "quickAnalyzeWorkflow": "PATHOSCOPE_BOWTIE",
        },
    }


async def test_of_many_first_users_at_once_there_is_one(api: Api) -> None:
    contexts = [api.context(None) for _ in range(20)]
    made = await asyncio.gather(
        *(
            api.ask(context, FIRST, input={"handle": f"first{number}", "password": PASSWORD})
            for number, context in enumerate(contexts)
        )
    )
    assert len([one for one in made if one["viewer"]]) == 1
    assert len([context for context in contexts if context.session_cookie]) == 1
    assert await api.db.store.count(User) == 1
