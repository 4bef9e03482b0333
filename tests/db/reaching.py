"""Databases with a way to a world outside, for tests that import these fixtures."""

from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis

from tests.factories.outside import Waits, World, outside, reaching
from virtool_gql.db.database import Database
from virtool_gql.http import Client


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with World().open() as world:
        yield world


@pytest.fixture
def waits() -> Waits:
    return Waits()


@pytest.fixture
async def client(waits: Waits) -> AsyncIterator[Client]:
    async with waits.client() as client:
        yield client


@pytest.fixture
def reached(db: Database, redis: Redis, world: World, client: Client) -> Database:
    """Give a database that can reach the world."""
    return reaching(db, redis, outside(world, client, db.instance.clock))


@pytest.fixture
def each_reached(each_db: Database, redis: Redis, world: World, client: Client) -> Database:
    """Give a database on each of the stores in turn that can reach the world."""
    return reaching(each_db, redis, outside(world, client, each_db.instance.clock))
