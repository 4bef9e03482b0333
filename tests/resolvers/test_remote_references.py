from typing import Any

import pytest
from msgspec import structs
from redis.asyncio import Redis

from tests.db.reaching import client, waits, world
from tests.factories.api import Api
from tests.factories.outside import Reply, World, outside, reaching
from tests.factories.reference_files import changed, made_up_reference
from tests.factories.remotes import SLUG, released
from tests.factories.tasks import performed
from virtool_gql.access import Viewer
from virtool_gql.http import Client
from virtool_gql.models.references import Reference
from virtool_gql.models.users import Permission

__all__ = ["client", "waits", "world"]

GOOD = made_up_reference()
REMOTE = """id name description ready updating organism otuCount remotesFrom { slug errors }
    release { releaseId name newer } installed { name ready user { handle } } updates { name ready }"""
ANSWER = f"reference {{ {REMOTE} }} errors {{ code message path }}"
INSTALL = f"""mutation($input: InstallReferenceInput!) {{ installReference(input: $input) {{
    {ANSWER} task {{ id type state }} }} }}"""
CHECK = f"mutation($input: CheckReferenceReleaseInput!) {{ checkReferenceRelease(input: $input) {{ {ANSWER} }} }}"
UPDATE = f"""mutation($input: UpdateReferenceFromReleaseInput!) {{ updateReferenceFromRelease(input: $input) {{
    {ANSWER} task {{ id type state }} }} }}"""
ONE = f"query($id: ID!) {{ reference(id: $id) {{ {REMOTE} task {{ id complete error }} }} }}"


@pytest.fixture
def reached(api: Api, redis: Redis, world: World, client: Client) -> Api:
    """Give an API that can reach the world."""
    return Api(reaching(api.db, redis, outside(world, client, api.clock)), api.clock)


@pytest.fixture
async def curator(reached: Api) -> Viewer:
    return await reached.viewer("curator", Permission.CREATE_REF)


async def installed(api: Api, curator: Viewer, **input: Any) -> dict[str, Any]:
    payload = await api.ask(curator, INSTALL, input=input)
    assert payload["errors"] == []
    await performed(api.db, payload["task"]["id"].removeprefix("task_"))
    shown: dict[str, Any] = await api.ask(curator, ONE, id=payload["reference"]["id"])
    return shown


async def test_a_release_is_installed_and_brought_to_a_newer_one(reached: Api, world: World, curator: Viewer) -> None:
    assert await reached.ask(curator, "{ officialInstalled }") is False
    released(world, "v1.0.0", GOOD)
    payload = await reached.ask(curator, INSTALL, input={})
    assert payload["task"] | {"id": ""} == {"id": "", "type": "REMOTE_REFERENCE", "state": "WAITING"}
    assert payload["reference"] | {"id": ""} == {
        "id": "",
        "name": "Plant Viruses",
        "description": "The official plant virus reference from the Virtool developers",
        "ready": False,
        "updating": True,
        "organism": "",
        "otuCount": 0,
        "remotesFrom": {"slug": SLUG, "errors": []},
        "release": {"releaseId": "1", "name": "v1.0.0", "newer": True},
        "installed": None,
        "updates": [{"name": "v1.0.0", "ready": False}],
    }
    await performed(reached.db, payload["task"]["id"].removeprefix("task_"))
    id = payload["reference"]["id"]
    shown = await reached.ask(curator, ONE, id=id)
    assert (shown["ready"], shown["updating"], shown["otuCount"], shown["organism"]) == (True, False, 3, "virus")
    assert shown["installed"] == {"name": "v1.0.0", "ready": True, "user": {"handle": "curator"}}
    assert shown["release"]["newer"] is False
    assert shown["task"]["complete"] is True
    assert await reached.ask(curator, "{ officialInstalled }") is True

    released(world, "v1.1.0", changed(GOOD, "otus.0.name", "Renamed virus"), id=2)
    checked = await reached.ask(curator, CHECK, input={"id": id})
    assert checked["reference"]["release"] == {"releaseId": "2", "name": "v1.1.0", "newer": True}
    begun = await reached.ask(curator, UPDATE, input={"id": id})
    assert begun["errors"] == []
    assert begun["reference"]["updating"] is True
    assert begun["task"]["type"] == "UPDATE_REMOTE_REFERENCE"
    await performed(reached.db, begun["task"]["id"].removeprefix("task_"))
    shown = await reached.ask(curator, ONE, id=id)
    assert (shown["updating"], shown["installed"]["name"]) == (False, "v1.1.0")
    assert [update["name"] for update in shown["updates"]] == ["v1.1.0", "v1.0.0"]
    otus = await reached.ask(curator, "query($id: ID!) { otus(referenceId: $id) { nodes { name } } }", id=id)
    assert "Renamed virus" in [otu["name"] for otu in otus["nodes"]]


