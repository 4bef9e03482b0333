"""What is PostgreSQL's own: tables, plans, commit order, failures."""

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Sequence
from itertools import pairwise, product
from typing import Any

import msgspec
import pytest
from msgspec import UNSET, structs
from sqlalchemy import MetaData, event, text
from sqlalchemy.dialects import postgresql
from sqlalchemy.engine import make_url

from tests.stores.fixtures import AT, administer, fresh_postgres
from tests.stores.plants import Part, Plant, Weed
from virtool_gql.embedded import ServiceUrls
from virtool_gql.errors import BadUserInput, DuplicateValue, StaleDocument, UpstreamUnavailable
from virtool_gql.models.changes import Change
from virtool_gql.models.documents import Timestamp
from virtool_gql.models.files import File, FileType
from virtool_gql.models.samples import Sample
from virtool_gql.query import (
    And,
    Empty,
    Eq,
    Exists,
    Filter,
    Has,
    In,
    Not,
    Or,
    Order,
    Page,
    Range,
    Text,
    matches,
    total_order,
)
from virtool_gql.stores.collections import COLLECTIONS
from virtool_gql.stores.documents import modify
from virtool_gql.stores.engine import engine_for
from virtool_gql.stores.migrations import migrate
from virtool_gql.stores.pages import Wanted
from virtool_gql.stores.postgres import PostgresStore
from virtool_gql.stores.reads import collection_of
from virtool_gql.stores.tables import SCHEMA, outbox, table_of

DESCRIBED = """
SELECT schemaname || '.' || tablename || ': ' || indexdef FROM pg_indexes WHERE schemaname IN ('public', 'documents')
UNION ALL
SELECT conrelid::regclass || ': ' || pg_get_constraintdef(oid) FROM pg_constraint
WHERE connamespace IN ('public'::regnamespace, 'documents'::regnamespace)
UNION ALL
SELECT concat_ws(' ', attrelid::regclass, attname, format_type(atttypid, atttypmod), attnotnull, collname)
FROM pg_attribute JOIN pg_class ON attrelid = pg_class.oid LEFT JOIN pg_collation ON attcollation = pg_collation.oid
WHERE relkind = 'r' AND attnum > 0 AND relnamespace IN ('public'::regnamespace, 'documents'::regnamespace)
"""


async def described(url: str) -> set[str]:
    """Give all columns, constraints and indexes of a database."""
    engine = engine_for(url)
    async with engine.connect() as connection:
        found = set((await connection.execute(text(DESCRIBED))).scalars())
    await engine.dispose()
    return {line for line in found if "alembic_version" not in line}


async def test_the_migrations_leave_what_is_declared(services: ServiceUrls, postgres_url: str) -> None:
    declared = MetaData()
    for table in (outbox, *map(table_of, COLLECTIONS)):
        table.to_metadata(declared)
    async with fresh_postgres(services) as url:
        await administer(url, f"CREATE SCHEMA {SCHEMA}")
        engine = engine_for(url)
        async with engine.begin() as connection:
            await connection.run_sync(declared.create_all)
        await engine.dispose()
        assert await described(postgres_url) == await described(url)


async def test_many_servers_that_migrate_at_once_do_it_once(services: ServiceUrls, postgres_url: str) -> None:
    async with fresh_postgres(services) as url:
        await asyncio.gather(*(migrate(url) for _ in range(4)))
        assert await described(url) == await described(postgres_url)


def sample(id: str, **fields: Any) -> Sample:
    fields = {"name": id, "unique_key": None, "user_id": "u", "created_at": AT, "updated_at": AT, **fields}
    return Sample(id=id, **fields)


def file(id: str, **fields: Any) -> File:
    return File(**{"id": id, "name": id, "type": FileType.READS, "user_id": None, "created_at": AT, **fields})


async def explained(store: PostgresStore, kind: Any, where: Filter, order: Sequence[Order], page: Page) -> str:
    statement = collection_of(kind).page(Wanted(where, total_order(order), page))
    dialect = postgresql.dialect()  # type: ignore[no-untyped-call] # SQLAlchemy's own
    written = statement.compile(dialect=dialect, compile_kwargs={"literal_binds": True})
    async with store.engine.connect() as connection:
        await connection.execute(text("ANALYZE"))
        return "\n".join((await connection.exec_driver_sql(f"EXPLAIN {written}")).scalars())


