"""What the log tells of what is gone, and what it does not tell yet."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass

import pytest
from redis.asyncio import Redis

from virtool_gql.db.deletions import Deletions
from virtool_gql.embedded import ServiceUrls
from virtool_gql.events import Hub, Relay
from virtool_gql.models.changes import Change
from virtool_gql.models.documents import new_id, now
from virtool_gql.models.users import Group
from virtool_gql.query import Eq, predicate
from virtool_gql.stores.postgres import PostgresStore

TESTS = {"groups": predicate(Eq("name", "Public"))}


@dataclass
class Log:
    """An event log that is filled only while the relay runs."""

    store: PostgresStore
    relay: Relay
    hub: Hub

    async def insertion_of_what_is_gone(self) -> Change:
        """Store and delete a group; give its first change. Its deletion is not in the log."""
        start = await self.hub.cursor()
        [group] = await self.store.insert(Group(id=new_id(), name="Public", name_key="public", created_at=now()))
        [inserted] = await self.filled(start)
        await self.store.delete(group)
        return inserted

    async def filled(self, cursor: str) -> list[Change]:
        """Let the relay bring the next change after a cursor; give it."""
        async with self.relay.running(), aclosing(self.hub.changes(frozenset(TESTS), cursor)) as changes:
            return [await anext(changes)]


@pytest.fixture
async def log(services: ServiceUrls, store: PostgresStore, redis: Redis) -> AsyncIterator[Log]:
    hub = Hub(services.redis)
    async with hub.running():
        yield Log(store, Relay(redis, [store]), hub)


async def test_a_deletion_that_is_not_in_the_log_yet_is_waited_for(log: Log) -> None:
    inserted = await log.insertion_of_what_is_gone()
    asked = asyncio.create_task(Deletions(log.hub, TESTS, patience_seconds=60).passed(inserted))
    done, _ = await asyncio.wait({asked}, timeout=0.1)
    assert not done
    await log.filled(inserted.cursor)
    async with asyncio.timeout(10):
        assert await asked


async def test_what_the_log_does_not_tell_in_time_has_not_passed(log: Log) -> None:
    inserted = await log.insertion_of_what_is_gone()
    deletions = Deletions(log.hub, TESTS, patience_seconds=0.05)
    assert not await deletions.passed(inserted)
    await log.filled(inserted.cursor)
    assert await deletions.passed(inserted)
