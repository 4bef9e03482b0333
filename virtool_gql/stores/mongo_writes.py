"""Writing documents and their outbox entries to MongoDB: what both kinds of transactions have in common."""

import asyncio
import secrets
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from itertools import groupby
from typing import Any, TypeVar

from bson import encode
from bson.raw_bson import RawBSONDocument
from pymongo import DeleteOne, InsertOne, ReplaceOne, UpdateOne
from pymongo.errors import BulkWriteError

from virtool_gql.errors import PayloadTooLarge
from virtool_gql.models.changes import Operation, announcement
from virtool_gql.models.documents import Clock, Document, Kept, is_whole
from virtool_gql.stores.documents import Documents, Writes, stale
from virtool_gql.stores.mongo_collections import Collection, Collections, Session, driver_errors
from virtool_gql.stores.mongo_documents import UNIQUE, Stored, stored_path, to_stored, unique_name
from virtool_gql.stores.mongo_reads import MongoReads
from virtool_gql.stores.slices import in_slices

D = TypeVar("D", bound=Document)
T = TypeVar("T")

DUPLICATE_KEY = 11000
MOST_BYTES = 16 * 1024 * 1024
FERRETDB_UPDATES = 20
"""FerretDB keeps a reader open for each update of one command, and comes to a standstill at some hundred."""


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


async def outbox_entries(
    ids: OutboxIds, clock: Clock, operation: Operation, documents: Sequence[Document]
) -> list[Stored]:
    """Give what the outbox holds of a write. The version of a deletion is the one that it takes away, plus one."""
    at = clock()

    def entry_of(document: Document) -> Stored:
        return {
            "_id": ids.next(),
            "collection": document.kept.name,
            "document": document.id,
            "version": document.version + (operation is Operation.DELETE),
            "operation": operation,
            "payload": announcement(operation, document, at),
            "state": "ready",
        }

    return await in_slices(entry_of, documents)


class MongoTransaction(Writes, MongoReads):
    """One transaction. A write that fails makes it void: whatever becomes of the error, the block ends with it."""

    def __init__(self, collections: Collections, session: Session = None) -> None:
        super().__init__(collections, session)
        self._one_at_a_time = asyncio.Lock()
        self._failure: Exception | None = None

    def transaction(self) -> AbstractAsyncContextManager[Documents]:
        """Give the same transaction again."""
        return nullcontext(self)

    async def _write(self, operation: Operation, documents: Sequence[Document]) -> None:
        async with self._one_at_a_time:
            self.check()
            try:
                if documents:
                    await whole(self._write_all(operation, documents))
            except Exception as error:
                self._failure = error
                raise

    def check(self) -> None:
        """Raise what made the transaction void."""
        if self._failure is not None:
            raise self._failure

    async def _write_all(self, operation: Operation, documents: Sequence[Document]) -> None:
        raise NotImplementedError


def by_kind(documents: Sequence[D]) -> list[tuple[type[D], list[D]]]:
    """Split documents into runs of one kind, in their order."""
    return [(kind, list(group)) for kind, group in groupby(documents, key=type)]


async def write(
    collection: Collection,
    operation: Operation,
    documents: Sequence[Document],
    session: Session = None,
    *,
    locked: bool = False,
) -> None:
    """Do one write; documents that are replaced come as their next version, those that are deleted as they are.

    Of documents that are locked the versions are known; FerretDB uses an index only where an id is asked for alone.
    """

    def operation_on(document: Document) -> Any:
        if operation is Operation.INSERT:
            return InsertOne(_encoded(document))
        version = document.version - (operation is Operation.UPDATE)
        at = {"_id": document.id} if locked else {"_id": document.id, "version": version}
        return _replacement(at, document) if operation is Operation.UPDATE else DeleteOne(at)

    with driver_errors():
        if locked and operation is Operation.DELETE:
            await _delete(collection, [document.id for document in documents])
            return
        operations = await in_slices(operation_on, documents)
        size = FERRETDB_UPDATES if locked and operation is Operation.UPDATE else len(operations)
        for start in range(0, len(operations), size):
            some = operations[start : start + size]
            result = await collection.bulk_write(some, session=session)
            if result.inserted_count + result.matched_count + result.deleted_count != len(some):
                raise stale()


async def _delete(collection: Collection, ids: Sequence[str]) -> None:
    """Delete in one operation: FerretDB looks through the whole collection for each."""
    result = await collection.delete_many({"_id": {"$in": ids}})
    if result.deleted_count != len(ids):
        raise stale()


def _replacement(at: Stored, document: Document) -> Any:
    """Replace a document, but for what is kept apart of it when it was read without."""
    if is_whole(document):
        return ReplaceOne(at, _encoded(document))
    stored = to_stored(document)
    kept = {"_id", *map(stored_path, document.kept.apart)}
    rest = {name: value for name, value in stored.items() if name not in kept}
    return UpdateOne(at, {"$set": rest} if UNIQUE in rest else {"$set": rest, "$unset": {UNIQUE: ""}})


def _encoded(document: Document) -> RawBSONDocument:
    """Encode a document here: the driver would do all of them at once, and leave the larger ones to the server."""
    encoded = encode(to_stored(document))
    if len(encoded) > MOST_BYTES:
        name = f"{document.kept.name} {document.id}"
        raise PayloadTooLarge(f"MongoDB cannot hold {name}: it would be larger than the 16 MB of a document there.")
    return RawBSONDocument(encoded)


def is_duplicate(error: BulkWriteError) -> bool:
    return any(failure.get("code") == DUPLICATE_KEY for failure in error.details.get("writeErrors", ()))


def violated_unique(kept: Kept, error: BulkWriteError) -> tuple[str, ...] | None:
    """Give the paths whose uniqueness a write violated, where the server tells it."""
    for failure in error.details.get("writeErrors", ()):
        if failure.get("code") == DUPLICATE_KEY:
            pattern = failure.get("keyPattern", {})
            named = {f"{UNIQUE}.{unique_name(paths)}": paths for paths in kept.unique} | {"_id": ("id",)}
            return next((named[name] for name in pattern if name in named), None)
    return None
