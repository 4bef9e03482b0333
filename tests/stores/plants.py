"""A collection that only tests have, with fields of every kind."""

from typing import Any

import msgspec
from sqlalchemy import Table

from virtool_gql.models.documents import Document, Kept
from virtool_gql.query import Order
from virtool_gql.stores.postgres import PostgresStore
from virtool_gql.stores.tables import table_of


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """A part of a plant."""

    name: str | None = None
    size: int | float | None = None
    tags: tuple[str, ...] = ()


class Plant(Document, frozen=True, kw_only=True):
    """A plant; `anything` has no declared type."""

    kept = Kept(
        "plants",
        unannounced=frozenset({"secret"}),
        unique=(("code",), ("place.name", "row")),
        indexes=((Order("name"),), (Order("height", descending=True), Order("alive"))),
    )

    name: str = ""
    height: float = 0.0
    row: int | None = None
    alive: bool = True
    note: str | None = None
    code: str | None = None
    secret: str = ""
    tags: tuple[str, ...] = ()
    numbers: tuple[tuple[int, ...], ...] = ()
    parts: tuple[Part, ...] = ()
    place: Part | None = None
    anything: Any = None


class Weed(Plant, frozen=True, kw_only=True):
    """A plant that nobody is told of. What is kept apart of it may be UNSET."""

    kept = Kept("weeds", unannounced=None, unique=(("code",),), apart=frozenset({"anything", "place"}))


async def plant_tables(store: PostgresStore) -> None:
    """Create the tables, as a migration would."""
    async with store.engine.begin() as connection:
        for table in (table_of(Plant), table_of(Weed)):
            await connection.run_sync(lambda sync, table=table: _create(table, sync))


def _create(table: Table, connection: Any) -> None:
    table.create(connection)
