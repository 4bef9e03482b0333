"""A database with an outbox, and a Redis that a test may kill."""

import secrets
from collections.abc import AsyncIterator

import asyncpg
import pytest
from redis.asyncio import Redis

from tests.redis_server import RedisServer, redis_server
from virtool_gql.embedded import ServiceUrls
from virtool_gql.stores.migrations import migrate
from virtool_gql.stores.postgres import PostgresStore
from virtool_gql.stores.redis import connect


@pytest.fixture(scope="session")
async def template(services: ServiceUrls) -> str:
    await _execute(services.postgres, "CREATE DATABASE events_template")
    await migrate(_in_database(services.postgres, "events_template"))
    return "events_template"


@pytest.fixture
async def database(services: ServiceUrls, template: str) -> AsyncIterator[str]:
    """The URL of an empty, migrated database."""
    name = f"events_{secrets.token_hex(4)}"
    await _execute(services.postgres, f"CREATE DATABASE {name} TEMPLATE {template}")
    yield _in_database(services.postgres, name)
    await _execute(services.postgres, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
async def store(database: str) -> AsyncIterator[PostgresStore]:
    async with PostgresStore.open(database) as store:
        yield store


@pytest.fixture(scope="session")
async def killable() -> AsyncIterator[RedisServer]:
    async with redis_server() as server:
        yield server


@pytest.fixture
async def server(killable: RedisServer) -> RedisServer:
    """A Redis that is empty and may be killed, if it is started again."""
    async with Redis.from_url(killable.url) as client:
        await client.flushall()
    return killable


@pytest.fixture
async def client(server: RedisServer) -> AsyncIterator[Redis]:
    async with connect(server.url) as client:
        yield client


async def _execute(url: str, statement: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


def _in_database(url: str, name: str) -> str:
    return url.replace("/postgres?", f"/{name}?")
