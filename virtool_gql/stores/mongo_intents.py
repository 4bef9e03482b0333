"""Transactions for a MongoDB server that has none: intents, locks and an undo list.

A write goes: intents into the outbox, then the documents, and when the transaction ends its intents become ready to be
announced. An intent locks its document against other transactions until then. A transaction that raises undoes what it
wrote, last things first. When the writing process dies, its intents stop beating; whoever comes across them settles
each by looking at the document: announced if it was written, else forgotten.
"""

import asyncio
import logging
import random
import secrets
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext, suppress
from dataclasses import dataclass, field
from typing import Any, TypeVar

from msgspec import structs
from pymongo import ASCENDING, DeleteMany, IndexModel, ReplaceOne
from pymongo.errors import BulkWriteError, OperationFailure, PyMongoError

from virtool_gql.errors import StaleDocument, VirtoolError
from virtool_gql.models.changes import Operation, announcement
from virtool_gql.models.documents import Clock, Document, to_builtins
from virtool_gql.stores.documents import Documents
from virtool_gql.stores.mongo_documents import UNIQUE, Stored, unique_name, unique_values
from virtool_gql.stores.mongo_reads import (
    Collection,
    Collections,
    MongoReads,
    OnAnnounced,
    by_kind,
    driver_errors,
    duplicate,
    write,
)

D = TypeVar("D", bound=Document)
T = TypeVar("T")

log = logging.getLogger(__name__)

SETTLE_AFTER_SECONDS = 5.0
LOCK_POLL_SECONDS = 0.02
OUTBOX_INDEXES = [
    IndexModel([("lock", ASCENDING)], unique=True, sparse=True),
    IndexModel([("transaction", ASCENDING)]),
    IndexModel([("state", ASCENDING), ("_id", ASCENDING)]),
]


async def whole(work: Awaitable[T]) -> T:
    """Wait for work that must not be cut off in its middle; a cancellation comes through after it."""
    task = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait({task})
        raise


class OutboxIds:
    """Ids in the order of time, which no two processes share."""

    def __init__(self, nanoseconds: Callable[[], int] = time.time_ns) -> None:
        self._nanoseconds = nanoseconds
        self._last = 0
        self._process = secrets.token_hex(4)

    def next(self) -> str:
        self._last = max(self._last + 1, self._nanoseconds())
        return f"{self._last:016x}{self._process}"


def outbox_entries(ids: OutboxIds, clock: Clock, operation: Operation, documents: Sequence[Document]) -> list[Stored]:
    """Give what the outbox holds of a write. The version of a deletion is the one that it takes away, plus one."""
    at = clock()
    return [
        {
            "_id": ids.next(),
            "collection": document.kept.name,
            "document": document.id,
            "version": document.version + (operation is Operation.DELETE),
            "operation": operation,
            "payload": announcement(operation, document, at),
            "state": "ready",
        }
        for document in documents
    ]


@dataclass(slots=True)
class Intents:
    """The unfinished entries of the outbox."""

    outbox: Collection
    collections: Collections
    ids: OutboxIds
    clock: Clock
    settle_after_seconds: float = SETTLE_AFTER_SECONDS
    _seen: dict[str, tuple[int, float]] = field(default_factory=dict)

    async def claim(
        self, transaction: str, operation: Operation, documents: Sequence[Document], held: set[str]
    ) -> list[Stored]:
        """Put intents into the outbox; wait while another transaction holds one of the documents."""
        # A holder that died is settled within the time.
        deadline = time.monotonic() + 2 * self.settle_after_seconds
        while True:
            entries = self._intents(transaction, operation, documents, held)
            try:
                await self.outbox.insert_many(entries)
            except BulkWriteError as error:
                await self.drop(entries)
                if time.monotonic() > deadline:
                    raise StaleDocument("Somebody else is changing this; try again.") from error
            else:
                return entries
            await asyncio.sleep(LOCK_POLL_SECONDS * random.uniform(0.1, 1))  # noqa: S311 - spreads those who wait
            await self.settle()

    def _intents(
        self, transaction: str, operation: Operation, documents: Sequence[Document], held: set[str]
    ) -> list[Stored]:
        entries = outbox_entries(self.ids, self.clock, operation, documents)
        locked = set(held)
        for entry in entries:
            entry |= {"state": "intent", "transaction": transaction, "beat": 0}
            lock = lock_of(entry)
            if lock not in locked:
                entry["lock"] = lock
                locked.add(lock)
        return entries

    async def drop(self, entries: Sequence[Stored]) -> None:
        await self.outbox.delete_many({"_id": {"$in": [entry["_id"] for entry in entries]}})

    async def beat(self, transaction: str) -> None:
        """Show again and again that the transaction is alive."""
        while True:
            await asyncio.sleep(self.settle_after_seconds / 4)
            with suppress(PyMongoError):
                await self.outbox.update_many({"transaction": transaction}, {"$inc": {"beat": 1}})

    async def finish(self, transaction: str, entries: Sequence[Stored]) -> bool:
        """Make the intents of a transaction ready; tell whether there is anything to announce."""
        await self.outbox.delete_many({"transaction": transaction, "payload": None})
        announced = [entry for entry in entries if entry["payload"] is not None]
        ready = {"$set": {"state": "ready"}, "$unset": {"lock": ""}}
        result = await self.outbox.update_many({"transaction": transaction}, ready)
        if result.matched_count < len(announced):
            await self._announce_again(transaction, announced)
        return bool(announced)

    async def _announce_again(self, transaction: str, announced: Sequence[Stored]) -> None:
        """Put back what was settled behind the back of a process that stood still: better twice than never."""
        stored = await self.outbox.find({"transaction": transaction}, {"_id": 1}).to_list(None)
        there = {entry["_id"] for entry in stored}
        missing = [entry | {"state": "ready"} for entry in announced if entry["_id"] not in there]
        await self.outbox.insert_many([{**entry, "lock": entry["_id"]} for entry in missing])

    async def settle(self) -> None:
        """Finish the intents that have not beaten for some time. Only this process's own clock counts."""
        intents = await self.outbox.find({"state": "intent"}, {"payload": 0}).sort("_id").to_list(None)
        now = time.monotonic()
        seen = {intent["_id"]: self._seen.get(intent["_id"]) for intent in intents}
        self._seen = {
            intent["_id"]: known
            if (known := seen[intent["_id"]]) and known[0] == intent["beat"]
            else (intent["beat"], now)
            for intent in intents
        }
        for intent in intents:
            if now - self._seen[intent["_id"]][1] >= self.settle_after_seconds:
                await self._settle(intent)

    async def _settle(self, intent: Stored) -> None:
        same = {"_id": intent["_id"], "state": "intent", "beat": intent["beat"]}
        if await self._was_written(intent):
            await self.outbox.delete_many({**same, "payload": None})
            await self.outbox.update_one(same, {"$set": {"state": "ready"}, "$unset": {"lock": ""}})
        else:
            await self.outbox.delete_one(same)
        log.warning("Settled an unfinished write to %s %s.", intent["collection"], intent["document"])

    async def _was_written(self, intent: Stored) -> bool:
        collection = self.collections.named(intent["collection"])
        stored = await collection.find_one({"_id": intent["document"]}, {"version": 1})
        if intent["operation"] == Operation.DELETE:
            return stored is None or bool(stored["version"] != intent["version"] - 1)
        return stored is not None and bool(stored["version"] >= intent["version"])


