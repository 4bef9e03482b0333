"""The official reference: import, export, and what is asked of its OTUs, beside what the store alone takes for it."""

import asyncio
import json
import os
import statistics
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import psutil
from graphql import execute, parse
from redis.asyncio import Redis
from sqlalchemy import event
from websockets.asyncio.client import connect

from benchmarks.load import answer, request_bytes
from benchmarks.setting import Setting, setting
from jobs.simulate import simulate_reference
from resolvers.root import schema
from schema.context import Caller
from schema.loaders import fresh_context
from virtool_gql.access import Viewer
from virtool_gql.db.database import Database
from virtool_gql.db.jobs import JobLimits
from virtool_gql.db.reference_exports import Scope
from virtool_gql.db.reference_writing import IdKind
from virtool_gql.events import Hub
from virtool_gql.files import Places
from virtool_gql.stores.postgres import PostgresStore
from virtool_gql.web.executor import AttributeExecutor

OFFICIAL = Path(__file__).resolve().parents[2] / "shared" / "data" / "reference" / "plant_viruses.full.json.gz"
EDITS = 200
CALLS = 40
QUIET_SECONDS = 4
TABLES = ("otus", "sequences", "history")

IMPORT = """mutation($i: ImportReferenceInput!) { importReference(input: $i) {
  reference { id } task { id } errors { message } } }"""
TASK = "query($id: ID!) { task(id: $id) { state error } }"
WATCH = "subscription { changes(collections: [REFERENCES, OTUS, SEQUENCES, HISTORY, TASKS]) { __typename } }"
EDIT = "mutation($i: UpdateOtuInput!) { updateOtu(input: $i) { otu { id } errors { message } } }"
JOINED = """{ id name abbreviation version verified schema { name molecule required } isolates {
  id sourceType sourceName default sequences { id accession definition host segment sequence } } }"""
PAGE = "id name abbreviation version verified modified isolates { id sourceName }"

Statement = tuple[str, tuple[Any, ...]]
Call = Callable[[], Awaitable[Any]]


@dataclass(frozen=True, slots=True)
class Bench:
    """A server of ours, with what is asked of it, and its store as it can be asked without us."""

    scene: Setting
    client: httpx.AsyncClient
    db: Database
    viewer: Viewer
    pool: Any

    async def ask(self, query: str, **variables: Any) -> Any:
        found = (await self.client.post("/graphql", json={"query": query, "variables": variables})).json()
        if found.get("errors"):
            raise RuntimeError(str(found["errors"]))
        (value,) = found["data"].values()
        if isinstance(value, dict) and value.get("errors"):
            raise RuntimeError(str(value["errors"]))
        return value

    def worker(self) -> psutil.Process:
        children = psutil.Process(self.scene.ours.pid).children(recursive=True)
        return next(child for child in children if "virtool_gql.tasks.child" in child.cmdline())


async def main() -> None:
    async with setting(VT_LOG_LEVEL="warning") as scene, opened(scene) as bench:
        with tempfile.TemporaryDirectory() as folder:
            path = OFFICIAL if OFFICIAL.is_file() else simulate_reference(2_000, 7, folder=Path(folder), length=6_000)
            print(f"{path.name}, load average {os.getloadavg()[0]:.1f}; the store alone is asyncpg in this process")
            print(f"{'':42}{'ours ms':>12}{'store ms':>12}{'ratio':>8}{'  peak RSS MiB'}")
            reference_id = await _import(bench, path)
        await bench.pool.execute("VACUUM ANALYZE")
        await _export(bench, reference_id)
        await _questions(bench, reference_id)


