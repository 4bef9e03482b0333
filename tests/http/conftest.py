"""What the tests of the client stand on: a world, and waits that take no time."""

from collections.abc import AsyncIterator

import pytest

from tests.factories.outside import Waits, World
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
    client = waits.client()
    yield client
    await client.close()