NEWEST = (Order("created_at", descending=True),)
READABLE = Or(
    Eq("user_id", "u1"), Eq("all_read", value=True), And(In("group_id", ("g",)), Eq("group_read", value=True))
)


async def test_filters_that_are_equal_in_python_are_told_apart(postgres: PostgresStore) -> None:
    await postgres.insert(sample("s1", paired=True))
    found = [await postgres.find(Sample, Eq("paired", value)) for value in (True, 1, 1.0, True)]
    assert [len(page.documents) for page in found] == [1, 0, 0, 1]
    assert await postgres.get(Sample, "s1", Eq("paired", value=True)) is not None
    assert await postgres.get(Sample, "s1", Eq("paired", 1)) is None
    assert await postgres.get_many(Sample, ["s1"], Eq("paired", 1)) == {}
    assert await postgres.get_many(Sample, ["s1"], Eq("paired", value=True)) != {}


@pytest.fixture
async def many(postgres: PostgresStore) -> PostgresStore:
    """A store of samples and files enough for an index to be worth it."""
    moments = [Timestamp(f"2026-01-01T{n // 3600:02}:{n // 60 % 60:02}:{n % 60:02}.000Z") for n in range(5000)]
    await postgres.insert(*(sample(f"s{n}", created_at=moment) for n, moment in enumerate(moments)))
    await postgres.insert(*(file(f"f{n}", created_at=moment, size=n) for n, moment in enumerate(moments)))
    return postgres


@pytest.mark.parametrize(
    ("kind", "where", "order", "page", "index"),
    [
        (Sample, READABLE, NEWEST, Page(), "samples_created_at_order"),
        (Sample, READABLE, NEWEST, Page(after=("2026-01-01T01:00:00.000Z", "s3600")), "samples_created_at_order"),
        (Sample, READABLE, NEWEST, Page(last=25), "samples_created_at_order"),
        (Sample, Eq("name", "s7"), NEWEST, Page(), "samples_name_order"),
        (Sample, Eq("unique_key", "x"), (), Page(), "samples_unique_key_key"),
        (Sample, Eq("id", "s7"), (), Page(), "samples_pkey"),
        (File, Not(Eq("ready", value=True)), NEWEST, Page(), "files_created_at_order"),
        (File, Range("size", gte=10, lt=20), NEWEST, Page(), "files_size_order"),
    ],
)
async def test_pages_come_from_indexes(  # noqa: PLR0913, PLR0917 - a table of cases
    many: PostgresStore, kind: Any, where: Filter, order: Sequence[Order], page: Page, index: str
) -> None:
    plan = await explained(many, kind, where, order, page)
    assert index in plan
    assert "Seq Scan" not in plan


async def test_a_page_far_in_begins_at_its_place_in_the_index(many: PostgresStore) -> None:
    plan = await explained(many, Sample, READABLE, NEWEST, Page(after=("2026-01-01T00:01:00.000Z", "s60")))
    assert "Index Cond" in plan


FILES = [
    file("a", size=None, name="B", reserved_by="x"),
    file("b", size=3, name="ä", ready=True, created_at="2026-01-02T03:04:05.000Z"),
    file("c", size=2**40, name="b", type=FileType.HMM, expires_at="2027-01-01T00:00:00.001Z"),
]


FILTERS: list[Filter] = [
    Eq("size", 3),
    Eq("size", 3.0),
    Eq("size", 3.5),
    Eq("size", 2**80),
    Eq("size", None),
    Eq("size", "3"),
    Eq("ready", value=True),
    Eq("type", "hmm"),
    Eq("type", FileType.READS),
    Eq("created_at", AT),
    Eq("created_at", "2026-01-02"),
    Eq("expires_at", None),
    Eq("version", 1),
    In("size", (None, 3, "x")),
    In("created_at", (AT, "no moment")),
    In("id", ("a", "c")),
    Range("size", gt=2.5, lt=2**80),
    Range("created_at", gt="2026-01-02T03:04:05.000Z"),
    Range("created_at", gt="2026-01-02T03:04:05.00"),
    Range("created_at", lt="9"),
    Range("expires_at"),
    Range("name", gte="b"),
    Range("ready", gte=0),
    Text("name", "Ä"),
    Text("created_at", "t03:04"),
    Text("size", "3"),
    Has("type", "hmm"),
    Has("name.x", "y"),
    Has("nowhere", "y"),
    Eq("name.x", None),
    Exists("reserved_by"),
    Exists("nowhere"),
    Empty("reserved_by"),
    Empty("name"),
    Empty("name.x"),
    Empty("nowhere"),
    Not(Eq("size", 3)),
    Not(Range("size", gt=2)),
]


