"""Documents in one store and rows in another, as one."""

from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from itertools import groupby
from typing import TypeVar

from virtool_gql.models.documents import Document
from virtool_gql.query import EVERYTHING, FIRST_PAGE, Filter, Order, Page, Scalar
from virtool_gql.stores.documents import Documents, Found

D = TypeVar("D", bound=Document)


class RoutedStore:
    """Two stores, or a transaction on each, behind one contract: a collection's `in_rows` says which it is in.

    A transaction commits the rows first, then the documents. A crash between the two leaves rows that speak of
    documents which are not there (an upload reserved by a sample that never came to be): the sweep frees them.
    """

    def __init__(self, documents: Documents, rows: Documents) -> None:
        self.documents = documents
        self.rows = rows

    def _of(self, kind: type[Document]) -> Documents:
        return self.rows if kind.kept.in_rows else self.documents

    async def get(self, kind: type[D], id: str, where: Filter = EVERYTHING) -> D | None:
        return await self._of(kind).get(kind, id, where)

    async def get_many(
        self, kind: type[D], ids: Iterable[str], where: Filter = EVERYTHING, *, whole: bool = False
    ) -> dict[str, D]:
        return await self._of(kind).get_many(kind, ids, where, whole=whole)

    async def find(
        self,
        kind: type[D],
        where: Filter = EVERYTHING,
        order: Sequence[Order] = (),
        page: Page = FIRST_PAGE,
    ) -> Found[D]:
        return await self._of(kind).find(kind, where, order, page)

    async def count(self, kind: type[D], where: Filter = EVERYTHING) -> int:
        return await self._of(kind).count(kind, where)

    async def tally(
        self, kind: type[Document], path: str, values: Iterable[str], where: Filter = EVERYTHING
    ) -> dict[str, int]:
        return await self._of(kind).tally(kind, path, values, where)

    async def counts(
        self, kind: type[Document], by: Sequence[str], where: Filter = EVERYTHING, *, distinct: str | None = None
    ) -> dict[tuple[Scalar, ...], int]:
        return await self._of(kind).counts(kind, by, where, distinct=distinct)

    async def first_of_each(
        self, kind: type[D], by: str, values: Iterable[str], where: Filter = EVERYTHING, order: Sequence[Order] = ()
    ) -> dict[str, D]:
        return await self._of(kind).first_of_each(kind, by, values, where, order)

    async def insert(self, *documents: D) -> list[D]:
        if store := self._only(documents):
            return await store.insert(*documents)
        async with self._both() as both:
            return [new for store, part in both.routed(documents) for new in await store.insert(*part)]

    async def replace(self, *documents: D) -> list[D]:
        if store := self._only(documents):
            return await store.replace(*documents)
        async with self._both() as both:
            return [new for store, part in both.routed(documents) for new in await store.replace(*part)]

    async def delete(self, *documents: D) -> None:
        if store := self._only(documents):
            await store.delete(*documents)
            return
        async with self._both() as both:
            for store, part in both.routed(documents):
                await store.delete(*part)

    def _only(self, documents: Sequence[Document]) -> Documents | None:
        """Give the one store that all of the documents are in."""
        stores = {document.kept.in_rows for document in documents}
        return None if len(stores) > 1 else self.rows if stores == {True} else self.documents

    def routed(self, documents: Sequence[D]) -> Iterable[tuple[Documents, list[D]]]:
        """Give the runs of documents that are in one store, in their order."""
        in_rows: Callable[[D], bool] = lambda document: document.kept.in_rows  # noqa: E731 - a key
        return [(self.rows if rows else self.documents, list(part)) for rows, part in groupby(documents, in_rows)]

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Documents]:
        async with self._both() as both:
            yield both

    @asynccontextmanager
    async def _both(self) -> AsyncIterator["RoutedTransaction"]:
        # The one that is entered last ends first.
        async with self.documents.transaction() as documents, self.rows.transaction() as rows:
            yield RoutedTransaction(documents, rows)


class RoutedTransaction(RoutedStore):
    """A transaction on each of the two stores."""

    @asynccontextmanager
    async def _both(self) -> AsyncIterator["RoutedTransaction"]:
        yield self
