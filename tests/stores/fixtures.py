"""The stores that tests stand on: each a fresh database on a real server."""

import os
import secrets
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, TypeAlias

import pytest
from sqlalchemy import text
from sqlalchemy.engine import make_url

from tests.stores.mongo_server import fresh_database, mongo_server
from tests.stores.plants import plant_tables
from virtool_gql.embedded import ServiceUrls
from virtool_gql.models.documents import Timestamp
from virtool_gql.stores.engine import engine_for
from virtool_gql.stores.migrations import migrate
from virtool_gql.stores.postgres import PostgresStore

AT = Timestamp("2026-01-02T03:04:05.678Z")

if TYPE_CHECKING:
    from virtool_gql.stores.mongo import MongoStore

AnyStore: TypeAlias = "PostgresStore | MongoStore"


async def administer(url: str, statement: str) -> None:
    """Run a statement that PostgreSQL refuses within a transaction."""
    engine = engine_for(url)
    async with engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
        await connection.execute(text(statement))
    await engine.dispose()


def database_url(server_url: str, name: str) -> str:
    return make_url(server_url).set(database=name).render_as_string(hide_password=False)


@pytest.fixture(scope="session")
async def migrated(services: ServiceUrls) -> str:
    """Name the database that all others are copied from: migrated and empty."""
    name = f"migrated_{secrets.token_hex(6)}"
    await administer(services.postgres, f"CREATE DATABASE {name}")
    await migrate(database_url(services.postgres, name))
    return name


@asynccontextmanager
async def fresh_postgres(services: ServiceUrls, template: str = "template1") -> AsyncIterator[str]:
    """Give the URL of a database of its own, which goes away with the block."""
    name = f"test_{secrets.token_hex(6)}"
    await administer(services.postgres, f"CREATE DATABASE {name} TEMPLATE {template}")
    yield database_url(services.postgres, name)
    await administer(services.postgres, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
async def postgres_url(services: ServiceUrls, migrated: str) -> AsyncIterator[str]:
    """Give the URL of a migrated, empty database of this test alone."""
    async with fresh_postgres(services, migrated) as url:
        yield url


@pytest.fixture
async def store(postgres_url: str) -> AsyncIterator[PostgresStore]:
    """Give a store on a migrated, empty database of this test alone."""
    async with PostgresStore.open(postgres_url) as opened:
        yield opened


@pytest.fixture
async def rows(services: ServiceUrls, migrated: str) -> AsyncIterator[PostgresStore]:
    """Give a store for rows, on a database other than that of `documents_store`."""
    async with fresh_postgres(services, migrated) as url, PostgresStore.open(url) as opened:
        yield opened


@pytest.fixture
def announced() -> list[None]:
    """Hold one entry for each time that a store called `on_announced`."""
    return []


@pytest.fixture
async def postgres(postgres_url: str, announced: list[None]) -> AsyncIterator[PostgresStore]:
    """Give a PostgreSQL store that has the tests' own collections too."""
    async with PostgresStore.open(
        postgres_url, clock=lambda: AT, on_announced=lambda: announced.append(None)
    ) as opened:
        await plant_tables(opened)
        yield opened


@pytest.fixture(scope="session")
def mongo_url() -> Iterator[str]:
    with mongo_server() as url:
        yield url


@pytest.fixture
async def mongo(mongo_url: str, announced: list[None]) -> AsyncIterator["MongoStore"]:
    from virtool_gql.stores.mongo import MongoStore

    url = fresh_database(mongo_url)
    async with MongoStore.open(url, clock=lambda: AT, on_announced=lambda: announced.append(None)) as opened:
        yield opened
        await opened._client.drop_database(opened._client.get_default_database().name)


@pytest.fixture(params=["postgres", "mongo"])
def documents_store(request: pytest.FixtureRequest) -> AnyStore:
    """Give each store in turn: a test that takes it says what every store does."""
    chosen: AnyStore = request.getfixturevalue(request.param)
    return chosen


@pytest.fixture
def crowd(documents_store: AnyStore) -> int:
    """Tell how many documents a test of many takes: FerretDB over SQLite writes some thirty a second."""
    is_ferretdb = not isinstance(documents_store, PostgresStore) and "VT_TEST_MONGO_URL" not in os.environ
    return 150 if is_ferretdb else 3000
