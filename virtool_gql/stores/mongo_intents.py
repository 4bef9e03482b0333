"""Intents: how the outbox is filled on a server that has no transactions.

A write goes: intents into the outbox, then the documents, and when the transaction ends its intents become ready to be
announced. An intent locks its document against other transactions until then. Beside the intents of a transaction lies
its heart. When the writing process dies, that stops beating; whoever comes across it settles each intent by looking at
the document: announced if it was written, else forgotten.
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
MOST_MADE_READY = 100
EXCHANGED_AT_ONCE = 2_000
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
        heart = [] if held else [_heart(transaction)]
        while True:
            entries = await self._new(transaction, operation, documents, held)
            try:
                await self.outbox.insert_many([*heart, *entries])
            except BulkWriteError as error:
                await self.drop({"_id": {"$in": [entry["_id"] for entry in (*heart, *entries)]}})
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
            entry |= {"state": "intent", "transaction": transaction}
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
                await self.outbox.update_one({"_id": heart_of(transaction)}, {"$inc": {"beat": 1}})

    async def finish(self, transaction: str, entries: Sequence[Stored]) -> bool:
        """Make the intents of a transaction ready; tell whether there is anything to announce."""
        announced = [entry for entry in entries if entry["payload"] is not None]
        if len(announced) > MOST_MADE_READY:
            await self._exchange(announced)
        else:
            await self._make_ready(transaction, announced)
        await self.outbox.delete_many({"transaction": transaction, "payload": None})
        return bool(announced)

    async def _make_ready(self, transaction: str, announced: Sequence[Stored]) -> None:
        ready = {"$set": {"state": "ready"}, "$unset": {"lock": ""}}
        result = await self.outbox.update_many({"transaction": transaction, "payload": {"$ne": None}}, ready)
        if result.matched_count < len(announced):
            await self._announce_again(transaction, announced)

    async def _exchange(self, announced: Sequence[Stored]) -> None:
        """Put ready entries into the place of many intents: FerretDB takes minutes to update thousands."""
        for start in range(0, len(announced), EXCHANGED_AT_ONCE):
            some = announced[start : start + EXCHANGED_AT_ONCE]
            await self.outbox.insert_many([_ready(entry) for entry in some])
            await self.drop({"_id": {"$in": [entry["_id"] for entry in some]}})

    async def _announce_again(self, transaction: str, announced: Sequence[Stored]) -> None:
        """Put back what was settled behind the back of a process that stood still: better twice than never."""
        stored = await self.outbox.find({"transaction": transaction}, {"_id": 1}).to_list(None)
        there = {entry["_id"] for entry in stored}
        missing = [entry for entry in announced if entry["_id"] not in there]
        if missing:
            await self.outbox.insert_many([{**entry, "state": "ready", "lock": entry["_id"]} for entry in missing])

    async def settle(self) -> None:
        """Finish the transactions that have not beaten for some time. Only this process's own clock counts."""
        hearts = await self.outbox.find({"state": "heart"}).to_list(None)
        now = time.monotonic()
        seen = {heart["_id"]: self._seen.get(heart["_id"]) for heart in hearts}
        self._seen = {
            heart["_id"]: known if (known := seen[heart["_id"]]) and known[0] == heart["beat"] else (heart["beat"], now)
            for heart in hearts
        }
        for heart in hearts:
            if now - self._seen[heart["_id"]][1] >= self.settle_after_seconds:
                await self._settle_all(heart)

    async def _settle_all(self, heart: Stored) -> None:
        of_transaction = {"transaction": heart["transaction"], "state": "intent"}
        for intent in await self.outbox.find(of_transaction, {"payload": 0}).sort("_id").to_list(None):
            await self._settle(intent)
        await self.outbox.delete_one({"_id": heart["_id"], "beat": heart["beat"]})

    async def _settle(self, intent: Stored) -> None:
        same = {"_id": intent["_id"], "state": "intent"}
        if await self._was_written(intent) and not await self._was_exchanged(intent):
            await self.outbox.delete_many({**same, "payload": None})
            await self.outbox.update_one(same, {"$set": {"state": "ready"}, "$unset": {"lock": ""}})
        else:
            await self.outbox.delete_one(same)
        log.warning("Settled an unfinished write to %s %s.", intent["collection"], intent["document"])

    async def _was_exchanged(self, intent: Stored) -> bool:
        return await self.outbox.find_one({"_id": _ready_id(intent["_id"])}, {"_id": 1}) is not None

    async def _was_written(self, intent: Stored) -> bool:
        collection = self.collections.named(intent["collection"])
        stored = await collection.find_one({"_id": intent["document"]}, {"version": 1})
        if intent["operation"] == Operation.DELETE:
            return stored is None or bool(stored["version"] != intent["version"] - 1)
        return stored is not None and bool(stored["version"] >= intent["version"])


def heart_of(transaction: str) -> str:
    return f"heart of {transaction}"


def _heart(transaction: str) -> Stored:
    return {"_id": heart_of(transaction), "state": "heart", "transaction": transaction, "beat": 0, "payload": None}


def _ready_id(id: str) -> str:
    """Give the id of the entry that takes the place of an intent, and its place in the order."""
    return f"{id}r"


def _ready(intent: Stored) -> Stored:
    rest = {name: value for name, value in intent.items() if name != "lock"}
    return {**rest, "_id": _ready_id(intent["_id"]), "state": "ready"}


def lock_of(entry: Stored) -> str:
    return f"{entry['collection']}/{entry['document']}"