@asynccontextmanager
async def opened(scene: Setting) -> AsyncIterator[Bench]:
    url = scene.services.postgres
    limits = JobLimits(sm_proc=1, sm_mem=1, lg_proc=1, lg_mem=1)
    base = f"http://127.0.0.1:{scene.ours.port}"
    async with (
        PostgresStore.open(url) as store,
        Redis.from_url(scene.services.redis) as redis,
        asyncpg.create_pool(url.replace("postgresql+asyncpg://", "postgresql://"), min_size=1) as pool,
        httpx.AsyncClient(base_url=base, headers={"cookie": scene.cookie}, timeout=300) as client,
    ):
        db = Database(store, redis, Hub(scene.services.redis), Places(Path("/nowhere")), job_limits=limits)
        viewer = await db.users.viewer(scene.user_id)
        if viewer is None:
            raise RuntimeError("The first user is not there.")
        yield Bench(scene, client, db, viewer, pool)


async def _import(bench: Bench, path: Path) -> str:
    """Upload and import a file, while somebody watches all that changes; give the id of the reference."""
    headers = {"content-type": "application/octet-stream", "x-graphql-preflight": "1"}
    query = {"name": path.name, "type": "REFERENCE"}
    contents = await asyncio.to_thread(path.read_bytes)
    upload = await bench.client.post("/uploads", params=query, content=contents, headers=headers)
    events: list[Any] = []
    async with _watched(bench, events):
        start = time.perf_counter()
        begun = await bench.ask(IMPORT, i={"fileId": upload.json()["id"]})
        await _completed(bench, begun["task"]["id"])
        seconds = time.perf_counter() - start
        await _quiet(events)
    copied = await _copied(bench.pool)
    name = f"import, {len(events)} events told"
    _row(name, 1e3 * seconds, 1e3 * copied, _peak(bench.worker().pid))
    return str(begun["reference"]["id"])


async def _completed(bench: Bench, task_id: str) -> None:
    while True:
        task = await bench.ask(TASK, id=task_id)
        if task["state"] == "FAILED":
            raise RuntimeError(task["error"])
        if task["state"] == "COMPLETE":
            return
        await asyncio.sleep(0.05)


@asynccontextmanager
async def _watched(bench: Bench, events: list[Any]) -> AsyncIterator[None]:
    address = f"ws://127.0.0.1:{bench.scene.ours.port}/graphql"
    origin: Any = address.replace("ws", "http", 1).removesuffix("/graphql")
    protocols: Any = ["graphql-transport-ws"]
    headers = {"cookie": bench.scene.cookie}
    async with connect(address, origin=origin, subprotocols=protocols, additional_headers=headers) as socket:
        await socket.send(json.dumps({"type": "connection_init"}))
        await socket.recv()
        await socket.send(json.dumps({"id": "1", "type": "subscribe", "payload": {"query": WATCH}}))
        hearing = asyncio.create_task(_hear(socket, events))
        try:
            yield
        finally:
            hearing.cancel()


async def _hear(socket: Any, events: list[Any]) -> None:
    while True:
        events.append(await socket.recv())


async def _quiet(events: list[Any]) -> None:
    """Wait until nothing more comes."""
    count = -1
    while count != len(events):
        count = len(events)
        await asyncio.sleep(QUIET_SECONDS)


async def _copied(pool: Any) -> float:
    """Give how long it takes to write the same rows with COPY into tables with the same indexes."""
    seconds = 0.0
    async with pool.acquire() as connection:
        for table in TABLES:
            rows = [tuple(row) for row in await connection.fetch(f"SELECT * FROM documents.{table}")]  # noqa: S608
            await connection.execute(f"CREATE TABLE copied_{table} (LIKE documents.{table} INCLUDING ALL)")
            columns = await _columns(connection, table)
            start = time.perf_counter()
            await connection.copy_records_to_table(f"copied_{table}", records=rows, columns=columns)
            seconds += time.perf_counter() - start
            await connection.execute(f"DROP TABLE copied_{table}")
    return seconds


async def _columns(connection: Any, table: str) -> list[str]:
    rows = await connection.fetch(
        "SELECT column_name FROM information_schema.columns WHERE table_schema = 'documents' AND table_name = $1 "
        "ORDER BY ordinal_position",
        table,
    )
    return [row["column_name"] for row in rows]


