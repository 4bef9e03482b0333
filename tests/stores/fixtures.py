"""The stores that tests stand on: each a fresh database on the real server."""

import secrets
from collections.abc import AsyncIterator

import pytest
from sqlalchemy import text
from sqlalchemy.engine import make_url

from virtool_gql.embedded import ServiceUrls
from virtool_gql.stores.engine import engine_for
from virtool_gql.stores.migrations import migrate
from virtool_gql.stores.postgres import PostgresStore


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
    await administer(services.postgres, "CREATE DATABASE migrated")
    await migrate(database_url(services.postgres, "migrated"))
    return "migrated"


@pytest.fixture
async def postgres_url(services: ServiceUrls, migrated: str) -> AsyncIterator[str]:
    """Give the URL of a migrated, empty database of this test alone."""
    name = f"test_{secrets.token_hex(6)}"
    await administer(services.postgres, f"CREATE DATABASE {name} TEMPLATE {migrated}")
    yield database_url(services.postgres, name)
    await administer(services.postgres, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
async def store(postgres_url: str) -> AsyncIterator[PostgresStore]:
    """Give a store on a migrated, empty database of this test alone."""
    async with PostgresStore.open(postgres_url) as opened:
        yield opened