async def test_who_may_do_what(reached: Api, world: World, curator: Viewer, stranger: Viewer) -> None:
    released(world, "v1.0.0", GOOD)
    (error,) = (await reached.ask(stranger, INSTALL, input={}))["errors"]
    assert (error["code"], "CREATE_REF" in error["message"]) == ("FORBIDDEN", True)
    id = (await installed(reached, curator))["id"]
    for mutation in (CHECK, UPDATE):
        (error,) = (await reached.ask(stranger, mutation, input={"id": id}))["errors"]
        assert (error["code"], error["path"]) == ("NOT_FOUND", ["id"])
        assert await reached.code(None, mutation, input={"id": id}) == "UNAUTHENTICATED"
    assert await reached.code(None, INSTALL, input={}) == "UNAUTHENTICATED"


async def test_a_release_can_be_named_by_a_number_or_a_text(reached: Api, world: World, curator: Viewer) -> None:
    world.publish(world.release("v1.5.0", id=2), world.release("v1.4.0", id=11447367))
    for release_id in (11447367, "11447367"):
        payload = await reached.ask(
            curator, INSTALL, input={"releaseId": release_id, "name": "Ours", "description": ""}
        )
        assert payload["reference"]["release"]["name"] == "v1.4.0"
        assert (payload["reference"]["name"], payload["reference"]["description"]) == ("Ours", "")


@pytest.mark.parametrize(
    ("input", "path"),
    [({"slug": "virtool/other"}, ["slug"]), ({"releaseId": "9"}, ["releaseId"]), ({"name": " "}, ["name"])],
)
async def test_what_is_at_fault_is_named(
    reached: Api, world: World, curator: Viewer, input: dict[str, str], path: list[str]
) -> None:
    released(world, "v1.0.0", GOOD)
    (error,) = (await reached.ask(curator, INSTALL, input=input))["errors"]
    assert (error["code"], error["path"]) == ("BAD_USER_INPUT", path)


async def test_why_the_latest_release_is_not_known_is_shown(reached: Api, world: World, curator: Viewer) -> None:
    released(world, "v1.0.0", GOOD)
    id = (await installed(reached, curator))["id"]
    world.set(f"/repos/{SLUG}/releases/latest", Reply(status=404))
    payload = await reached.ask(curator, CHECK, input={"id": id})
    message = "Release repository does not exist on GitHub"
    assert payload["errors"] == [{"code": "UPSTREAM_UNAVAILABLE", "message": message, "path": []}]
    shown = await reached.ask(curator, ONE, id=id)
    assert shown["remotesFrom"]["errors"] == ["GitHub repository or release does not exist"]
    assert shown["release"]["name"] == "v1.0.0"


async def test_an_update_without_a_newer_release_is_refused(reached: Api, world: World, curator: Viewer) -> None:
    released(world, "v1.0.0", GOOD)
    id = (await installed(reached, curator))["id"]
    (error,) = (await reached.ask(curator, UPDATE, input={"id": id}))["errors"]
    assert error["code"] == "CONFLICT"
    reference = await reached.store.get(Reference, id.removeprefix("reference_"))
    assert reference is not None
    await reached.store.replace(structs.replace(reference, release=None))
    (error,) = (await reached.ask(curator, UPDATE, input={"id": id}))["errors"]
    assert (error["code"], error["message"]) == ("BAD_USER_INPUT", "Target release does not exist")


async def test_the_same_key_installs_once(reached: Api, world: World, curator: Viewer) -> None:
    released(world, "v1.0.0", GOOD)
    ids = {(await reached.ask(curator, INSTALL, input={"idempotencyKey": "k"}))["reference"]["id"] for _ in range(3)}
    assert len(ids) == 1
