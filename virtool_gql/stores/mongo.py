"""Documents in MongoDB. Motor is imported here alone.

On a replica set (one node is enough) a transaction is the server's own. A standalone server has none; there
`mongo_intents` stands in, which a crash in the middle of a transaction may leave half done.
"""

import logging
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, Self, TypeVar

from motor.motor_asyncio import AsyncIOMotorClient, AsyncIOMotorClientSession
from pymongo import ReadPreference
from pymongo.errors import ConfigurationError, ConnectionFailure, OperationFailure
from pymongo.read_concern import ReadConcern
from pymongo.write_concern import WriteConcern

from virtool_gql.errors import ConfigError
from virtool_gql.models.documents import Clock, Document, now
from virtool_gql.stores.collections import COLLECTIONS
from virtool_gql.stores.documents import Documents, at_once
from virtool_gql.stores.mongo_collections import (
    Collection,
    Collections,
    OnAnnounced,
    create_indexes,
    driver_errors,
)
from virtool_gql.stores.mongo_documents import Stored
from virtool_gql.stores.mongo_intents import OUTBOX_INDEXES, SETTLE_AFTER_SECONDS, Intents
from virtool_gql.stores.mongo_reads import MongoReads
from virtool_gql.stores.mongo_transactions import IntentTransaction, ServerTransaction
from virtool_gql.stores.mongo_writes import OutboxIds, whole

D = TypeVar("D", bound=Document)

log = logging.getLogger(__name__)

DATABASE = "virtool"
ANSWER_WITHIN_SECONDS = 5
COMMIT_TRIES = 5
DURABLE = WriteConcern("majority", j=True)

STANDALONE = (
    "This MongoDB server is no replica set, so it has no transactions: a crash in the middle of one may leave a part "
    "of it, which the sweeps finish."
)


class MongoStore(MongoReads):
    """The documents and the outbox in one MongoDB database."""

    def __init__(
        self, client: AsyncIOMotorClient[Stored], collections: Collections, intents: Intents, on_announced: OnAnnounced
    ) -> None:
        super().__init__(collections)
        self._client = client
        self._intents = intents
        self._on_announced = on_announced
        self._has_transactions = False

    @classmethod
    @asynccontextmanager
    async def open(
        cls,
        url: str,
        *,
        clock: Clock = now,
        on_announced: OnAnnounced = lambda: None,
        settle_after_seconds: float = SETTLE_AFTER_SECONDS,
        nanoseconds: Callable[[], int] = time.time_ns,
    ) -> AsyncIterator[Self]:
        """Connect to the database that the URL names, `virtool` if it names none, and create its indexes."""
        client = _client(url)
        database = client.get_default_database(DATABASE).with_options(
            read_preference=ReadPreference.PRIMARY, write_concern=DURABLE
        )
        collections = Collections(database)
        intents = Intents(collections.named("outbox"), collections, OutboxIds(nanoseconds), clock, settle_after_seconds)
        store = cls(client, collections, intents, on_announced)
        try:
            await store._prepare()
            yield store
        finally:
            await store.close()

    async def _prepare(self) -> None:
        with driver_errors():
            hello = await self._client.admin.command("hello")
            self._has_transactions = "setName" in hello or hello.get("msg") == "isdbgrid"
            await create_indexes(self._intents.outbox, OUTBOX_INDEXES)
        for kind in COLLECTIONS:
            if not kind.kept.in_rows:
                await self._collections.of(kind)
        if not self._has_transactions:
            log.warning(STANDALONE)

    async def close(self) -> None:
        self._client.close()

    async def insert(self, *documents: D) -> list[D]:
        """Store new documents; give them back as version 1."""
        return await at_once(self, lambda transaction: transaction.insert(*documents))

    async def replace(self, *documents: D) -> list[D]:
        """Store the next version of documents that were read; give them back with it."""
        return await at_once(self, lambda transaction: transaction.replace(*documents))

    async def delete(self, *documents: D) -> None:
        """Remove documents that were read."""
        await at_once(self, lambda transaction: transaction.delete(*documents))

    def transaction(self) -> AbstractAsyncContextManager[Documents]:
        """Open a transaction: what is done on it is done as a whole when the block ends, or not at all."""
        return self._server_transaction() if self._has_transactions else self._intent_transaction()

    @asynccontextmanager
    async def _intent_transaction(self) -> AsyncIterator[Documents]:
        transaction = IntentTransaction(self._collections, self._intents, self._on_announced)
        try:
            yield transaction
            transaction.check()
        except BaseException:
            await whole(transaction.roll_back())
            raise
        await whole(transaction.commit())

    @asynccontextmanager
    async def _server_transaction(self) -> AsyncIterator[Documents]:
        with driver_errors():
            session = await self._client.start_session()
        async with session:
            session.start_transaction(ReadConcern("snapshot"), DURABLE, ReadPreference.PRIMARY)
            transaction = ServerTransaction(self._collections, self._intents, session)
            try:
                yield transaction
                transaction.check()
            except BaseException:
                await whole(session.abort_transaction())
                raise
            with driver_errors():
                await whole(_commit(session))
        if transaction.announces:
            self._on_announced()

    async def waiting(self, limit: int) -> list[tuple[str, bytes]]:
        """Give the oldest changes as (outbox id, encoded change), in an order that keeps cause before effect."""
        with driver_errors():
            if not self._has_transactions:
                await self._intents.settle()
            # A write that the majority does not have may yet be rolled back by a failover.
            outbox = self._intents.outbox.with_options(read_concern=ReadConcern("majority"))
            entries = await outbox.find({"state": "ready"}).sort("_id").limit(limit).to_list(None)
            held_back = await _held_back(outbox, entries) if len(entries) == limit else set()
        in_order = [
            entry for entry in _by_version(entries) if (entry["collection"], entry["document"]) not in held_back
        ]
        return [(entry["_id"], entry["payload"]) for entry in in_order]

    async def remove(self, ids: Sequence[str]) -> None:
        """Forget changes that are in the stream."""
        with driver_errors():
            await self._intents.outbox.delete_many({"_id": {"$in": list(ids)}})