def lock_of(entry: Stored) -> str:
    return f"{entry['collection']}/{entry['document']}"


Undo = Callable[[], Awaitable[Any]]


class IntentTransaction(MongoReads):
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

    def transaction(self) -> AbstractAsyncContextManager[Documents]:
        """Give the same transaction again."""
        return nullcontext(self)

    async def insert(self, *documents: D) -> list[D]:
        """Store new documents; give them back as version 1."""
        return await self._write(Operation.INSERT, [structs.replace(document, version=1) for document in documents])

    async def replace(self, *documents: D) -> list[D]:
        """Store the next version of documents that were read; give them back with it."""
        next_versions = [structs.replace(document, version=document.version + 1) for document in documents]
        return await self._write(Operation.UPDATE, next_versions)

    async def delete(self, *documents: D) -> None:
        """Remove documents that were read."""
        await self._write(Operation.DELETE, list(documents))

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
            await self._undo_since(0)
            if self._entries:
                await self._intents.drop(self._entries)
        except PyMongoError:
            log.exception("A transaction could not be undone; what it wrote will be announced.")

    async def _write(self, operation: Operation, documents: list[D]) -> list[D]:
        if documents:
            await whole(self._write_all(operation, documents))
        return documents

    async def _write_all(self, operation: Operation, documents: Sequence[Document]) -> None:
        with driver_errors():
            entries = await self._intents.claim(self._id, operation, documents, self._held)
        self._heart = self._heart or asyncio.create_task(self._intents.beat(self._id))
        done = len(self._undo)
        try:
            for kind, group in by_kind(documents):
                await self._write_group(kind, operation, group)
        except (VirtoolError, PyMongoError):
            await self._undo_since(done)
            await self._intents.drop(entries)
            raise
        self._entries += entries
        self._held |= {lock_of(entry) for entry in entries}

    async def _write_group(self, kind: type[Document], operation: Operation, documents: Sequence[Document]) -> None:
        collection = await self._collections.of(kind)
        before = await self._before(collection, operation, documents)
        self._undo.append(lambda: _restore(collection, documents, before))
        try:
            await write(collection, operation, documents, None)
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
            raise StaleDocument("Somebody else has changed this meanwhile; look at it again.")
        return list(before)

    async def _undo_since(self, done: int) -> None:
        while len(self._undo) > done:
            await self._undo[-1]()
            self._undo.pop()

    async def _stop_beating(self) -> None:
        if self._heart is not None:
            self._heart.cancel()
            await asyncio.wait({self._heart})


async def _restore(collection: Collection, documents: Sequence[Document], before: Sequence[Stored]) -> None:
    there = {stored["_id"] for stored in before}
    new = [document.id for document in documents if document.id not in there]
    removal = [DeleteMany({"_id": {"$in": new}})] if new else []
    await collection.bulk_write([*removal, *(ReplaceOne({"_id": old["_id"]}, old, upsert=True) for old in before)])


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
