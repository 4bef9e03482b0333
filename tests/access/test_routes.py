"""What each role gets of each download and upload."""

import gzip
from collections.abc import Awaitable, Callable, Mapping

import httpx
import pytest

from tests.access.rules import ROUTES, Role
from tests.access.world import SEQUENCES, UNSEEN, Person, World
from virtool_gql.web.explorer import FOLDER


async def of_file(world: World, person: Person) -> httpx.Response:
    return await world.client.get(f"/downloads/files/{world.shown['file']}", headers=person.headers)


async def of_reads(world: World, person: Person) -> httpx.Response:
    return await world.client.get(f"/downloads/samples/{world.shown['sample']}/reads_1.fq.gz", headers=person.headers)


async def upload(world: World, person: Person) -> httpx.Response:
    parameters = {"name": "reads.fq", "type": "READS"}
    return await world.client.post("/uploads", params=parameters, content=SEQUENCES, headers=person.headers)


def of_shown(kind: str, path: str) -> Callable[[World, Person], Awaitable[httpx.Response]]:
    async def ask(world: World, person: Person) -> httpx.Response:
        return await world.client.get(f"/downloads/{path.format(world.shown[kind])}", headers=person.headers)

    return ask


def of(path: str) -> Callable[[World, Person], Awaitable[httpx.Response]]:
    async def ask(world: World, person: Person) -> httpx.Response:
        return await world.client.get(path, headers=person.headers, follow_redirects=True)

    return ask


ASKED: Mapping[str, Callable[[World, Person], Awaitable[httpx.Response]]] = {
    "GET /downloads/files/{id}": of_file,
    "GET /downloads/samples/{id}/reads_{number:int}.fq.gz": of_reads,
    "GET /downloads/references/{id}/reference.json.gz": of_shown("reference", "references/{}/reference.json.gz"),
    "GET /downloads/indexes/{id}/reference.json.gz": of_shown("index", "indexes/{}/reference.json.gz"),
    "GET /downloads/otus/{id}.fa": of_shown("otu", "otus/{}.fa"),
    "GET /downloads/isolates/{id}.fa": of_shown("isolate", "isolates/{}.fa"),
    "GET /downloads/sequences/{id}.fa": of_shown("sequence", "sequences/{}.fa"),
    "POST /uploads": upload,
    "GET /health/live": of("/health/live"),
    "GET /health/ready": of("/health/ready"),
    "GET /explorer": of("/explorer/index.html"),
}


def test_each_route_is_asked() -> None:
    assert ASKED.keys() == ROUTES.keys()


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("route", ROUTES)
async def test_routes(world: World, route: str, role: Role) -> None:
    if route == "GET /explorer" and not FOLDER.is_dir():
        pytest.skip("left out: npm has not built the explorer")
    answer = await ASKED[route](world, world.standing[role])
    found = "yes" if answer.is_success else str(answer.status_code)
    assert found == ROUTES[route][role], answer.text
    if found == "yes" and route.startswith("GET /downloads"):
        content = gzip.decompress(answer.content) if route.endswith("json.gz") else answer.content
        assert UNSEEN.encode() in content or content == SEQUENCES or route.endswith(".fa")
        assert content
    else:
        world.standing[role].check(answer.text)


@pytest.mark.parametrize("role", Role)
async def test_a_head_request_tells_no_more_than_a_get(world: World, role: Role) -> None:
    for path in (
        f"/downloads/samples/{world.shown['sample']}/reads_1.fq.gz",
        f"/downloads/files/{world.shown['file']}",
        f"/downloads/references/{world.shown['reference']}/reference.json.gz",
        f"/downloads/indexes/{world.shown['index']}/reference.json.gz",
        f"/downloads/otus/{world.shown['otu']}.fa",
        f"/downloads/isolates/{world.shown['isolate']}.fa",
        f"/downloads/sequences/{world.shown['sequence']}.fa",
    ):
        headers = world.standing[role].headers
        head = await world.client.head(path, headers=headers)
        assert head.status_code == (await world.client.get(path, headers=headers)).status_code


async def test_the_key_of_somebody_deactivated_opens_nothing(world: World) -> None:
    owner = await world.user(Role.ADMINISTRATOR, active=False)
    _, headers = await world.key(owner, administrator=True)
    asked = await world.client.post("/graphql", json={"query": "{ server { version } }"}, headers=headers)
    loaded = await world.client.get(f"/downloads/files/{world.shown['file']}", headers=headers)
    assert (asked.status_code, loaded.status_code) == (401, 401)
