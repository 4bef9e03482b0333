"""A store whose writes are told: it does all that every store does, and tells who did it."""

import asyncio
from collections.abc import Iterator
from itertools import count
from typing import Any, cast

import msgspec
import pytest
from msgspec import structs
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from tests.stores.fixtures import AT, AnyStore
from tests.stores.plants import Plant, Weed
from tests.stores.test_contract import *  # noqa: F403 - the whole contract again, with somebody at work
from tests.stores.test_contract import changes, plants
from virtool_gql.actors import Actor, acting
from virtool_gql.errors import DuplicateValue, Forbidden, StaleDocument
from virtool_gql.models.audit import AuditEntry, Deed
from virtool_gql.models.changes import Change
from virtool_gql.models.files import File, FileType
from virtool_gql.models.users import ApiKey, User
from virtool_gql.query import Order, Page
from virtool_gql.stores.audited import AuditedStore, changed_fields
from virtool_gql.stores.collections import COLLECTIONS
from virtool_gql.stores.documents import Documents, Outbox, modify
from virtool_gql.stores.postgres import PostgresStore
from virtool_gql.stores.routed import RoutedStore

ADA = Actor(user_id="ada", handle="Ada", key_id="key1", address="192.0.2.7", request_id="r1", action="plant")


class Told(AuditedStore):
    """An audited store with the outbox of what it is asked to write; entries have a list of their own."""

    def __init__(self, store: Documents, outbox: Outbox) -> None:
        numbers = count()
        super().__init__(store, lambda: AT, lambda: f"{next(numbers):08}")
        self.outbox = outbox

    async def waiting(self, limit: int) -> list[tuple[str, bytes]]:
        waiting = await self.outbox.waiting(1_000_000)
        return [(id, payload) for id, payload in waiting if _change(payload).collection != "audit"][:limit]

    async def remove(self, ids: list[str]) -> None:
        await self.outbox.remove(ids)

    async def entries(self) -> list[AuditEntry]:
        found = await self.find(AuditEntry, order=(Order("id"),), page=Page(first=None))
        return found.documents

    async def told(self) -> list[tuple[Deed, str, str, tuple[str, ...]]]:
        return [(e.deed, e.collection, e.document_id, e.fields) for e in await self.entries()]


def _change(payload: bytes) -> Change:
    return msgspec.json.decode(payload, type=Change)


@pytest.fixture
def documents_store(documents_store: AnyStore, rows: PostgresStore) -> Told:
    """Give PostgreSQL alone, then MongoDB with PostgreSQL for rows."""
    alone = isinstance(documents_store, PostgresStore)
    return Told(documents_store if alone else RoutedStore(documents_store, rows), documents_store)


@pytest.fixture(autouse=True)
def at_work() -> Iterator[None]:
    with acting(ADA):
        yield


async def test_a_silent_collection_is_not_announced(  # type: ignore[no-redef] # it is told of all the same
    documents_store: Told,
) -> None:
    (weed,) = await documents_store.insert(Weed(id="w"))
    await documents_store.delete(weed)
    assert await changes(cast("Any", documents_store)) == []
    assert await documents_store.told() == [(Deed.INSERT, "weeds", "w", ()), (Deed.DELETE, "weeds", "w", ())]


async def test_each_write_tells_who_did_what(documents_store: Told) -> None:
    (plant,) = await documents_store.insert(*plants("a"))
    (plant,) = await documents_store.replace(structs.replace(plant, name="Oak", tags=("tree",)))
    await documents_store.delete(plant)
    assert await documents_store.told() == [
        (Deed.INSERT, "plants", "a", ()),
        (Deed.UPDATE, "plants", "a", ("name", "tags")),
        (Deed.DELETE, "plants", "a", ()),
    ]
    (entry, *_) = await documents_store.entries()
    assert (entry.id, entry.version, entry.at, entry.fields) == ("0000000000000001", 1, AT, ())
    assert (entry.deed, entry.collection, entry.document_id) == (Deed.INSERT, "plants", "a")
    told = Actor(**{name: getattr(entry, name) for name in Actor.__struct_fields__})
    assert told == ADA


async def test_the_work_of_nobody_is_not_told(documents_store: Told) -> None:
    with acting(cast("Any", None)):
        (plant,) = await documents_store.insert(*plants("a"))
        async with documents_store.transaction() as transaction:
            (plant,) = await transaction.replace(structs.replace(plant, name="Oak"))
            await transaction.delete(plant)
    assert await documents_store.entries() == []


async def test_documents_and_rows_are_told_alike(documents_store: Told) -> None:
    file = File(id="f", name="f.fq", type=FileType.READS, user_id=None, created_at=AT)
    written = await documents_store.insert(file, *plants("a"))
    assert isinstance(written[0], File)
    await documents_store.replace(structs.replace(written[0], size=3, ready=True))
    assert await documents_store.told() == [
        (Deed.INSERT, "files", "f", ()),
        (Deed.INSERT, "plants", "a", ()),
        (Deed.UPDATE, "files", "f", ("size", "ready")),
    ]


async def test_a_transaction_tells_all_that_was_done_in_it(documents_store: Told) -> None:
    async with documents_store.transaction() as transaction:
        (a, b) = await transaction.insert(*plants("a", "b"))
        async with transaction.transaction() as inner:
            assert inner is transaction
            await inner.replace(structs.replace(a, height=2.0))
        await transaction.delete(b)
        assert await transaction.count(Plant) == 1
    told = await documents_store.told()
    assert [(deed, id, fields) for deed, _, id, fields in told] == [
        (Deed.INSERT, "a", ()),
        (Deed.INSERT, "b", ()),
        (Deed.UPDATE, "a", ("height",)),
        (Deed.DELETE, "b", ()),
    ]


