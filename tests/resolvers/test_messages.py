from typing import Any

import pytest

from tests.factories.api import Api
from virtool_gql.access import Viewer
from virtool_gql.models.users import User

SHOWN = "{ instanceMessage { id message color active version user { handle } createdAt updatedAt } }"
ERRORS = "errors { code message path }"
SET = (
    "mutation($i: SetInstanceMessageInput!) "
    f"{{ setInstanceMessage(input: $i) {{ instanceMessage {{ id }} {ERRORS} }} }}"
)
UPDATE = (
    "mutation($i: UpdateInstanceMessageInput!) "
    f"{{ updateInstanceMessage(input: $i) {{ instanceMessage {{ message color version }} {ERRORS} }} }}"
)
REMOVE = f"mutation {{ removeInstanceMessage {{ instanceMessage {{ id active }} {ERRORS} }} }}"
WATCH = (
    "subscription($after: Cursor) "
    "{ instanceMessages(after: $after) { operation ids instanceMessage { message active } } }"
)

HELLO = {"message": "Hello\nyou", "color": "ORANGE"}


async def test_strangers_learn_nothing(api: Api, administrator: Viewer) -> None:
    await api.ask(administrator, SET, i=HELLO)
    assert await api.code(None, SHOWN) == "UNAUTHENTICATED"
    for operation, variables in ((SET, {"i": HELLO}), (UPDATE, {"i": {}}), (REMOVE, {})):
        assert await api.code(None, operation, **variables) == "UNAUTHENTICATED"
    assert [type(error).__name__ for error in await api.refused(None, WATCH)] == ["Unauthenticated"]


@pytest.mark.parametrize(
    ("operation", "variables"), [(SET, {"i": HELLO}), (UPDATE, {"i": {"message": None}}), (REMOVE, {})]
)
async def test_users_read_and_change_nothing(
    api: Api, administrator: Viewer, owner: Viewer, operation: str, variables: dict[str, Any]
) -> None:
    assert await api.ask(owner, SHOWN) is None
    payload = await api.ask(owner, operation, **variables)
    assert [error["code"] for error in payload["errors"]] == ["FORBIDDEN"]
    await api.ask(administrator, SET, i=HELLO)
    assert (await api.ask(owner, SHOWN))["message"] == "Hello\nyou"
    payload = await api.ask(owner, operation, **variables)
    assert [error["code"] for error in payload["errors"]] == ["FORBIDDEN"]
    assert (await api.ask(owner, SHOWN))["version"] == 1


async def test_a_message_is_set_changed_and_removed(api: Api, administrator: Viewer, owner: Viewer) -> None:
    for operation, variables in ((UPDATE, {"i": {"color": "RED"}}), (REMOVE, {})):
        payload = await api.ask(administrator, operation, **variables)
        assert payload["errors"] == [{"code": "CONFLICT", "message": "No active message set.", "path": []}]
    assert (await api.ask(administrator, SET, i=HELLO))["errors"] == []
    shown = await api.ask(owner, SHOWN)
    assert shown["user"] == {"handle": "administrator"}
    node = "query($id: ID!) { node(id: $id) { id ... on InstanceMessage { color active } } }"
    assert await api.ask(owner, node, id=shown["id"]) == {"id": shown["id"], "color": "ORANGE", "active": True}
    payload = await api.ask(administrator, UPDATE, i={"color": "GREY", "expectedVersion": 1})
    assert payload["instanceMessage"] == {"message": "Hello\nyou", "color": "GREY", "version": 2}
    payload = await api.ask(administrator, UPDATE, i={"color": "RED", "expectedVersion": 1})
    assert payload["errors"][0]["code"] == "CONFLICT"
    for null in ("message", "color"):
        payload = await api.ask(administrator, UPDATE, i={null: None})
        assert (payload["errors"][0]["code"], payload["errors"][0]["path"]) == ("BAD_USER_INPUT", [null])
    assert (await api.ask(administrator, REMOVE))["instanceMessage"] == {"id": shown["id"], "active": False}
    assert await api.ask(owner, SHOWN) is None


async def test_the_message_of_somebody_who_is_gone_is_still_shown(
    api: Api, administrator: Viewer, owner: Viewer
) -> None:
    await api.ask(administrator, SET, i=HELLO)
    user = await api.db.store.get(User, administrator.user_id)
    assert user is not None
    await api.db.store.delete(user)
    assert (await api.ask(owner, SHOWN))["message"] == "Hello\nyou"


async def test_whoever_saw_a_message_hears_that_it_is_taken_away(
    api: Api, administrator: Viewer, stranger: Viewer
) -> None:
    begin = await api.cursor(stranger)
    async with api.subscribed(stranger, WATCH) as live:
        first = (await api.ask(administrator, SET, i=HELLO))["instanceMessage"]["id"]
        assert (await live.next())["instanceMessage"] == {"message": "Hello\nyou", "active": True}
        second = (await api.ask(administrator, SET, i={"message": "New", "color": "RED"}))["instanceMessage"]["id"]
        taken, new = await live.next(), await live.next()
        assert (taken["ids"], taken["instanceMessage"]["active"]) == ([first], False)
        assert (new["operation"], new["ids"], new["instanceMessage"]["message"]) == ("INSERT", [second], "New")
        await api.ask(administrator, REMOVE)
        gone = await live.next()
        assert (gone["operation"], gone["ids"], gone["instanceMessage"]["active"]) == ("UPDATE", [second], False)
    async with api.subscribed(stranger, WATCH, after=begin) as replayed:
        assert [(await replayed.next())["instanceMessage"]["active"] for _ in range(4)] == [True, False, True, False]


async def test_changes_tell_of_messages_too(api: Api, administrator: Viewer, stranger: Viewer) -> None:
    query = (
        "subscription { changes(collections: [INSTANCE_MESSAGES]) "
        "{ ids ... on InstanceMessageChange { instanceMessage { active } } } }"
    )
    async with api.subscribed(stranger, query) as live:
        id = (await api.ask(administrator, SET, i=HELLO))["instanceMessage"]["id"]
        assert await live.next() == {"ids": [id], "instanceMessage": {"active": True}}
