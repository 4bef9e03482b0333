"""References as people bring them and take them away; killed servers and workers do not harm them."""

import gzip
import json
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.factories.conditions import eventually
from tests.factories.reference_files import (
    OFFICIAL,
    REAL_REFERENCES,
    Contents,
    canonical,
    made_up_reference,
    written,
)
from tests.live.server import LiveServer, SignedIn, signed_in

IMPORT = """mutation($i: ImportReferenceInput!) { importReference(input: $i) {
  reference { id } task { id } errors { message } } }"""
TASK = "query($id: ID!) { task(id: $id) { state step progress error problems { message otuName } } }"
REFERENCE = """query($id: ID!) { reference(id: $id) { ready otuCount } otus(referenceId: $id) { totalCount }
  history(referenceId: $id) { totalCount } }"""
MOST_MEGABYTES = 500
OTUS = 1_000


@pytest.fixture(scope="module")
def mortal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """A server to be killed again and again."""
    server = LiveServer(tmp_path_factory.mktemp("mortal") / "data")
    server.start()
    yield server
    if server.process is not None and server.process.poll() is None:
        server.stop()


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file that takes long enough to be caught."""
    return written(tmp_path_factory.mktemp("large") / "large.json.gz", made_up_reference(OTUS, 1, bases=10_000))


def begun(client: SignedIn, path: Path) -> tuple[str, str]:
    """Upload and import a file; give the ids of reference and task."""
    file_id = client.upload(path, "REFERENCE")
    payload = client.run(IMPORT, i={"fileId": file_id, "name": path.name})["importReference"]
    assert payload["errors"] == []
    return payload["reference"]["id"], payload["task"]["id"]


def has_ended(client: SignedIn, task_id: str) -> dict[str, Any] | None:
    task = dict(client.run(TASK, id=task_id)["task"])
    return task if task["state"] in {"COMPLETE", "FAILED"} else None


def ended(client: SignedIn, task_id: str) -> dict[str, Any]:
    found = eventually(lambda: has_ended(client, task_id))
    assert found
    return found


def inserting(client: SignedIn, task_id: str) -> bool:
    task = client.run(TASK, id=task_id)["task"]
    assert task["state"] in {"WAITING", "RUNNING"}, "it was too fast to be caught"
    return bool(task["step"] == "insert")


def worker_of(server: LiveServer) -> psutil.Process:
    assert server.process is not None
    children = psutil.Process(server.process.pid).children(recursive=True)
    return next(child for child in children if "virtool_gql.tasks.child" in child.cmdline())


def peak_megabytes(process: psutil.Process) -> float:
    status = Path(f"/proc/{process.pid}/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


def exported(client: SignedIn, reference_id: str) -> Contents:
    response = client.get(f"/downloads/references/{reference_id}/reference.json.gz")
    assert response.status_code == 200
    return dict(json.loads(gzip.decompress(response.content)))


def count_of(client: SignedIn, reference_id: str) -> tuple[int, int]:
    """Give the numbers of OTUs and of entries of the history."""
    found = client.run(REFERENCE, id=reference_id)
    return found["otus"]["totalCount"], found["history"]["totalCount"]


def test_a_reference_comes_and_goes(client: SignedIn, server: LiveServer, large: Path) -> None:
    path = OFFICIAL if REAL_REFERENCES.is_dir() else large
    contents = json.loads(gzip.decompress(path.read_bytes()))
    reference_id, task_id = begun(client, path)
    task = ended(client, task_id)
    assert (task["state"], task["error"], task["progress"]) == ("COMPLETE", None, 1)
    assert count_of(client, reference_id) == (len(contents["otus"]),) * 2
    assert peak_megabytes(worker_of(server)) < MOST_MEGABYTES
    assert exported(client, reference_id) == canonical(contents)


def test_a_broken_file_leaves_nothing(client: SignedIn, tmp_path: Path) -> None:
    contents = made_up_reference(2)
    contents["otus"][1] |= {"name": "MADE-UP VIRUS 00000", "isolates": []}
    reference_id, task_id = begun(client, written(tmp_path / "broken.json.gz", contents))
    task = ended(client, task_id)
    assert task["state"] == "FAILED"
    assert [problem["otuName"] for problem in task["problems"]] == ["MADE-UP VIRUS 00000"] * 2
    assert client.run("query($id: ID!) { reference(id: $id) { id } }", id=reference_id) == {"reference": None}


def test_an_import_whose_worker_is_killed_is_done_once(mortal: LiveServer, large: Path) -> None:
    with signed_in(mortal) as client:
        reference_id, task_id = begun(client, large)
        eventually(lambda: inserting(client, task_id))
        worker_of(mortal).kill()
        assert ended(client, task_id)["state"] == "COMPLETE"
        assert count_of(client, reference_id) == (OTUS, OTUS)


def test_an_import_that_dies_with_the_server_leaves_nothing_until_it_is_done_again(
    mortal: LiveServer, large: Path
) -> None:
    with signed_in(mortal) as client:
        reference_id, task_id = begun(client, large)
        eventually(lambda: inserting(client, task_id))
        mortal.stop(signal.SIGKILL)
    mortal.arguments = ("--no-tasks",)
    mortal.start()
    with signed_in(mortal) as client:
        assert client.run(REFERENCE, id=reference_id)["reference"] == {"ready": False, "otuCount": 0}
        assert count_of(client, reference_id) == (0, 0)
    mortal.stop()
    mortal.arguments = ()
    mortal.start()
    with signed_in(mortal) as client:
        assert ended(client, task_id)["state"] == "COMPLETE"
        assert count_of(client, reference_id) == (OTUS, OTUS)
        assert client.run("{ files(filter: {reserved: true}) { totalCount } }") == {"files": {"totalCount": 0}}