async def test_rows_are_found_as_documents_are(postgres: PostgresStore) -> None:
    files = await postgres.insert(*FILES)
    for filter in FILTERS:
        expected = [each for each in files if matches(filter, msgspec.to_builtins(each))]
        assert (await postgres.find(File, filter)).documents == expected, filter


async def test_rows_come_in_order(postgres: PostgresStore) -> None:
    files = await postgres.insert(*FILES)
    for path, descending in product(("size", "name", "ready", "created_at", "expires_at", "type"), (False, True)):
        values = {each.id: (getattr(each, path) is not None, getattr(each, path)) for each in files}
        expected = sorted(sorted(values, reverse=descending), key=values.__getitem__, reverse=descending)
        assert await one_by_one(postgres, Order(path, descending)) == expected, path


async def one_by_one(store: PostgresStore, order: Order) -> list[str]:
    ids: list[str] = []
    page = Page(first=1)
    while True:
        found = await store.find(File, order=(order,), page=page)
        (last,) = found.documents
        ids.append(last.id)
        if not found.has_next:
            return ids
        page = Page(first=1, after=(getattr(last, order.path), last.id))


async def test_rows_are_written_as_documents_are(postgres: PostgresStore, announced: list[None]) -> None:
    (first,) = await postgres.insert(file("a", size=5))
    (second,) = await postgres.replace(structs.replace(first, ready=True, uploaded_at=AT))
    assert await postgres.get(File, "a") == second
    with pytest.raises(StaleDocument):
        await postgres.replace(first)
    with pytest.raises(DuplicateValue) as caught:
        await postgres.insert(file("a"))
    assert caught.value.path == ("id",)
    await postgres.delete(second)
    payloads = [msgspec.json.decode(payload, type=Change) for _, payload in await postgres.waiting(10)]
    assert [change.operation for change in payloads] == ["insert", "update", "delete"]
    told = {name: value for name, value in msgspec.to_builtins(second).items() if name not in File.kept.unannounced}
    assert payloads[1].document == told
    assert len(announced) == 3


@pytest.mark.parametrize("fields", [{"name": "\0"}, {"size": 2**70}, {"type": "poem"}, {"name": "\ud800"}], ids=repr)
async def test_rows_refuse_what_does_not_fit(postgres: PostgresStore, fields: dict[str, Any]) -> None:
    with pytest.raises(BadUserInput):
        await postgres.insert(file("a"), file("b", **fields))
    assert await postgres.count(File) == 0


async def test_a_text_too_long_for_an_index_is_refused(postgres: PostgresStore) -> None:
    letters = "".join(random.Random(1).choices("ACGT0123456789", k=30_000))  # noqa: S311 - any letters
    with pytest.raises(BadUserInput):
        await postgres.insert(Plant(id="a", name=letters))


async def test_a_long_text_is_looked_for_and_a_longer_one_refused(postgres: PostgresStore) -> None:
    letters = "".join(random.Random(1).choices("acgtäö\u03c3k", k=1_000))  # noqa: S311 - any letters
    await postgres.insert(Plant(id="a", note=letters.upper() + "x"), Plant(id="b", note=letters[:-1]))
    assert [plant.id for plant in (await postgres.find(Plant, Text("note", letters))).documents] == ["a"]
    with pytest.raises(BadUserInput):
        await postgres.find(Plant, Text("note", letters + "x"))


# The stores' contract ends where MongoDB without a replica set has no transactions of its own: what follows holds
# while a transaction is open, for those who are not in it.


async def test_nobody_sees_what_is_not_committed(postgres: PostgresStore) -> None:
    (a,) = await postgres.insert(Plant(id="a"))
    async with postgres.transaction() as transaction:
        await transaction.replace(structs.replace(a, name="new"))
        await transaction.insert(Plant(id="b"))
        assert await postgres.get(Plant, "a") == a
        assert await postgres.count(Plant) == 1


