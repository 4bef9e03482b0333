"""What both benchmarks stand on: services, a server of ours, a peer, and a lab full of samples."""

import asyncio
import json
import os
import socket
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http.cookiejar import CookieJar
from pathlib import Path
from typing import Any

from virtool_gql.embedded import ServiceUrls, embedded_services
from virtool_gql.models.documents import Timestamp, timestamp
from virtool_gql.models.jobs import Job, JobState
from virtool_gql.models.samples import Sample
from virtool_gql.stores.postgres import PostgresStore
from virtool_gql.workflows import Workflow

READY_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Running:
    """A server process and where it listens."""

    port: int
    pid: int


@dataclass(frozen=True, slots=True)
class Setting:
    """A running server of ours on its services, with somebody signed in."""

    services: ServiceUrls
    ours: Running
    cookie: str
    user_id: str


@asynccontextmanager
async def setting(**variables: str) -> AsyncIterator[Setting]:
    """Start services and our server on an empty folder, and sign in as the first user."""
    with tempfile.TemporaryDirectory() as folder:
        async with embedded_services(Path(folder) / "services") as services:
            environment = {
                **{name: value for name, value in os.environ.items() if not name.startswith("VT_")},
                "VT_POSTGRES_URL": services.postgres,
                "VT_REDIS_URL": services.redis,
                "VT_DATA_PATH": f"{folder}/data",
                **variables,
            }
            port = free_port()
            serve = ["serve", "--no-runner", "--no-file-manager", "--no-refreshing", "--port", str(port)]
            command = [sys.executable, "-m", "virtool_gql", *serve]
            with started(command, environment, port) as ours:
                cookie, user_id = await asyncio.to_thread(first_user, port)
                yield Setting(services, ours, cookie, user_id)


@contextmanager
def started(command: list[str], environment: dict[str, str], port: int) -> Iterator[Running]:
    """Run a server process while the block lasts; it is there when its port answers."""
    with subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL) as process:
        try:
            _wait_for(port, process)
            yield Running(port, process.pid)
        finally:
            process.terminate()


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    for _ in range(READY_SECONDS * 20):
        if process.poll() is not None:
            raise RuntimeError("A server ended before it was ready.")
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/health/ready", timeout=5).close()
        except urllib.error.HTTPError as error:
            if error.code != 503:
                return
        except OSError:
            pass
        else:
            return
        try:
            process.wait(0.05)
        except subprocess.TimeoutExpired:
            continue
    raise RuntimeError("A server was not ready in time.")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def first_user(port: int) -> tuple[str, str]:
    """Create the first user; give the session's cookie and the user's id."""
    jar = CookieJar()
    opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(jar))
    query = """mutation { createFirstUser(input: {handle: "bench", password: "benchmarks"}) { viewer { id } } }"""
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/graphql",
        json.dumps({"query": query}).encode(),
        {"content-type": "application/json"},
    )
    with opener.open(request) as response:
        viewer: dict[str, Any] = json.load(response)["data"]["createFirstUser"]["viewer"]
    cookie = "; ".join(f"{part.name}={part.value}" for part in jar)
    return cookie, viewer["id"].removeprefix("user_")


async def fill(postgres: str, user_id: str, count: int) -> list[Sample]:
    """Store samples of the user, each with its finished job."""
    async with PostgresStore.open(postgres) as store:
        await store.insert(*(_job(number, user_id) for number in range(count)))
        return await store.insert(*(_sample(number, user_id) for number in range(count)))


def _moment(number: int) -> Timestamp:
    return timestamp(datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=number))


def _job(number: int, user_id: str) -> Job:
    return Job(
        id=f"job{number:05}",
        workflow=Workflow.CREATE_SAMPLE,
        args={},
        user_id=user_id,
        proc=1,
        mem=1,
        state=JobState.COMPLETE,
        progress=1.0,
        created_at=_moment(number),
    )


def _sample(number: int, user_id: str) -> Sample:
    name = f"Sample {number}"
    return Sample(
        id=f"sam{number:05}",
        name=name,
        unique_key=name.lower(),
        host="Nicotiana benthamiana",
        isolate=f"Isolate {number}",
        locale="Greenhouse 4",
        notes="Yellow mosaic on the young leaves.",
        user_id=user_id,
        paired=True,
        ready=True,
        job_id=f"job{number:05}",
        created_at=_moment(number),
        updated_at=_moment(number),
    )
