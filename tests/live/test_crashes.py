"""Processes killed at bad moments: what was acknowledged is there after the next start, and work goes on."""

import signal
import socket
import time
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from jobs.simulate import simulate_genome, simulate_pairs
from tests.factories.conditions import eventually
from tests.live.server import LiveServer, SignedIn, signed_in

CREATE = "mutation($i: CreateSampleInput!) { createSample(input: $i) { sample { id } job { id } errors { message } } }"
STATE = "query($sample: ID!, $job: ID!) { sample(id: $sample) { ready quality { count } } job(id: $job) { state } }"
PAIRS = 30_000


@pytest.fixture(scope="module")
def reads(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Enough reads for a job that can be caught at work."""
    return simulate_pairs(simulate_genome(seed=11), PAIRS, seed=11, folder=tmp_path_factory.mktemp("reads"))


def child_called(server: LiveServer, *names: str) -> psutil.Process:
    assert server.process is not None
    children = psutil.Process(server.process.pid).children(recursive=True)
    return next(child for child in children if any(name in " ".join(child.cmdline()) for name in names))


def created(client: SignedIn, reads: tuple[Path, Path], name: str = "Mortal") -> dict[str, str]:
    file_ids = [client.upload(path) for path in reads]
    payload = client.run(CREATE, i={"name": name, "fileIds": file_ids})["createSample"]
    assert payload["errors"] == []
    return {"sample": payload["sample"]["id"], "job": payload["job"]["id"]}


def is_complete(client: SignedIn, ids: dict[str, str]) -> bool:
    seen = client.run(STATE, **ids)
    assert seen["job"]["state"] in {"WAITING", "PREPARING", "RUNNING", "COMPLETE"}, seen
    return bool(seen["sample"]["ready"] and seen["sample"]["quality"]["count"] == 2 * PAIRS)


def test_a_server_killed_while_it_works_goes_on_where_it_was(mortal: LiveServer, reads: tuple[Path, Path]) -> None:
    with signed_in(mortal) as client:
        ids = created(client, reads)
        eventually(lambda: client.run(STATE, **ids)["job"]["state"] == "RUNNING")
    mortal.stop(signal.SIGKILL)
    mortal.start()
    with signed_in(mortal) as client:
        eventually(lambda: is_complete(client, ids))


def test_what_was_acknowledged_right_before_a_kill_is_there(mortal: LiveServer, tmp_path: Path) -> None:
    with signed_in(mortal) as client:
        reads = tmp_path / "last.fq"
        reads.write_text("@r\nACGT\n+\nIIII\n")
        file_id = client.upload(reads)
        mortal.stop(signal.SIGKILL)
    mortal.start()
    with signed_in(mortal) as client:
        found = client.run("query($id: ID!) { file(id: $id) { name ready size } }", id=file_id)
        assert found == {"file": {"name": "last.fq", "ready": True, "size": 15}}
        assert client.get(f"/downloads/files/{file_id}").text == "@r\nACGT\n+\nIIII\n"


def test_an_upload_that_dies_with_the_server_leaves_nothing(mortal: LiveServer) -> None:
    with signed_in(mortal) as client, socket.create_connection(("127.0.0.1", mortal.port)) as connection:
        head = f"POST /uploads?name=cut.fq&type=READS HTTP/1.1\r\nHost: x\r\nCookie: {client.cookie}\r\n"
        head += "Content-Type: application/octet-stream\r\nContent-Length: 9000000\r\n\r\n"
        connection.sendall(head.encode() + bytes(5_000_000))
        files = mortal.data_path / "files"
        eventually(lambda: [path for path in files.iterdir() if path.stat().st_size])
        assert client.run("{ files { totalCount } }") == {"files": {"totalCount": 1}}
        mortal.stop(signal.SIGKILL)
    mortal.start()
    with signed_in(mortal) as client:
        assert client.run("{ files { totalCount } }") == {"files": {"totalCount": 0}}
    assert list(files.iterdir()) == []


def test_a_killed_job_process_is_replaced(mortal: LiveServer, reads: tuple[Path, Path]) -> None:
    with signed_in(mortal) as client:
        ids = created(client, reads)
        eventually(lambda: client.run(STATE, **ids)["job"]["state"] == "RUNNING")
        child_called(mortal, "jobs.child").kill()
        ended = eventually(lambda: _ended(client, ids["job"]))
        assert ended["state"] == "ERROR"
        assert "died" in ended["error"]["message"]
        again = client.run("{ files(filter: { reserved: false }) { nodes { id } } }")["files"]["nodes"]
        assert len(again) == 2
        retry = client.run(CREATE, i={"name": "Retry", "fileIds": [node["id"] for node in again]})["createSample"]
        eventually(lambda: is_complete(client, {"sample": retry["sample"]["id"], "job": retry["job"]["id"]}))


def _ended(client: SignedIn, job_id: str) -> dict[str, Any] | None:
    job = client.run("query($id: ID!) { job(id: $id) { state error { message } } }", id=job_id)["job"]
    return job if job["state"] in {"ERROR", "COMPLETE", "CANCELLED", "TERMINATED"} else None


@pytest.mark.parametrize("name", ["redis-server", "postgres"])
def test_a_killed_store_comes_back_with_all_that_it_had(mortal: LiveServer, name: str, tmp_path: Path) -> None:
    reads = tmp_path / "kept.fq"
    reads.write_text("@r\nACGT\n+\nIIII\n")
    with signed_in(mortal) as client:
        file_id = client.upload(reads)
        child_called(mortal, f"/{name}").send_signal(signal.SIGKILL)
        eventually(lambda: _answers(client, file_id))
        assert client.run("{ viewer { handle } }")["viewer"] is not None
        assert client.upload(reads)
    assert mortal.stop() == 0


def _answers(client: SignedIn, id: str, noun: str = "file") -> bool:
    query = {"query": f"query($id: ID!) {{ {noun}(id: $id) {{ name }} }}", "variables": {"id": id}}
    try:
        answer = client.post("/graphql", json=query)
        return bool((answer.json().get("data") or {}).get(noun))
    except (httpx.HTTPError, ValueError):
        return False


def test_no_process_stays_behind_a_killed_server(mortal: LiveServer) -> None:
    assert mortal.process is not None
    family = psutil.Process(mortal.process.pid).children(recursive=True)
    assert family
    mortal.stop(signal.SIGKILL)
    _, alive = psutil.wait_procs(family, timeout=20)
    assert not alive


def test_a_server_with_open_event_streams_stops_at_once(mortal: LiveServer) -> None:
    query = {"query": "subscription { samples { cursor } }"}
    headers = {"accept": "text/event-stream"}
    with signed_in(mortal) as client, client.stream("POST", "/graphql", json=query, headers=headers) as stream:
        chunks = stream.iter_raw()
        assert next(chunks)
        started = time.monotonic()
        assert mortal.stop() == 0
        assert time.monotonic() - started < 8
        assert b"complete" not in b"".join(chunks)


def test_samples_on_their_way_outlive_whatever_is_killed(mortal: LiveServer, reads: tuple[Path, Path]) -> None:
    samples: list[dict[str, str]] = []
    for victim in ("postgres", "server", "redis-server"):
        with signed_in(mortal) as client:
            samples += [created(client, reads, f"{victim} {number}") for number in range(3)]
            if victim != "server":
                child_called(mortal, f"/{victim}").kill()
                eventually(partial(_answers, client, samples[-1]["sample"], "sample"))
        if victim == "server":
            mortal.stop(signal.SIGKILL)
            mortal.start()
    with signed_in(mortal) as client:
        for ids in samples:
            eventually(partial(is_complete, client, ids))
        eventually(lambda: client.run("{ files { totalCount } }")["files"]["totalCount"] == 0)
    eventually(lambda: not list((mortal.data_path / "files").iterdir()))
    folders = {f"sample_{path.name}" for path in (mortal.data_path / "samples").iterdir()}
    assert folders == {ids["sample"] for ids in samples}