async def test_what_was_not_done_is_not_told(documents_store: Told) -> None:
    (plant,) = await documents_store.insert(*plants("a"))
    before = await documents_store.entries()

    async def fail() -> None:
        async with documents_store.transaction() as transaction:
            await transaction.replace(structs.replace(plant, name="Oak"))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()
    with pytest.raises(DuplicateValue):
        await documents_store.insert(*plants("b", "a"))
    for stale in (structs.replace(plant, version=7), Plant(id="nothing", version=1)):
        with pytest.raises(StaleDocument):
            await documents_store.replace(stale)
        with pytest.raises(StaleDocument):
            await documents_store.delete(stale)
    assert await documents_store.entries() == before


async def test_what_changes_nothing_is_not_told(documents_store: Told) -> None:
    (plant,) = await documents_store.insert(*plants("a"))
    await documents_store.replace(plant)
    await modify(documents_store, Plant, "a", lambda plant: plant)
    assert len(await documents_store.entries()) == 1


async def test_thousands_are_told_at_once(documents_store: Told, crowd: int) -> None:
    written = await documents_store.insert(*plants(*(f"p{number}" for number in range(crowd))))
    await documents_store.replace(*(structs.replace(plant, note="new") for plant in written))
    entries = await documents_store.entries()
    assert len({entry.id for entry in entries}) == len(entries) == 2 * crowd


async def test_those_at_work_at_the_same_time_are_told_apart(documents_store: Told) -> None:
    with acting(cast("Any", None)):
        await documents_store.insert(*plants("first"))  # FerretDB breaks down when many create a collection at once

    async def work(number: int) -> None:
        with acting(structs.replace(ADA, user_id=f"user{number}", request_id=f"r{number}")):
            (plant,) = await documents_store.insert(*plants(f"p{number}"))
            await asyncio.gather(*(_renamed(documents_store, plant.id, name) for name in "xy"))

    await asyncio.gather(*(work(number) for number in range(20)))
    entries = await documents_store.entries()
    assert len(entries) == 60
    assert all(e.user_id == f"user{e.document_id[1:]}" and e.request_id == f"r{e.document_id[1:]}" for e in entries)


async def _renamed(store: AuditedStore, id: str, name: str) -> None:
    await modify(store, Plant, id, lambda plant: structs.replace(plant, name=plant.name + name))


async def test_an_entry_is_neither_changed_nor_removed(documents_store: Told) -> None:
    await documents_store.insert(*plants("a"))
    (entry,) = await documents_store.entries()
    async with documents_store.transaction() as transaction:
        for store in (documents_store, transaction):
            with pytest.raises(Forbidden, match="only added to"):
                await store.replace(structs.replace(entry, handle="Bob"))
            with pytest.raises(Forbidden, match="only added to"):
                await store.delete(entry)
    assert await documents_store.entries() == [entry]


@pytest.mark.parametrize(
    "statement", ["UPDATE documents.audit SET version = 2", "DELETE FROM documents.audit", "TRUNCATE documents.audit"]
)
async def test_postgres_itself_keeps_the_log(postgres: PostgresStore, statement: str) -> None:
    await Told(postgres, postgres).insert(*plants("a"))
    with pytest.raises(DBAPIError, match="only added to"):
        async with postgres.engine.begin() as connection:
            await connection.execute(text(statement))
    assert await postgres.count(AuditEntry) == 1


async def test_the_owner_of_the_table_can_archive(postgres: PostgresStore) -> None:
    told = Told(postgres, postgres)
    await told.insert(*plants("a"))
    async with postgres.engine.begin() as connection:
        await connection.execute(text("ALTER TABLE documents.audit DISABLE TRIGGER keep_audit"))
        await connection.execute(text("DELETE FROM documents.audit WHERE doc ->> 'at' < '2027'"))
        await connection.execute(text("ALTER TABLE documents.audit ENABLE TRIGGER keep_audit"))
    await told.insert(*plants("b"))
    with pytest.raises(DBAPIError, match="only added to"):
        async with postgres.engine.begin() as connection:
            await connection.execute(text("DELETE FROM documents.audit"))
    assert [id for _, _, id, _ in await told.told()] == ["b"]


def test_a_password_is_told_of_by_its_name_alone() -> None:
    user = User(id="u", handle="Ada", handle_key="ada", password_hash="1", created_at=AT, last_password_change=AT)
    later = structs.replace(user, password_hash="2", credentials_version=1, handle="Bob", handle_key="bob", version=2)
    assert changed_fields(user, later) == ("handle", "password", "credentials")


async def test_what_was_not_read_did_not_change(documents_store: Told) -> None:
    (weed,) = await documents_store.insert(Weed(id="w", anything="a"))
    found = (await documents_store.find(Weed)).documents
    await documents_store.replace(structs.replace(found[0], name="nettle"))
    weed = await documents_store.get(Weed, "w") or weed
    await documents_store.replace(structs.replace(weed, anything="b"))
    assert [entry.fields for entry in await documents_store.entries()] == [(), ("name",), ("anything",)]


def test_the_use_of_a_key_is_nobodys_deed() -> None:
    key = ApiKey(id="k", name="Key", key_hash="1", user_id="u", created_at=AT)
    assert changed_fields(key, structs.replace(key, last_used_at=AT, version=2)) == ()


def test_every_collection_can_be_told_of() -> None:
    from schema.ids import PREFIX_OF_COLLECTION

    assert {kind.kept.name for kind in COLLECTIONS} == {*PREFIX_OF_COLLECTION, "audit"}
