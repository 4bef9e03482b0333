"""The server and the world outside: releases found and installed by themselves, and all of it offline."""

import json
import os
import signal
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.db.test_genbank_records import RECORD
from tests.factories.conditions import eventually
from tests.factories.outside import Reply, World, world_in_a_thread
from tests.factories.reference_files import made_up_reference
from tests.factories.remotes import packed, released
from tests.live.server import LiveServer, SignedIn, signed_in

GOOD = made_up_reference(20, bases=5_000)
FILE = "/download/v1.0.0/reference.json.gz"
INSTALL = """mutation { installReference(input: {}) {
    reference { id } task { id } errors { code message } } }"""
TASK = "query($id: ID!) { task(id: $id) { state step error progress } }"
REFERENCES = "{ references { nodes { id ready otuCount release { name newer } remotesFrom { errors } } } }"


@pytest.fixture
def world() -> Iterator[World]:
    with world_in_a_thread() as world:
        yield world


@pytest.fixture
def server(tmp_path_factory: pytest.TempPathFactory, world: World) -> Iterator[LiveServer]:
    own = tmp_path_factory.mktemp("outside")
    arguments = ("--no-refreshing=false", "--refresh-seconds", "1", "--software-refresh-seconds", "1")
    arguments += ("--github-url", world.url, "--ncbi-url", world.url, "--log-level", "debug")
    arguments += ("--github-token", "geheimer", "--ncbi-api-key", "geheim")
    live = LiveServer(own / "data", arguments)
    live.start()
    yield live
    assert live.stop() == 0
    assert "geheim" not in live.log.read_text()


@pytest.fixture
def client(server: LiveServer) -> Iterator[SignedIn]:
    with signed_in(server) as client:
        yield client


def state_of(client: SignedIn, id: str) -> dict[str, Any]:
    return dict(client.run(TASK, id=id)["task"])


def installed(client: SignedIn) -> tuple[str, str]:
    payload = client.run(INSTALL)["installReference"]
    assert payload["errors"] == []
    return payload["reference"]["id"], payload["task"]["id"]


def test_releases_are_found_and_installed_by_themselves(client: SignedIn, world: World) -> None:
    released(world, "v1.0.0", GOOD)
    world.publish(world.release("v0.2.1"), slug="virtool/virtool-hmm")
    id, task_id = installed(client)
    eventually(lambda: state_of(client, task_id)["state"] == "COMPLETE")
    (reference,) = client.run(REFERENCES)["references"]["nodes"]
    assert (reference["id"], reference["ready"], reference["otuCount"]) == (id, True, 20)
    assert reference["release"] == {"name": "v1.0.0", "newer": False}
    released(world, "v1.1.0", GOOD, id=2)
    newer = {"name": "v1.1.0", "newer": True}
    eventually(lambda: client.run(REFERENCES)["references"]["nodes"][0]["release"] == newer)
    eventually(lambda: client.run("{ hmmStatus { release { name } } }")["hmmStatus"]["release"])
    world.publish()
    errors = ["GitHub repository or release does not exist"]
    eventually(lambda: client.run(REFERENCES)["references"]["nodes"][0]["remotesFrom"]["errors"] == errors)
    agents = {asked.headers["user-agent"] for asked in world.asked}
    version = client.run("{ server { version } }")["server"]["version"]
    assert f"virtool-gql/{version}" in agents
    assert all(agent.startswith("virtool-gql/") for agent in agents), agents
    assert client.get("/health/live").headers["x-virtool-version"] == version
    tokens = {(asked.path.startswith("/repos/"), asked.headers.get("authorization")) for asked in world.asked}
    assert (True, "Bearer geheimer") in tokens


def test_a_download_outlives_the_process_that_did_it(client: SignedIn, server: LiveServer, world: World) -> None:
    released(world, "v1.0.0", GOOD)
    whole = Reply(packed(GOOD), headers={"etag": '"1"'})
    world.set(FILE, replace(whole, piece=1_000, pause=0.2), whole)
    _, task_id = installed(client)
    eventually(lambda: FILE in world.paths())
    assert server.process is not None
    (child,) = (
        process
        for process in psutil.Process(server.process.pid).children()
        if "virtool_gql.tasks.child" in process.cmdline()
    )
    os.kill(child.pid, signal.SIGKILL)
    eventually(lambda: state_of(client, task_id)["state"] == "COMPLETE")
    (reference,) = client.run(REFERENCES)["references"]["nodes"]
    assert (reference["ready"], reference["otuCount"]) == (True, 20)
    left = {path.name for path in server.data_path.iterdir() if path.is_file()}
    assert not any("tmp" in name for name in left), left


def test_genbank_is_asked_with_the_key(client: SignedIn, world: World) -> None:
    world.set("/efetch.fcgi", Reply(RECORD.encode()))
    query = '{ genbank(accession: "NC_001929") { accession host } }'
    assert client.run(query)["genbank"]["accession"] == "NC_001929.1"
    assert world.asked[-1].query["api_key"] == "geheim"


def test_a_machine_without_internet_has_its_own_releases(tmp_path: Path) -> None:
    shelf = tmp_path / "shelf"
    shelf.mkdir()
    (shelf / "reference.json.gz").write_bytes(packed(GOOD))
    item = {"id": 1, "name": "v1.0.0", "filename": "reference.json.gz", "download_url": "reference.json.gz"}
    (shelf / "manifest.json").write_text(json.dumps({"ref-plant-viruses": [item]}))
    nowhere = ("--github-url", "http://127.0.0.1:9", "--reference-releases", str(shelf / "manifest.json"))
    server = LiveServer(tmp_path / "data", nowhere)
    server.start()
    with signed_in(server) as client:
        _, task_id = installed(client)
        eventually(lambda: state_of(client, task_id)["state"] == "COMPLETE")
        assert client.run(REFERENCES)["references"]["nodes"][0]["otuCount"] == 20
    assert server.stop() == 0