async def test_modify_succeeds_within_a_transaction(postgres: PostgresStore) -> None:
    await postgres.insert(Plant(id="a", row=0))

    def one_more(plant: Plant) -> Plant:
        return structs.replace(plant, row=(plant.row or 0) + 1)

    async def add() -> None:
        async with postgres.transaction() as transaction:
            await modify(transaction, Plant, "a", one_more)

    await asyncio.gather(*(add() for _ in range(20)))
    plant = await postgres.get(Plant, "a")
    assert plant
    assert plant.row == 20


async def test_a_refused_write_ends_its_transaction_even_if_nobody_minds(postgres: PostgresStore) -> None:
    await postgres.insert(Plant(id="a"))

    async def carefree() -> None:
        async with postgres.transaction() as transaction:
            await transaction.insert(Plant(id="b"))
            with contextlib.suppress(DuplicateValue):
                await transaction.insert(Plant(id="a"))

    with pytest.raises(DuplicateValue):
        await carefree()
    assert await postgres.count(Plant) == 1


async def test_writes_that_cross_lose_nothing(postgres: PostgresStore) -> None:
    """Two transactions lock the same documents in turns: the one that PostgreSQL picks is told to try again."""
    a, b = await postgres.insert(Plant(id="a"), Plant(id="b"))
    first_is_in, second_is_in = asyncio.Event(), asyncio.Event()

    async def cross(one: Plant, other: Plant, mine: asyncio.Event, yours: asyncio.Event) -> bool:
        try:
            async with postgres.transaction() as transaction:
                await transaction.replace(one)
                mine.set()
                await yours.wait()
                await transaction.replace(other)
        except StaleDocument:
            return False
        return True

    done = await asyncio.gather(cross(a, b, first_is_in, second_is_in), cross(b, a, second_is_in, first_is_in))
    assert sorted(done) == [False, True]
    assert await postgres.count(Plant, Eq("version", 2)) == 2


async def test_writers_that_commit_out_of_order_lose_nothing(postgres: PostgresStore) -> None:
    """200 writers draw outbox ids early and commit late, while the outbox is drained as the relay does it."""
    chance = random.Random(1)  # noqa: S311 - any order
    await postgres.insert(*(Plant(id=f"shared{number}", row=0) for number in range(5)))
    drained: list[Change] = []
    ended = asyncio.Event()

    def one_more(plant: Plant) -> Plant:
        return structs.replace(plant, row=(plant.row or 0) + 1)

    async def write(number: int) -> None:
        async with postgres.transaction() as transaction:
            (plant,) = await transaction.insert(Plant(id=f"own{number}"))
            for _ in range(chance.randrange(6)):
                await transaction.count(Plant, Eq("id", "nobody"))  # others draw ids and commit meanwhile
            (plant,) = await transaction.replace(plant)
            if number % 2:
                await modify(transaction, Plant, f"shared{number % 5}", one_more)
            await transaction.replace(plant)

    async def drain() -> None:
        while True:
            last_time = ended.is_set()
            waiting = await postgres.waiting(7)
            drained.extend(msgspec.json.decode(payload, type=Change) for _, payload in waiting)
            await postgres.remove([id for id, _ in waiting])
            if last_time and not waiting:
                return

    draining = asyncio.create_task(drain())
    await asyncio.gather(*(write(number) for number in range(200)))
    ended.set()
    await draining
    assert len(drained) == 5 + 200 * 3 + 100
    versions: dict[str, list[int]] = {}
    for change in drained:
        versions.setdefault(change.ids[0], []).append(change.document["version"])
    assert all(found == list(range(1, len(found) + 1)) for found in versions.values())
    assert all(earlier < later for found in versions.values() for earlier, later in pairwise(found))


async def test_an_id_drawn_early_and_committed_late_is_given_late(postgres: PostgresStore) -> None:
    async with postgres.transaction() as transaction:
        await transaction.insert(Plant(id="early"))
        await postgres.insert(Plant(id="late"))
        ((late, payload),) = await postgres.waiting(10)
        assert msgspec.json.decode(payload)["ids"] == ["late"]
        await postgres.remove([late])
    ((early, payload),) = await postgres.waiting(10)
    assert msgspec.json.decode(payload)["ids"] == ["early"]
    assert int(early) < int(late)


