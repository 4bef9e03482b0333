"""The process of tasks as the server runs it: killed, with and without its server, and work goes on."""

import signal
from pathlib import Path

import psutil
import pytest

from tests.factories.conditions import eventually
from tests.factories.reference_files import made_up_reference, written
from tests.live.server import LiveServer, SignedIn, signed_in

IMPORT = """mutation($i: ImportReferenceInput!) { importReference(input: $i) {
    reference { id } task { id } errors { message } } }"""
STATE = """query($reference: ID!, $task: ID!) {
    reference(id: $reference) { ready otuCount } task(id: $task) { state step progress error } }"""
OTUS = 4000


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A reference that takes a while to be imported."""
    path = tmp_path_factory.mktemp("reference") / "reference.json.gz"
    return written(path, made_up_reference(OTUS))


def imported(client: SignedIn, file: Path) -> dict[str, str]:
    file_id = client.upload(file, "REFERENCE")
    payload = client.run(IMPORT, i={"name": "Made up", "fileId": file_id})["importReference"]
    assert payload["errors"] == []
    return {"reference": payload["reference"]["id"], "task": payload["task"]["id"]}


def is_half_way(client: SignedIn, ids: dict[str, str]) -> bool:
    task = client.run(STATE, **ids)["task"]
    assert task["state"] in {"WAITING", "RUNNING"}, task
    return task["step"] == "insert"


def is_complete(client: SignedIn, ids: dict[str, str]) -> bool:
    seen = client.run(STATE, **ids)
    assert seen["task"]["error"] is None, seen
    return seen["task"]["state"] == "COMPLETE" and seen["reference"] == {"ready": True, "otuCount": OTUS}


def task_process(server: LiveServer) -> psutil.Process | None:
    assert server.process is not None
    for child in psutil.Process(server.process.pid).children():
        if "virtool_gql.tasks.child" in child.cmdline():
            return child
    return None


def test_an_import_outlives_the_death_of_its_server(mortal: LiveServer, file: Path) -> None:
    with signed_in(mortal) as client:
        ids = imported(client, file)
        eventually(lambda: is_half_way(client, ids))
        child = task_process(mortal)
    mortal.stop(signal.SIGKILL)
    assert child is not None
    psutil.wait_procs([child], timeout=20)
    assert not child.is_running()
    mortal.start()
    with signed_in(mortal) as client:
        eventually(lambda: is_complete(client, ids))


def test_an_import_outlives_the_death_of_the_process_that_does_it(mortal: LiveServer, file: Path) -> None:
    with signed_in(mortal) as client:
        ids = imported(client, file)
        eventually(lambda: is_half_way(client, ids))
        child = task_process(mortal)
        assert child is not None
        child.kill()
        eventually(lambda: is_complete(client, ids))
        assert client.run("{ files { nodes { reserved } } }")["files"]["nodes"] == [{"reserved": False}]


def test_an_import_is_put_off_by_an_orderly_end_of_the_server(mortal: LiveServer, file: Path) -> None:
    with signed_in(mortal) as client:
        ids = imported(client, file)
        eventually(lambda: is_half_way(client, ids))
    assert mortal.stop() == 0
    mortal.start()
    with signed_in(mortal) as client:
        eventually(lambda: is_complete(client, ids))


def test_a_server_can_leave_tasks_to_others(tmp_path: Path) -> None:
    server = LiveServer(tmp_path / "data", arguments=("--no-tasks",))
    server.start()
    try:
        assert task_process(server) is None
    finally:
        assert server.stop() == 0
