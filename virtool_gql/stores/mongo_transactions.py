"""Transactions on MongoDB: the server's own on a replica set, else writes that are undone if the block raises."""

import asyncio
import logging
import secrets
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from pymongo import ReplaceOne
from pymongo.errors import BulkWriteError, OperationFailure, PyMongoError

from virtool_gql.models.changes import Operation
from virtool_gql.models.documents import Document, to_builtins
from virtool_gql.stores.documents import duplicate, stale
from virtool_gql.stores.mongo_collections import Collection, Collections, OnAnnounced, Session, driver_errors
from virtool_gql.stores.mongo_documents import UNIQUE, Stored, unique_name, unique_values
from virtool_gql.stores.mongo_intents import Intents, lock_of
from virtool_gql.stores.mongo_writes import (
    FERRETDB_UPDATES,
    MongoTransaction,
    by_kind,
    outbox_entries,
    violated_unique,
    write,
)

log = logging.getLogger(__name__)

Undo = Callable[[], Awaitable[Any]]


class IntentTransaction(MongoTransaction):
    """A transaction whose writes happen at once and are undone if it raises."""

    def __init__(self, collections: Collections, intents: Intents, on_announced: OnAnnounced) -> None:
        super().__init__(collections)
        self._intents = intents
        self._on_announced = on_announced
        self._id = secrets.token_hex(8)
        self._held: set[str] = set()
        self._entries: list[Stored] = []
        self._undo: list[Undo] = []
        self._heart: asyncio.Task[None] | None = None

    async def commit(self) -> None:
        await self._stop_beating()
        with driver_errors():
            announced = bool(self._entries) and await self._intents.finish(self._id, self._entries)
        if announced:
            self._on_announced()

    async def roll_back(self) -> None:
        """Undo everything; what cannot be undone, because the server is gone, is settled later."""
        await self._stop_beating()
        try:
            for undo in reversed(self._undo):
                await undo()
            if self._heart is not None:
                await self._intents.drop({"transaction": self._id})
        except PyMongoError:
            log.exception("A transaction could not be undone; what it wrote will be announced.")

    async def _write_all(self, operation: Operation, documents: Sequence[Document]) -> None:
        self._heart = self._heart or asyncio.create_task(self._intents.beat(self._id))
        with driver_errors():
            entries = await self._intents.claim(self._id, operation, documents, self._held)
        self._entries += entries
        self._held |= {lock_of(entry) for entry in entries}
        for kind, group in by_kind(documents):
            await self._write_group(kind, operation, group)

    async def _write_group(self, kind: type[Document], operation: Operation, documents: Sequence[Document]) -> None:
        collection = await self._collections.of(kind)
        before = await self._before(collection, operation, documents)
        self._undo.append(lambda: _restore(collection, documents, before))
        try:
            await write(collection, operation, documents, locked=True)
        except OperationFailure:
            await _check_unique(collection, kind, documents)
            raise

    async def _before(
        self, collection: Collection, operation: Operation, documents: Sequence[Document]
    ) -> list[Stored]:
        """Give what is stored of the documents, which nobody else can write now; check that it is what was read."""
        with driver_errors():
            before = await collection.find({"_id": {"$in": [document.id for document in documents]}}).to_list(None)
        if operation is Operation.INSERT:
            if before or len({document.id for document in documents}) < len(documents):
                raise duplicate(("id",))
            return []
        versions = {stored["_id"]: stored["version"] for stored in before}
        step = operation is Operation.UPDATE
        if any(versions.get(document.id) != document.version - step for document in documents):
            raise stale()
        return list(before)

    async def _stop_beating(self) -> None:
        if self._heart is not None:
            self._heart.cancel()
            await asyncio.wait({self._heart})


class ServerTransaction(MongoTransaction):
    """A transaction of the server's own."""

    def __init__(self, collections: Collections, intents: Intents, session: Session) -> None:
        super().__init__(collections, session)
        self._intents = intents
        self.announces = False

    async def _write_all(self, operation: Operation, documents: Sequence[Document]) -> None:
        for kind, group in by_kind(documents):
            collection = await self._collections.of(kind)
            try:
                await write(collection, operation, group, self._session)
            except BulkWriteError as error:
                if paths := violated_unique(kind.kept, error):
                    raise duplicate(paths) from error
                raise
        entries = await outbox_entries(self._intents.ids, self._intents.clock, operation, documents)
        if announced := [entry for entry in entries if entry["payload"] is not None]:
            with driver_errors():
                await self._intents.outbox.insert_many(announced, session=self._session)
            self.announces = True


async def _restore(collection: Collection, documents: Sequence[Document], before: Sequence[Stored]) -> None:
    there = {stored["_id"] for stored in before}
    if new := [document.id for document in documents if document.id not in there]:
        await collection.delete_many({"_id": {"$in": new}})
    restorations = [ReplaceOne({"_id": old["_id"]}, old, upsert=True) for old in before]
    for start in range(0, len(restorations), FERRETDB_UPDATES):
        await collection.bulk_write(restorations[start : start + FERRETDB_UPDATES])


async def _check_unique(collection: Collection, kind: type[Document], documents: Sequence[Document]) -> None:
    """Raise DuplicateValue for the first unique value that another document has: not every server names it."""
    owners = [(document.id, unique_values(kind.kept, to_builtins(document))) for document in documents]
    for paths in kind.kept.unique:
        name = unique_name(paths)
        wanted: dict[str, str] = {}
        for id, values in owners:
            if name in values and wanted.setdefault(values[name], id) != id:
                raise duplicate(paths)
        field_name = f"{UNIQUE}.{name}"
        for stored in await collection.find({field_name: {"$in": list(wanted)}}).to_list(None):
            if wanted[stored[UNIQUE][name]] != stored["_id"]:
                raise duplicate(paths)
