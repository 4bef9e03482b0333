import asyncio

import pytest

from tests.factories.users import viewer_named
from virtool_gql.access import Viewer
from virtool_gql.db.database import Database
from virtool_gql.db.messages import MessageChanges, Messages
from virtool_gql.errors import BadUserInput, Conflict, Forbidden
from virtool_gql.models.settings import InstanceMessage, MessageColor
from virtool_gql.models.users import Permission
from virtool_gql.query import Eq, Page

ADMINISTRATOR = viewer_named("admin", administrator=True)
READER = viewer_named("reader")


@pytest.mark.parametrize(
    "viewer", [READER, viewer_named("able", *Permission), viewer_named("admin", *Permission, key_id="key00000")]
)
async def test_only_administrators_tell_everybody_something(db: Database, viewer: Viewer) -> None:
    shown = await db.messages.show(ADMINISTRATOR, "Hello", MessageColor.RED)
    for attempt in (
        db.messages.show(viewer, "", MessageColor.BLUE),
        db.messages.update(viewer, MessageChanges(message="")),
        db.messages.remove(viewer),
    ):
        with pytest.raises(Forbidden):
            await attempt
    assert await db.messages.active(viewer) == shown


async def test_one_message_is_shown_and_those_before_are_kept(each_db: Database) -> None:
    messages = each_db.messages
    assert await messages.active(READER) is None
    first = await messages.show(ADMINISTRATOR, " Maintenance\r\non Monday\n", MessageColor.YELLOW)
    assert (first.message, first.color, first.active, first.user_id) == (
        "Maintenance\non Monday",
        MessageColor.YELLOW,
        True,
        "admin",
    )
    second = await messages.show(ADMINISTRATOR, "On Tuesday", MessageColor.RED)
    assert await messages.active(READER) == second
    withdrawn = await messages.get(READER, first.id)
    assert (withdrawn.active, withdrawn.message, withdrawn.version) == (False, first.message, 2)
    changed = await messages.update(ADMINISTRATOR, MessageChanges(color=MessageColor.GREY), expected_version=1)
    assert (changed.id, changed.message, changed.color, changed.version) == (
        second.id,
        "On Tuesday",
        MessageColor.GREY,
        2,
    )
    assert changed.updated_at > second.updated_at
    assert await messages.update(ADMINISTRATOR, MessageChanges(message="On Tuesday")) == changed
    removed = await messages.remove(ADMINISTRATOR)
    assert (removed.id, removed.active, removed.version) == (second.id, False, 3)
    assert await messages.active(READER) is None
    assert await each_db.store.count(InstanceMessage) == 2


async def test_there_must_be_a_message_to_change(db: Database) -> None:
    for attempt in (
        db.messages.update(ADMINISTRATOR, MessageChanges(color=MessageColor.RED)),
        db.messages.update(ADMINISTRATOR, MessageChanges(color=MessageColor.RED), expected_version=1),
        db.messages.remove(ADMINISTRATOR),
    ):
        with pytest.raises(Conflict, match=r"No active message set\."):
            await attempt


async def test_an_expected_version_keeps_from_overwriting(db: Database) -> None:
    await db.messages.show(ADMINISTRATOR, "Hello", MessageColor.RED)
    with pytest.raises(Conflict, match="Somebody else changed the message first"):
        await db.messages.update(ADMINISTRATOR, MessageChanges(message="Bye"), expected_version=2)


@pytest.mark.parametrize("text", ["", " \n ", "\u200b\n\u2060", "a" * 2_001, "a\x00b", "a\x1b[31mb"])
async def test_a_text_that_is_not_acceptable_is_refused(db: Database, text: str) -> None:
    with pytest.raises(BadUserInput) as refused:
        await db.messages.show(ADMINISTRATOR, text, MessageColor.RED)
    assert refused.value.path == ("message",)
    shown = await db.messages.show(ADMINISTRATOR, "Hello", MessageColor.RED)
    with pytest.raises(BadUserInput):
        await db.messages.update(ADMINISTRATOR, MessageChanges(message=text))
    assert await db.messages.active(READER) == shown


async def test_of_many_at_once_one_stands_and_nobody_fails(each_db: Database) -> None:
    """The wrappers are those of several servers, so that they meet in the store."""
    servers = [each_db.messages, *(Messages(each_db.instance) for _ in range(4))]
    shown = await asyncio.gather(
        *(servers[number % 5].show(ADMINISTRATOR, f"Number {number}", MessageColor.BLUE) for number in range(50))
    )
    stored = (await each_db.store.find(InstanceMessage, page=Page(first=None))).documents
    assert {message.id for message in stored} == {message.id for message in shown}
    (active,) = (await each_db.store.find(InstanceMessage, Eq("active", value=True))).documents
    assert active == await each_db.messages.active(READER)
    assert active in shown


async def test_of_many_who_remove_one_does(db: Database) -> None:
    await db.messages.show(ADMINISTRATOR, "Hello", MessageColor.RED)
    results = await asyncio.gather(*(db.messages.remove(ADMINISTRATOR) for _ in range(20)), return_exceptions=True)
    assert sum(isinstance(result, InstanceMessage) for result in results) == 1
    assert all(str(result) == "No active message set." for result in results if isinstance(result, Exception))
