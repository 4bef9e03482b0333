"""The product as people run it: `virtool-gql serve` in a process of its own, on an empty data folder."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

ROOT = Path(__file__).resolve().parents[2]
START_SECONDS = 60


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class LiveServer:
    """A running server, and a way to start it again on the same data."""

    data_path: Path
    arguments: tuple[str, ...] = ()
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def watch_path(self) -> Path:
        return self.data_path.parent / "watch"

    @property
    def log(self) -> Path:
        return self.data_path.parent / "server.log"

    def start(self) -> None:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("VT_")}
        command = [sys.executable, "-m", "virtool_gql", "serve", "--no-refreshing", "--port", str(self.port)]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [*command, "--data-path", str(self.data_path), "--watch-path", str(self.watch_path), *self.arguments],
                cwd=ROOT,
                env=environment,
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
            )
        self.wait_until_ready()

    def wait_until_ready(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            assert self.process is not None
            assert self.process.poll() is None, self.log.read_text()[-4000:]
            with contextlib.suppress(httpx.HTTPError):
                httpx.get(f"{self.url}/health/ready", timeout=5).raise_for_status()
                return
            time.sleep(0.05)
        raise AssertionError(f"The server was not ready in time:\n{self.log.read_text()[-4000:]}")

    def stop(self, signal_number: int = signal.SIGTERM) -> int:
        assert self.process is not None
        self.process.send_signal(signal_number)
        return self.process.wait(timeout=30)


class SignedIn(httpx.Client):
    """A client with a session."""

    def run(self, query: str, **variables: object) -> dict[str, Any]:
        answer = self.post("/graphql", json={"query": query, "variables": variables}).json()
        assert "errors" not in answer, answer
        return dict(answer["data"])

    @property
    def cookie(self) -> str:
        return "; ".join(f"{name}={value}" for name, value in self.cookies.items())

    def upload(self, path: Path, type: str = "READS") -> str:
        headers = {"content-type": "application/octet-stream", "x-graphql-preflight": "1"}
        answer = self.post(
            "/uploads", params={"name": path.name, "type": type}, content=path.read_bytes(), headers=headers
        )
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])


HANDLE, PASSWORD = "ada", "analytical engine"


@contextlib.contextmanager
def signed_in(server: LiveServer) -> Iterator[SignedIn]:
    """Have a client that is signed in, as the first user where there is none."""
    credentials = {"handle": HANDLE, "password": PASSWORD}
    with SignedIn(base_url=server.url, timeout=60) as client:
        if client.run("{ server { setupRequired } }")["server"]["setupRequired"]:
            mutation = "mutation($i: CreateFirstUserInput!) { createFirstUser(input: $i) { errors { message } } }"
        else:
            mutation = "mutation($i: LoginInput!) { login(input: $i) { errors { message } } }"
        client.run(mutation, i=credentials)
        assert client.run("{ viewer { handle } }") == {"viewer": {"handle": HANDLE}}
        yield client


def run_demo(server: LiveServer, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "script/demo.py", *arguments, "--url", server.url, "--handle", HANDLE]
    environment = {**os.environ, "VT_DEMO_PASSWORD": PASSWORD}
    return subprocess.run(
        command,
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        stdin=subprocess.DEVNULL,
    )


def json_line(line: str | bytes) -> dict[str, Any]:
    return dict(json.loads(line))
