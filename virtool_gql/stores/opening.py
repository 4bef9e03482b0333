"""Opens the store of documents that the configuration asks for."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import cast

import msgspec

from virtool_gql.models.documents import Clock, now
from virtool_gql.stores.documents import Documents, Outbox
from virtool_gql.stores.postgres import PostgresStore
from virtool_gql.stores.routed import RoutedStore


class StoreUrls(msgspec.Struct, frozen=True):
    """Where the store's servers are; without MongoDB everything is in PostgreSQL."""

    postgres: str
    mongo: str | None = None


@asynccontextmanager
async def open_store(
    urls: StoreUrls, *, clock: Clock = now, on_announced: Callable[[], None] = lambda: None
) -> AsyncIterator[Documents]:
    """Open the store while the block lasts; `on_announced` is called after each commit that filled an outbox."""
    async with PostgresStore.open(urls.postgres, clock=clock, on_announced=on_announced) as rows:
        if urls.mongo is None:
            yield rows
            return
        from virtool_gql.stores.mongo import MongoStore  # the driver is loaded only where it is used

        async with MongoStore.open(urls.mongo, clock=clock, on_announced=on_announced) as documents:
            yield RoutedStore(documents, rows)


def outboxes_of(store: Documents) -> list[Outbox]:
    """Give the outboxes of an open store."""
    parts = [store.rows, store.documents] if isinstance(store, RoutedStore) else [store]
    return [cast("Outbox", part) for part in parts]
