"""The documents contract on PostgreSQL."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from itertools import groupby
from typing import Any, Self, TypeVar

from sqlalchemy import ARRAY, BigInteger, Executable, Row, delete, func, literal, select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from virtool_gql.models.changes import Operation, announcement
from virtool_gql.models.documents import Clock, Document, now
from virtool_gql.query import EVERYTHING, FIRST_PAGE, Filter, Order, Page, Scalar, total_order
from virtool_gql.stores.documents import Documents, Found, Writes, stale
from virtool_gql.stores.engine import engine_for
from virtool_gql.stores.failures import translated
from virtool_gql.stores.migrations import migrate
from virtool_gql.stores.pages import Wanted
from virtool_gql.stores.reads import collection_of, counts_of
from virtool_gql.stores.slices import in_slices
from virtool_gql.stores.tables import outbox
from virtool_gql.stores.writes import encoded, statement_of

__all__ = ["PostgresStore", "migrate"]

D = TypeVar("D", bound=Document)


class Statements(Writes):
    """What the store and a transaction on it have in common."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def _connected(self) -> AbstractAsyncContextManager[AsyncConnection]:
        raise NotImplementedError

    def _announced(self) -> None:
        raise NotImplementedError

    def transaction(self) -> AbstractAsyncContextManager[Documents]:
        raise NotImplementedError

    async def _rows(
        self,
        statement: Executable,
        parameters: Mapping[str, Any] | None = None,
        kinds: Sequence[type[Document]] = (),
    ) -> Sequence[Row[Any]]:
        with translated(kinds):
            async with self._connected() as connection:
                return (await connection.execute(statement, parameters)).all()

    async def get(self, kind: type[D], id: str, where: Filter = EVERYTHING) -> D | None:
        collection = collection_of(kind)
        documents = await collection.decoded(await self._rows(collection.with_id(where), {"id": id}))
        return documents[0] if documents else None

    async def get_many(
        self, kind: type[D], ids: Iterable[str], where: Filter = EVERYTHING, *, whole: bool = False
    ) -> dict[str, D]:
        collection = collection_of(kind)
        statement = (collection.whole_with_ids if whole else collection.with_ids)(where)
        documents = await collection.decoded(await self._rows(statement, {"ids": list(ids)}))
        return {document.id: document for document in documents}

    async def count(self, kind: type[D], where: Filter = EVERYTHING) -> int:
        return int((await self._rows(collection_of(kind).count(where)))[0][0])

    async def tally(
        self, kind: type[Document], path: str, values: Iterable[str], where: Filter = EVERYTHING
    ) -> dict[str, int]:
        wanted = list(values)
        if not wanted:
            return {}
        rows = await self._rows(collection_of(kind).tally(path, where), {"values": wanted})
        return dict.fromkeys(wanted, 0) | {row.value: row.documents for row in rows}

    async def counts(
        self, kind: type[Document], by: Sequence[str], where: Filter = EVERYTHING, *, distinct: str | None = None
    ) -> dict[tuple[Scalar, ...], int]:
        return await counts_of(await self._rows(collection_of(kind).counts(tuple(by), distinct, where)))

    async def first_of_each(
        self, kind: type[D], by: str, values: Iterable[str], where: Filter = EVERYTHING, order: Sequence[Order] = ()
    ) -> dict[str, D]:
        wanted = list(set(values))
        if not wanted:
            return {}
        collection = collection_of(kind)
        rows = await self._rows(collection.first_of_each(by, where, total_order(order)), {"values": wanted})
        documents = await collection.decoded([row[1:] for row in rows])
        return {row.value: document for row, document in zip(rows, documents, strict=True)}

    async def find(
        self,
        kind: type[D],
        where: Filter = EVERYTHING,
        order: Sequence[Order] = (),
        page: Page = FIRST_PAGE,
    ) -> Found[D]:
        collection, wanted = collection_of(kind), Wanted(where, total_order(order), page)

        async def anything(rest: Filter, backwards: bool) -> bool:
            return bool(await self._rows(collection.first_of(rest, wanted.order, backwards=backwards)))

        return await wanted.found(await collection.decoded(await self._rows(collection.page(wanted))), anything)

    async def _write(self, operation: Operation, documents: Sequence[Document]) -> None:
        collections = [(kind, list(alike)) for kind, alike in groupby(documents, type)]
        if len(collections) > 1:
            async with self.transaction() as transaction:
                for _, alike in collections:
                    await transaction._write(operation, alike)  # type: ignore[attr-defined]  # noqa: SLF001 - of this class
        elif collections:
            await self._write_alike(operation, *collections[0])

    async def _write_alike(self, operation: Operation, kind: type[Document], documents: Sequence[Document]) -> None:
        with translated():
            parameters = await self._parameters(operation, documents)
        written = (await self._rows(statement_of(operation, kind), parameters, (kind,)))[0][0]
        if written != len(documents):
            raise stale()
        if kind.kept.unannounced is not None:
            self._announced()

    async def _parameters(self, operation: Operation, documents: Sequence[Document]) -> dict[str, Any]:
        at = self._clock()

        def written(document: Document) -> tuple[str | None, bytes | None]:
            doc = None if operation is Operation.DELETE else encoded(document)
            return doc, announcement(operation, document, at)

        pairs = await in_slices(written, documents)
        parameters: dict[str, Any] = {
            "ids": [document.id for document in documents],
            "versions": [document.version for document in documents],
            "docs": [doc for doc, _ in pairs],
            "payloads": [payload for _, payload in pairs],
        }
        return parameters if operation is Operation.INSERT else parameters | {"expected": len(documents)}