async def _commit(session: AsyncIOMotorClientSession) -> None:
    """Commit, again while the server does not tell whether it has: a commit may be repeated."""
    for tries in range(1, COMMIT_TRIES + 1):
        try:
            await session.commit_transaction()
        except (ConnectionFailure, OperationFailure) as error:
            if tries == COMMIT_TRIES or not error.has_error_label("UnknownTransactionCommitResult"):
                raise
        else:
            return


def _by_version(entries: Sequence[Stored]) -> list[Stored]:
    """Put the changes of each document into the order of its versions, should the writers' clocks have differed."""
    places: dict[tuple[str, str], list[Stored]] = {}
    for entry in entries:
        places.setdefault((entry["collection"], entry["document"]), []).append(entry)
    queues = {key: iter(sorted(of_one, key=lambda entry: int(entry["version"]))) for key, of_one in places.items()}
    return [next(queues[entry["collection"], entry["document"]]) for entry in entries]


async def _held_back(outbox: Collection, entries: Sequence[Stored]) -> set[tuple[str, str]]:
    """Give the documents of which an earlier version waits beyond the last of the entries."""
    ids = list({entry["document"] for entry in entries})
    beyond = {"state": "ready", "_id": {"$gt": entries[-1]["_id"]}, "document": {"$in": ids}}
    later = await outbox.find(beyond, {"payload": 0}).to_list(None)
    newest: dict[tuple[str, str], int] = {}
    for entry in entries:
        key = (entry["collection"], entry["document"])
        newest[key] = max(newest.get(key, 0), entry["version"])
    keyed = [((entry["collection"], entry["document"]), entry["version"]) for entry in later]
    return {key for key, version in keyed if version < newest.get(key, 0)}


async def try_out(url: str) -> None:
    """See that the database can be used; raise what the driver raises when it cannot."""
    client = _client(url)
    try:
        await client.get_default_database(DATABASE).command("listCollections", nameOnly=True)
    finally:
        client.close()


def _client(url: str) -> AsyncIOMotorClient[Any]:
    given: dict[str, Any] = {"appname": "virtool-gql", "serverSelectionTimeoutMS": ANSWER_WITHIN_SECONDS * 1000}
    options = {name: value for name, value in given.items() if name.lower() not in url.lower()}
    try:
        return AsyncIOMotorClient(url, **options)
    except (ConfigurationError, ValueError) as error:
        raise ConfigError("The MongoDB URL is not valid; it looks like mongodb://host:27017/virtool.") from error
