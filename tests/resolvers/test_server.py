from tests.factories.api import Api
from tests.factories.users import stored_user
from virtool_gql.access import Viewer
from virtool_gql.models.settings import SampleGroup, Settings
from virtool_gql.version import running

SERVER = "{ server { version setupRequired minimumPasswordLength } }"


async def test_a_stranger_learns_whether_to_set_up(api: Api) -> None:
    shown = {"version": running(), "setupRequired": True, "minimumPasswordLength": 8}
    assert await api.ask(None, SERVER) == shown
    await stored_user(api.db, "first")
    assert await api.ask(None, SERVER) == shown | {"setupRequired": False}


async def test_settings_are_those_that_are_stored(api: Api, owner: Viewer) -> None:
    query = "{ settings { minimumPasswordLength sampleGroup sampleAllRead sampleUniqueNames } }"
    assert await api.code(None, query) == "UNAUTHENTICATED"
    shown = await api.ask(owner, query)
    assert shown == {
        "minimumPasswordLength": 8,
        "sampleGroup": "NONE",
        "sampleAllRead": True,
        "sampleUniqueNames": True,
    }
    await api.db.store.insert(
        Settings(id="settings", minimum_password_length=12, sample_group=SampleGroup.FORCE_CHOICE)
    )
    shown = await api.ask(owner, query)
    assert (shown["minimumPasswordLength"], shown["sampleGroup"]) == (12, "FORCE_CHOICE")


async def test_the_cursor_is_the_one_that_was_taken_before_anything_was_read(api: Api, owner: Viewer) -> None:
    assert await api.code(None, "{ cursor }") == "UNAUTHENTICATED"
    context = api.context(owner)
    context.cursor = "7-0"
    assert await api.ask(context, "{ cursor }") == "7-0"
    assert await api.ask(owner, "{ cursor }") == await api.db.hub.cursor()