async def _export(bench: Bench, reference_id: str) -> None:
    async def ours() -> None:
        response = await bench.client.get(f"/downloads/references/{reference_id}/reference.json.gz")
        response.raise_for_status()

    async def in_process() -> None:
        id = reference_id.removeprefix("reference_")
        export = await bench.db.reference_exports.of_reference(bench.viewer, id, Scope.ALL, IdKind.REMOTE)
        async for _ in export.chunks():
            pass

    with _captured(bench.db) as statements:
        await in_process()
    times = await _times(ours, 3), await _times(lambda: _replay(bench.pool, statements), 3)
    _row("export", times[0], times[1], _peak(bench.scene.ours.pid))


async def _questions(bench: Bench, reference_id: str) -> None:
    found = await bench.ask("query($id: ID!) { otus(referenceId: $id, first: 1) { nodes { id } } }", id=reference_id)
    otu_id = found["nodes"][0]["id"]
    page = f"query($id: ID!) {{ otus(referenceId: $id, first: 25) {{ totalCount nodes {{ {PAGE} }} }} }}"
    search = page.replace("first: 25", 'first: 25, search: "mosaic"')
    await _question(bench, "page of 25 OTUs", page, id=reference_id)
    await _question(bench, "search by name", search, id=reference_id)
    await _question(bench, "one joined OTU", f"query($id: ID!) {{ otu(id: $id) {JOINED} }}", id=otu_id)
    for number in range(EDITS):
        await bench.ask(EDIT, i={"id": otu_id, "name": f"Name {number}"})
    at_version = f"query($id: ID!) {{ otu(id: $id) {{ atVersion(version: 0) {JOINED} }} }}"
    await _question(bench, f"atVersion after {EDITS} edits", at_version, id=otu_id)


async def _question(bench: Bench, name: str, query: str, **variables: Any) -> None:
    with _captured(bench.db) as statements:
        context: Any = fresh_context(bench.db, Caller(bench.viewer, "127.0.0.1"))
        result: Any = execute(
            schema._schema,  # noqa: SLF001 - as the server does
            parse(query),
            context_value=context,
            variable_values=variables,
            executor_class=AttributeExecutor,
        )
        if errors := (await result).errors:
            raise RuntimeError(str(errors))
    body = json.dumps({"query": query, "variables": variables}).encode()
    headers = {"content-type": "application/json", "cookie": bench.scene.cookie}
    request = request_bytes("/graphql", body, headers)
    reader, writer = await asyncio.open_connection("127.0.0.1", bench.scene.ours.port)
    ours = await _times(lambda: answer(reader, writer, request), CALLS)
    writer.close()
    store = await _times(lambda: _replay(bench.pool, statements), CALLS)
    _row(f"{name} ({len(statements)} statements)", ours, store)


@contextmanager
def _captured(db: Database) -> Iterator[list[Statement]]:
    """Collect the statements of the block, with their parameters."""
    store: Any = db.store.store
    engine = store.engine.sync_engine
    statements: list[Statement] = []

    def note(_: Any, __: Any, statement: str, parameters: Any, *___: Any) -> None:
        statements.append((statement, tuple(parameters)))

    event.listen(engine, "before_cursor_execute", note)
    try:
        yield statements
    finally:
        event.remove(engine, "before_cursor_execute", note)


async def _replay(pool: Any, statements: Sequence[Statement]) -> None:
    async with pool.acquire() as connection:
        for statement, parameters in statements:
            await connection.fetch(statement, *parameters)


async def _times(call: Call, calls: int) -> float:
    """Give the median, in milliseconds, after a few calls that do not count."""
    for _ in range(max(1, calls // 8)):
        await call()
    times = []
    for _ in range(calls):
        start = time.perf_counter()
        await call()
        times.append(1e3 * (time.perf_counter() - start))
    return statistics.median(times)


def _row(name: str, ours: float, store: float, peak: float | None = None) -> None:
    memory = "" if peak is None else f"{peak:14.0f}"
    print(f"{name:42}{ours:12.2f}{store:12.2f}{ours / store:8.2f}{memory}", flush=True)


def _peak(pid: int) -> float:
    """Give the most memory that a process has held, in MiB, as the kernel has counted it."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 1024