@pytest.fixture
async def ended_connections(postgres: PostgresStore, services: ServiceUrls) -> AsyncIterator[PostgresStore]:
    """A store whose connections the server has ended, as it does when it restarts."""
    await asyncio.gather(*(postgres.count(Plant) for _ in range(5)))
    database = make_url(str(postgres.engine.url)).database
    ending = f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{database}'"  # noqa: S608 - ours
    await administer(services.postgres, ending)
    return postgres


async def test_ended_connections_are_replaced(ended_connections: PostgresStore) -> None:
    async with asyncio.timeout(10):
        while True:
            with contextlib.suppress(UpstreamUnavailable):
                await ended_connections.insert(Plant(id="a"))
                break
    assert await ended_connections.count(Plant) == 1


@pytest.mark.parametrize("url", ["postgresql://u@/d?host=/nowhere", "postgresql+asyncpg://u@127.0.0.1:9/d"])
async def test_a_server_that_does_not_answer_is_unavailable(url: str) -> None:
    async with PostgresStore.open(url) as nowhere:
        with pytest.raises(UpstreamUnavailable):
            await nowhere.get(Plant, "a")
        with pytest.raises(UpstreamUnavailable):
            await nowhere.insert(Plant(id="a"))
        with pytest.raises(UpstreamUnavailable):
            async with nowhere.transaction() as transaction:
                await transaction.get(Plant, "a")
    with pytest.raises(UpstreamUnavailable):
        await migrate(url)


async def test_large_fields_are_kept_apart(postgres: PostgresStore) -> None:
    weed = Weed(id="w", name="nettle", anything={"a": [1, {"b": "c"}]}, place=Part(name="field", tags=("x",)))
    (weed,) = await postgres.insert(weed)
    async with postgres.engine.connect() as connection:
        row = (await connection.execute(text("SELECT doc, apart FROM documents.weeds"))).one()
    assert set(row.apart) == {"anything", "place"}
    assert set(row.doc) == {field.name for field in structs.fields(Weed)} - {"anything", "place"}
    assert await postgres.get(Weed, "w", Has("anything.a.b", "c")) == weed
    assert await postgres.get_many(Weed, ["w"], Has("place.tags", "x"), whole=True) == {"w": weed}
    assert await postgres.get_many(Weed, ["w"], Empty("place.tags"), whole=True) == {}
    (weed,) = await postgres.replace(structs.replace(weed, anything=None, place=None))
    assert await postgres.get(Weed, "w", And(Empty("place.tags"), Eq("anything", None))) == weed


async def test_large_fields_are_neither_read_nor_written_for_nothing(postgres: PostgresStore) -> None:
    (whole,) = await postgres.insert(Weed(id="w", anything=list(range(1_000)), place=Part(name="field")))
    found = (await postgres.find(Weed, Eq("place.name", "field"))).documents
    assert found == [structs.replace(whole, anything=UNSET, place=UNSET)]
    assert list((await postgres.get_many(Weed, ["w"])).values()) == found
    async with _counted_bytes(postgres) as sent:
        await postgres.replace(structs.replace(found[0], name="nettle"))
    assert sum(sent) < 500
    assert await postgres.get(Weed, "w") == structs.replace(whole, name="nettle", version=2)


@contextlib.asynccontextmanager
async def _counted_bytes(postgres: PostgresStore) -> AsyncIterator[list[int]]:
    """Collect how long the documents are that are sent in the block."""
    sent: list[int] = []

    def note(_: Any, __: Any, ___: str, parameters: Any, *____: Any) -> None:
        sent.extend(len(text) for value in parameters if isinstance(value, list) for text in map(str, value))

    event.listen(postgres.engine.sync_engine, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        event.remove(postgres.engine.sync_engine, "before_cursor_execute", note)


async def test_samples_that_were_there_keep_their_quality(services: ServiceUrls) -> None:
    old = """INSERT INTO documents.samples VALUES ('s', 1, '{"id": "s", "quality": {"count": 7}}')"""
    async with fresh_postgres(services) as url:
        await migrate(url, "0001")
        await administer(url, old)
        await migrate(url)
        engine = engine_for(url)
        async with engine.connect() as connection:
            row = (await connection.execute(text("SELECT doc, apart FROM documents.samples"))).one()
        await engine.dispose()
    assert (row.doc, row.apart) == ({"id": "s"}, {"quality": {"count": 7}})
