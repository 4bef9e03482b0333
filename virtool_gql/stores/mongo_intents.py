"""Intents: how the outbox is filled on a server that has no transactions.

A write goes: intents into the outbox, then the documents, and when the transaction ends its intents become ready to be
announced. An intent locks its document against other transactions until then. When the writing process dies, its
intents stop beating; whoever comes across them settles each by looking at the document: announced if it was written,
else forgotten.
"""

import asyncio
import logging
import random
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from pymongo import ASCENDING, IndexModel
from pymongo.errors import BulkWriteError, PyMongoError

from virtool_gql.errors import StaleDocument
from virtool_gql.models.changes import Operation
from virtool_gql.models.documents import Clock, Document
from virtool_gql.stores.mongo_collections import Collection, Collections
from virtool_gql.stores.mongo_documents import Stored
from virtool_gql.stores.mongo_writes import OutboxIds, is_duplicate, outbox_entries

log = logging.getLogger(__name__)

SETTLE_AFTER_SECONDS = 5.0
LOCK_POLL_SECONDS = 0.02
OUTBOX_INDEXES = [
    IndexModel([("lock", ASCENDING)], unique=True, sparse=True),
    IndexModel([("transaction", ASCENDING)]),
    IndexModel([("state", ASCENDING), ("_id", ASCENDING)]),
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
            entries = await self._new(transaction, operation, documents, held)
            try:
                await self.outbox.insert_many(entries)
            except BulkWriteError as error:
                await self.drop({"_id": {"$in": [entry["_id"] for entry in entries]}})
                if not is_duplicate(error):
                    raise
                if time.monotonic() > deadline:
                    raise StaleDocument("Somebody else is changing this; try again.") from error
            else:
                return entries
            await asyncio.sleep(LOCK_POLL_SECONDS * random.uniform(0.1, 1))  # noqa: S311 - spreads those who wait
            await self.settle()

    async def _new(
        self, transaction: str, operation: Operation, documents: Sequence[Document], held: set[str]
    ) -> list[Stored]:
        entries = await outbox_entries(self.ids, self.clock, operation, documents)
        locked = set(held)
        for entry in entries:
            entry |= {"state": "intent", "transaction": transaction, "beat": 0}
            lock = lock_of(entry)
            if lock not in locked:
                entry["lock"] = lock
                locked.add(lock)
        return entries

    async def drop(self, which: Stored) -> None:
        await self.outbox.delete_many(which)

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
        missing = [entry for entry in announced if entry["_id"] not in there]
        if missing:
            await self.outbox.insert_many([{**entry, "state": "ready", "lock": entry["_id"]} for entry in missing])

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
