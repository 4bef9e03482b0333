"""Documents in MongoDB and rows in PostgreSQL, as one store."""

from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import TypeVar

from virtool_gql.models.documents import Document
from virtool_gql.query import EVERYTHING, FIRST_PAGE, Filter, Order, Page
from virtool_gql.stores.documents import Documents, Found

D = TypeVar("D", bound=Document)


class SplitDocuments:
    """Routes each collection to where it is kept.

    A transaction spans both stores; rows are committed first. What a crash between the two commits leaves is a row that
    names a document which is not there, and the sweeps finish that.
    """

    def __init__(self, documents: Documents, rows: Documents, *, within: bool = False) -> None:
        self.documents = documents
        self.rows = rows
        self._within = within

    def _of(self, kind: type[Document]) -> Documents:
        return self.rows if kind.kept.in_rows else self.documents

    async def get(self, kind: type[D], id: str, where: Filter = EVERYTHING) -> D | None:
        return await self._of(kind).get(kind, id, where)

    async def get_many(self, kind: type[D], ids: Iterable[str], where: Filter = EVERYTHING) -> dict[str, D]:
        return await self._of(kind).get_many(kind, ids, where)

    async def find(
        self, kind: type[D], where: Filter = EVERYTHING, order: Sequence[Order] = (), page: Page = FIRST_PAGE
    ) -> Found[D]:
        return await self._of(kind).find(kind, where, order, page)

    async def count(self, kind: type[D], where: Filter = EVERYTHING) -> int:
        return await self._of(kind).count(kind, where)

    async def insert(self, *documents: D) -> list[D]:
        async with self._whole(documents) as store:
            stored = [document for part, some in store.parts(documents) for document in await part.insert(*some)]
        return _in_order(stored, documents)

    async def replace(self, *documents: D) -> list[D]:
        async with self._whole(documents) as store:
            stored = [document for part, some in store.parts(documents) for document in await part.replace(*some)]
        return _in_order(stored, documents)

    async def delete(self, *documents: D) -> None:
        async with self._whole(documents) as store:
            for part, some in store.parts(documents):
                await part.delete(*some)

    def parts(self, documents: Sequence[D]) -> list[tuple[Documents, list[D]]]:
        """Sort documents by where they are kept."""
        in_rows = [document for document in documents if document.kept.in_rows]
        others = [document for document in documents if not document.kept.in_rows]
        return [(store, some) for store, some in ((self.rows, in_rows), (self.documents, others)) if some]

    @asynccontextmanager
    async def _whole(self, documents: Sequence[D]) -> AsyncIterator["SplitDocuments"]:
        if self._within or len(self.parts(documents)) < 2:  # noqa: PLR2004 - both stores are needed
            yield self
            return
        async with self._transaction() as transaction:
            yield transaction

    def transaction(self) -> AbstractAsyncContextManager[Documents]:
        return self._transaction()

    @asynccontextmanager
    async def _transaction(self) -> AsyncIterator["SplitDocuments"]:
        if self._within:
            yield self
            return
        async with self.documents.transaction() as documents, self.rows.transaction() as rows:
            yield SplitDocuments(documents, rows, within=True)


def _in_order(stored: Sequence[D], documents: Sequence[D]) -> list[D]:
    by_id = {(type(document), document.id): document for document in stored}
    return [by_id[type(document), document.id] for document in documents]
