from typing import Any

import pytest
from redis.asyncio import Redis

from tests.db.reaching import client, waits, world
from tests.factories.api import Api
from tests.factories.outside import Reply, World, outside, reaching
from virtool_gql.access import Viewer
from virtool_gql.db.outside import SOFTWARE_SLUG
from virtool_gql.db.statuses import refresh_hmm
from virtool_gql.http import Client
from virtool_gql.models.users import Permission
from virtool_gql.version import running

__all__ = ["client", "waits", "world"]

HMMS = "virtool/virtool-hmm"
HMM = "id release { name newer downloadUrl } installed { name } updates { name } updating errors checkedAt version"
SOFTWARE = "id version releases { name newer } errors checkedAt"
CHECK_HMM = f"mutation {{ checkHmmRelease {{ hmmStatus {{ {HMM} }} errors {{ code message path }} }} }}"
CHECK_SOFTWARE = f"mutation {{ checkSoftwareReleases {{ software {{ {SOFTWARE} }} errors {{ code message }} }} }}"
WATCH = """subscription($ids: [ID!], $after: Cursor) { status(ids: $ids, after: $after) { operation ids status {
    __typename ... on HMMStatus { release { name } } ... on Software { errors } } } }"""


@pytest.fixture
def reached(api: Api, redis: Redis, world: World, client: Client) -> Api:
    """Give an API that can reach the world."""
    return Api(reaching(api.db, redis, outside(world, client, api.clock)), api.clock)


async def keeper(api: Api) -> Viewer:
    return await api.viewer("keeper", Permission.MODIFY_HMM)


async def test_nothing_is_known_at_first(reached: Api, stranger: Viewer) -> None:
    assert await reached.ask(stranger, f"{{ hmmStatus {{ {HMM} }} }}") == {
        "id": "status_hmm",
        "release": None,
        "installed": None,
        "updates": [],
        "updating": False,
        "errors": [],
        "checkedAt": None,
        "version": 0,
    }
    assert await reached.ask(stranger, f"{{ software {{ {SOFTWARE} }} }}") == {
        "id": "status_software",
        "version": running(),
        "releases": [],
        "errors": [],
        "checkedAt": None,
    }


@pytest.mark.parametrize("query", ["{ hmmStatus { id } }", "{ software { id } }"])
async def test_strangers_see_nothing(reached: Api, world: World, query: str) -> None:
    assert await reached.code(None, query) == "UNAUTHENTICATED"
    assert world.asked == []


async def test_strangers_watch_nothing(reached: Api) -> None:
    (error,) = await reached.refused(None, "subscription { status { ids } }")
    assert "Sign in" in str(error)


async def test_both_are_nodes(reached: Api, stranger: Viewer) -> None:
    node = "query($ids: [ID!]!) { nodes(ids: $ids) { __typename id } }"
    assert await reached.ask(stranger, node, ids=["status_hmm", "status_software", "status_other"]) == [
        {"__typename": "HMMStatus", "id": "status_hmm"},
        {"__typename": "Software", "id": "status_software"},
        None,
    ]


async def test_hmms_are_looked_for_now(reached: Api, world: World, stranger: Viewer) -> None:
    world.publish(world.release("v0.2.1"), slug=HMMS)
    (error,) = (await reached.ask(stranger, CHECK_HMM))["errors"]
    assert (error["code"], "MODIFY_HMM" in error["message"]) == ("FORBIDDEN", True)
    payload = await reached.ask(await keeper(reached), CHECK_HMM)
    assert payload["errors"] == []
    status = payload["hmmStatus"]
    url = f"{world.url}/download/v0.2.1/reference.json.gz"
    assert status["release"] == {"name": "v0.2.1", "newer": True, "downloadUrl": url}
    assert status["checkedAt"] is not None
    assert await reached.ask(stranger, f"{{ hmmStatus {{ {HMM} }} }}") == status


async def test_that_nobody_answers_is_told(reached: Api, world: World) -> None:
    world.set(f"/repos/{HMMS}/releases/latest", Reply(status=404))
    payload = await reached.ask(await keeper(reached), CHECK_HMM)
    message = "GitHub repository or release does not exist"
    assert payload["hmmStatus"] is None
    assert payload["errors"] == [{"code": "UPSTREAM_UNAVAILABLE", "message": message, "path": []}]
    assert (await reached.db.statuses.hmm()).errors == (message,)


async def test_software_is_looked_for_now_and_shown_by_its_channel(
    reached: Api, world: World, stranger: Viewer, administrator: Viewer
) -> None:
    names = ["v9.1.0-beta.1", "v9.0.0", "v0.0.1"]
    world.publish(*(world.release(name, id=id, assets=[]) for id, name in enumerate(names)), slug=SOFTWARE_SLUG)
    assert (await reached.ask(stranger, CHECK_SOFTWARE))["errors"][0]["code"] == "FORBIDDEN"
    payload = await reached.ask(administrator, CHECK_SOFTWARE)
    assert [release["name"] for release in payload["software"]["releases"]] == ["v9.0.0"]
    update = """mutation { updateSettings(input: { softwareChannel: BETA }) {
        settings { softwareChannel } errors { message } } }"""
    assert (await reached.ask(administrator, update))["settings"] == {"softwareChannel": "BETA"}
    told = await reached.ask(stranger, f"{{ software {{ {SOFTWARE} }} }}")
    assert [release["name"] for release in told["releases"]] == names[:2]


async def test_software_that_cannot_be_asked_for_is_told(reached: Api, world: World, administrator: Viewer) -> None:
    world.set(f"/repos/{SOFTWARE_SLUG}/releases", Reply(status=500))
    payload = await reached.ask(administrator, CHECK_SOFTWARE)
    assert payload["errors"] == [{"code": "UPSTREAM_UNAVAILABLE", "message": "Could not retrieve software releases"}]


async def test_changes_are_told_to_everybody(reached: Api, world: World, stranger: Viewer) -> None:
    after = await reached.cursor(stranger)
    async with (
        reached.subscribed(stranger, WATCH, after=after) as both,
        reached.subscribed(stranger, WATCH, after=after, ids=["status_hmm"]) as hmms,
    ):
        await reached.db.statuses.check_software(await administrator_of(reached, world))
        world.publish(world.release("v0.2.1"), slug=HMMS)
        await refresh_hmm(reached.db.instance)
        told: list[Any] = [await both.next(), await both.next()]
        assert told == [
            {"operation": "INSERT", "ids": ["status_software"], "status": {"__typename": "Software", "errors": []}},
            {
                "operation": "INSERT",
                "ids": ["status_hmm"],
                "status": {"__typename": "HMMStatus", "release": {"name": "v0.2.1"}},
            },
        ]
        assert (await hmms.next())["ids"] == ["status_hmm"]


async def administrator_of(api: Api, world: World) -> Viewer:
    world.publish(world.release("v9.0.0"), slug=SOFTWARE_SLUG)
    return await api.viewer("keeper of software", administrator=True)