class PostgresTransaction(Statements):
    """One transaction.

    A statement that PostgreSQL refuses makes it void: whatever becomes of the error, the block ends with it.
    """

    def __init__(self, connection: AsyncConnection, clock: Clock) -> None:
        super().__init__(clock)
        self._connection = connection
        self._one_at_a_time = asyncio.Lock()
        self.announced = False
        self.failure: Exception | None = None

    @asynccontextmanager
    async def _connected(self) -> AsyncIterator[AsyncConnection]:
        async with self._one_at_a_time:
            yield self._connection

    def _announced(self) -> None:
        self.announced = True

    async def _rows(
        self,
        statement: Executable,
        parameters: Mapping[str, Any] | None = None,
        kinds: Sequence[type[Document]] = (),
    ) -> Sequence[Row[Any]]:
        if self.failure is not None:
            raise self.failure
        try:
            return await super()._rows(statement, parameters, kinds)
        except Exception as error:
            self.failure = error
            raise

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Documents]:
        yield self


class PostgresStore(Statements):
    """Documents and rows in PostgreSQL, and the outbox of their changes."""

    def __init__(self, engine: AsyncEngine, clock: Clock, on_announced: Callable[[], None]) -> None:
        super().__init__(clock)
        self.engine = engine
        self._single = engine.execution_options(isolation_level="AUTOCOMMIT")
        self._on_announced = on_announced

    @classmethod
    @asynccontextmanager
    async def open(
        cls, url: str, *, clock: Clock = now, on_announced: Callable[[], None] = lambda: None
    ) -> AsyncIterator[Self]:
        """Open the store; `on_announced` is called after each commit that filled the outbox."""
        store = cls(engine_for(url), clock, on_announced)
        try:
            yield store
        finally:
            await store.close()

    async def close(self) -> None:
        await self.engine.dispose()

    def _connected(self) -> AbstractAsyncContextManager[AsyncConnection]:
        return self._single.connect()

    def _announced(self) -> None:
        self._on_announced()

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Documents]:
        with translated():
            connection = await self.engine.connect()
        try:
            transaction = PostgresTransaction(connection, self._clock)
            yield transaction
            if transaction.failure is not None:
                raise transaction.failure
            with translated():
                await connection.commit()
        finally:
            await connection.close()
        if transaction.announced:
            self._announced()

    async def waiting(self, limit: int) -> list[tuple[str, bytes]]:
        """Give the oldest changes: a later version of a document drew its outbox id after the earlier one committed."""
        rows = await self._rows(select(outbox.c.id, outbox.c.payload).order_by(outbox.c.id).limit(limit))
        return [(str(row.id), row.payload) for row in rows]

    async def remove(self, ids: Sequence[str]) -> None:
        given = literal([int(id) for id in ids], ARRAY(BigInteger))
        await self._rows(delete(outbox).where(outbox.c.id == func.any(given)).returning(outbox.c.id))
