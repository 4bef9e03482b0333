"""What the documents contract costs: our store on PostgreSQL beside asyncpg with the same statements."""

import json
import os
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import asyncpg
from msgspec import structs
from sqlalchemy.dialects.postgresql import asyncpg as dialects

from benchmarks.setting import fill
from virtool_gql.access import Viewer, readable_samples
from virtool_gql.embedded import embedded_services
from virtool_gql.models.samples import Sample
from virtool_gql.query import Order, Page, total_order
from virtool_gql.stores.migrations import migrate
from virtool_gql.stores.pages import Wanted
from virtool_gql.stores.postgres import PostgresStore
from virtool_gql.stores.reads import collection_of

NEWEST = total_order([Order("created_at", descending=True)])
VIEWER = Viewer(user_id="other", handle="other", group_ids=frozenset({"group1", "group2"}))
READABLE = readable_samples(VIEWER)
REPLACE = """
WITH written AS (
  UPDATE documents.samples SET doc = $2, version = version + 1 WHERE id = $1 AND version = $3 RETURNING id
), announced AS (INSERT INTO outbox (payload) SELECT convert_to($2::text, 'UTF8') FROM written)
SELECT count(*) FROM written
"""
ROUNDS = 9
CALLS = 100

Call = Callable[[], Awaitable[Any]]


async def main(count: int = 100_000) -> None:
    with tempfile.TemporaryDirectory() as folder:
        async with embedded_services(Path(folder)) as services:
            await migrate(services.postgres)
            samples = await fill(services.postgres, "owner", count)
            url = services.postgres.replace("postgresql+asyncpg://", "postgresql://")
            async with PostgresStore.open(services.postgres) as store, asyncpg.create_pool(url) as pool:
                await pool.execute("ANALYZE")
                print(f"{count} samples, median and spread of {ROUNDS} rounds of {CALLS} calls, one after the other")
                print(f"{'':20}{'CPU us':>18}{'ms':>8}{'asyncpg CPU us':>18}{'ms':>8}{'CPU ratio':>11}")
                for name, ours, theirs in _pairs(store, pool, samples):
                    print(f"{name:20}{await _row(ours, theirs)}", flush=True)
    print(f"load average {os.getloadavg()[0]:.1f}; CPU is that of this process alone")


def _pairs(store: PostgresStore, pool: Any, samples: list[Sample]) -> list[tuple[str, Call, Call]]:
    page = Page(first=25)
    ours, theirs = _Replacing(samples[0]), _Replacing(samples[1])
    return [
        (
            "page with rights",
            lambda: store.find(Sample, READABLE, NEWEST, page),
            _raw(pool, collection_of(Sample).page(Wanted(READABLE, NEWEST, page))),
        ),
        (
            "get by id",
            lambda: store.get(Sample, samples[0].id, READABLE),
            _raw(pool, collection_of(Sample).with_id(READABLE), id=samples[0].id),
        ),
        ("replace and announce", lambda: ours.by_store(store), lambda: theirs.by_asyncpg(pool)),
    ]


def _raw(pool: Any, statement: Any, **given: Any) -> Call:
    """Make the call of asyncpg that executes the statement as SQLAlchemy writes it."""
    dialect = dialects.dialect()  # type: ignore[no-untyped-call] # SQLAlchemy's own
    written = statement.compile(dialect=dialect, compile_kwargs={"render_postcompile": True})
    values = written.construct_params(given)
    return lambda: pool.fetch(written.string, *(values[name] for name in written.positiontup))


class _Replacing:
    """One document, replaced again and again."""

    def __init__(self, sample: Sample) -> None:
        self.sample = sample

    async def by_store(self, store: PostgresStore) -> None:
        changed = structs.replace(self.sample, host=f"Host {self.sample.version}")
        (self.sample,) = await store.replace(changed)

    async def by_asyncpg(self, pool: Any) -> None:
        version = self.sample.version
        self.sample = structs.replace(self.sample, host=f"Host {version}", version=version + 1)
        if await pool.fetchval(REPLACE, self.sample.id, json.dumps(structs.asdict(self.sample)), version) != 1:
            raise RuntimeError("The document was not replaced.")


async def _row(ours: Call, theirs: Call) -> str:
    await _round(ours), await _round(theirs)
    rounds = [(await _round(ours), await _round(theirs)) for _ in range(ROUNDS)]
    cells = []
    for side in (0, 1):
        cpu, wall = zip(*(pair[side] for pair in rounds), strict=True)
        spread = f"{statistics.median(cpu):.0f} ({min(cpu):.0f}-{max(cpu):.0f})"
        cells.append(f"{spread:>18}{statistics.median(wall) / 1e3:8.2f}")
    return f"{''.join(cells)}{statistics.median(hand[0] / own[0] for own, hand in rounds):11.2f}"


async def _round(call: Call) -> tuple[float, float]:
    """Give the CPU and the wall time of one call, in microseconds."""
    cpu, wall = time.process_time(), time.perf_counter()
    for _ in range(CALLS):
        await call()
    return 1e6 * (time.process_time() - cpu) / CALLS, 1e6 * (time.perf_counter() - wall) / CALLS
