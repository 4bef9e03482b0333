"""The file manager of real servers: at work, and killed in the middle of it."""

import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.factories.conditions import eventually
from tests.live.server import LiveServer, SignedIn, signed_in

READS = b"@r\nACGT\n+\nIIII\n"
BIG = 6_000_000
FILES = "{ files(first: 100) { nodes { id name size ready user { handle } } } }"


@pytest.fixture
def mortal(tmp_path: Path) -> Iterator[LiveServer]:
    """A server of the test's own, to be killed."""
    server = LiveServer(tmp_path / "data", ("--no-runner", "--watch-quiet-seconds", "0.5"))
    server.start()
    yield server
    if server.process is not None and server.process.poll() is None:
        server.stop()


def files(client: SignedIn) -> list[dict[str, Any]]:
    return list(client.run(FILES)["files"]["nodes"])


def ready(client: SignedIn) -> list[str]:
    return sorted(file["name"] for file in files(client) if file["ready"])


def test_files_are_imported_by_themselves(mortal: LiveServer) -> None:
    with signed_in(mortal) as client:
        (mortal.watch_path / "a.fq").write_bytes(READS)
        (mortal.watch_path / "notes.txt").write_bytes(READS)
        eventually(lambda: ready(client) == ["a.fq"])
        (file,) = files(client)
        assert (file["size"], file["user"]) == (len(READS), None)
        assert client.get(f"/downloads/files/{file['id']}").content == READS
        eventually((mortal.watch_path / "rejected" / "notes.txt.reason.txt").exists)
        (mortal.data_path / "files" / file["id"].removeprefix("file_")).unlink()
        eventually(lambda: files(client) == [])


def test_a_server_killed_at_any_moment_of_an_import_loses_and_doubles_nothing(mortal: LiveServer) -> None:
    names = [f"{number}.fq" for number in range(6)]
    for number, name in enumerate(names):
        path = mortal.watch_path / name
        (mortal.watch_path / f"{name}.part").write_bytes(READS * BIG)
        (mortal.watch_path / f"{name}.part").rename(path)
        eventually(lambda number=number: list((mortal.data_path / "files").iterdir())[number:])
        time.sleep(number * 0.05)  # the moments of the kill: early in the copy, late, or after it
        mortal.stop(signal.SIGKILL)
        mortal.start()
        eventually(lambda path=path: not path.exists())
    with signed_in(mortal) as client:
        eventually(lambda: ready(client) == names)
        assert [file["size"] for file in files(client)] == [len(READS) * BIG] * len(names)
        ids = {file["id"].removeprefix("file_") for file in files(client)}
    assert {path.name for path in (mortal.data_path / "files").iterdir()} == ids
    assert list(mortal.watch_path.iterdir()) == []


def test_what_has_expired_goes_by_itself(mortal: LiveServer) -> None:
    with signed_in(mortal) as client:
        at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 3))
        headers = {"content-type": "application/octet-stream", "x-graphql-preflight": "1"}
        params = {"name": "a.fq", "type": "READS", "expires_at": at}
        assert client.post("/uploads", params=params, content=READS, headers=headers).status_code == 201
        assert ready(client) == ["a.fq"]
        eventually(lambda: files(client) == [])
        eventually(lambda: not list((mortal.data_path / "files").iterdir()))
