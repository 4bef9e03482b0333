"""What tests of events write, and how they read it back."""

import asyncio
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Any

from redis.asyncio import Redis

from virtool_gql.events import STREAM
from virtool_gql.events.entries import Entry, entry_of
from virtool_gql.events.subscriptions import Subscription, change_of
from virtool_gql.models.changes import Change
from virtool_gql.models.documents import Timestamp
from virtool_gql.models.users import Group
from virtool_gql.stores.documents import Documents

GROUPS = frozenset({"groups"})
AT = Timestamp("2026-01-01T00:00:00.000Z")


def group(id: str, name: str = "") -> Group:
    return Group(id=id, name=name, name_key=id, created_at=AT)


def groups(numbers: Iterable[int]) -> list[Group]:
    return [group(f"{number:06}") for number in numbers]


async def write(store: Documents, numbers: Iterable[int]) -> list[str]:
    """Write one group after the other; give their ids."""
    return [(await store.insert(group(f"{number:06}")))[0].id for number in numbers]


def seen(changes: Iterable[Change]) -> list[str]:
    return [id for change in changes for id in change.ids]


async def take(subscription: Subscription, count: int, seconds: float = 30) -> list[Change]:
    async with asyncio.timeout(seconds):
        return [await anext(subscription) for _ in range(count)]


async def nothing_more(subscription: Subscription, store: Documents) -> bool:
    """Write one last thing; tell whether that is the very next."""
    await store.insert(group("last"))
    return seen(await take(subscription, 1)) == ["last"]


async def stream_entries(client: Redis) -> list[Entry]:
    items: Any = await client.xrange(STREAM)
    return [entry_of(*item) for item in items]


async def stream_changes(client: Redis) -> list[Change]:
    changes = [change_of(entry) for entry in await stream_entries(client)]
    return [change for change in changes if change is not None]


def joined(entries: Sequence[Entry]) -> bool:
    """Tell whether each entry names the one before it."""
    return all(entry.previous == before.id for before, entry in pairwise(entries))
