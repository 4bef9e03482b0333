"""The documents contract: what every store of documents does, and does alike.

Every write is announced: `insert`, `replace` and `delete` put a row per document into an outbox, in the transaction of
the write itself. No write path can forget it.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from msgspec import structs

from virtool_gql.errors import DuplicateValue, NotFound, StaleDocument
from virtool_gql.models.changes import Operation
from virtool_gql.models.changes import Outbox as Outbox  # noqa: PLC0414 - re-exported: what a store gives the relay
from virtool_gql.models.documents import Document
from virtool_gql.query import EVERYTHING, FIRST_PAGE, Filter, Order, Page, Scalar

D = TypeVar("D", bound=Document)
T = TypeVar("T")

MODIFY_ATTEMPTS = 50
OVERTAKEN_TRIES = 20


@dataclass(frozen=True, slots=True)
class Found(Generic[D]):
    """A page of documents in their order, and whether there are more on either side of it."""

    documents: list[D]
    has_next: bool
    has_previous: bool


class Overtaken(StaleDocument):
    """The server gave up a transaction because another was faster; the same again may succeed."""


class Documents(Protocol):
    """A store of documents, or one transaction on it.

    Failures: `StaleDocument` when a document that is replaced or deleted is not the stored version, `DuplicateValue`
    (whose `path` names the fields) when a unique value is taken, `UpstreamUnavailable` when the server does not answer.
    Each write takes one document or thousands, of one collection or several; it happens as a whole or not at all.
    """

    async def get(self, kind: type[D], id: str, where: Filter = EVERYTHING) -> D | None:
        """Give the document of that id if it passes the filter."""

    async def get_many(
        self, kind: type[D], ids: Iterable[str], where: Filter = EVERYTHING, *, whole: bool = False
    ) -> dict[str, D]:
        """Give, by id, those of the documents that exist and pass the filter, in one statement.

        Only whole documents surely have what their collection keeps apart (`Kept.apart`). Else it may be UNSET, and
        `replace` then leaves it as it is stored.
        """

    async def find(
        self,
        kind: type[D],
        where: Filter = EVERYTHING,
        order: Sequence[Order] = (),
        page: Page = FIRST_PAGE,
    ) -> Found[D]:
        """Give a page of the documents that pass the filter. `Page(first=None)` gives all of them.

        What their collection keeps apart may be UNSET, as with `get_many`.
        """

    async def count(self, kind: type[D], where: Filter = EVERYTHING) -> int:
        """Count the documents that pass the filter."""

    async def tally(
        self, kind: type[Document], path: str, values: Iterable[str], where: Filter = EVERYTHING
    ) -> dict[str, int]:
        """Count, for each of the values, the documents that pass the filter and whose list at the path holds it.

        One statement for all values. Every value is in the answer, also with 0. The path is that of a list of texts
        which lies in no other object.
        """

    async def counts(
        self, kind: type[Document], by: Sequence[str], where: Filter = EVERYTHING, *, distinct: str | None = None
    ) -> dict[tuple[Scalar, ...], int]:
        """Count the documents that pass the filter by the values of some scalar fields, in one statement.

        With `distinct` the different values of that field are counted instead. What is not in the answer is 0.
        """

    async def first_of_each(
        self, kind: type[D], by: str, values: Iterable[str], where: Filter = EVERYTHING, order: Sequence[Order] = ()
    ) -> dict[str, D]:
        """Give, for each of the values of a text field, the first document in the order that passes the filter.

        One statement for all values. What is kept apart may be UNSET, as with `get_many`.
        """

    async def insert(self, *documents: D) -> list[D]:
        """Store new documents; give them back as version 1."""

    async def replace(self, *documents: D) -> list[D]:
        """Store the next version of documents that were read; give them back with it."""

    async def delete(self, *documents: D) -> None:
        """Remove documents that were read."""

    def transaction(self) -> AbstractAsyncContextManager["Documents"]:
        """Open a transaction: what is done on it is done as a whole when the block ends, and not at all if it raises.

        Within a transaction it gives the same transaction again.
        """


class Writes:
    """The writing half of the contract for a store that is given whole documents with their versions counted."""

    async def insert(self, *documents: D) -> list[D]:
        first = [structs.replace(document, version=1) for document in documents]
        await self._write(Operation.INSERT, first)
        return first

    async def replace(self, *documents: D) -> list[D]:
        following = [structs.replace(document, version=document.version + 1) for document in documents]
        await self._write(Operation.UPDATE, following)
        return following

    async def delete(self, *documents: D) -> None:
        await self._write(Operation.DELETE, documents)

    async def _write(self, operation: Operation, documents: Sequence[Document]) -> None:
        raise NotImplementedError


def stale() -> StaleDocument:
    return StaleDocument("Somebody else changed this in the meantime; look at it again.")


def duplicate(paths: Sequence[str]) -> DuplicateValue:
    return DuplicateValue(f"The {' and '.join(paths)} is taken.", path=paths)


async def first_of(store: Documents, kind: type[D], where: Filter = EVERYTHING) -> D | None:
    """Give one of the documents that pass the filter; None when there is none."""
    found = (await store.find(kind, where, page=Page(first=1))).documents
    return found[0] if found else None


async def spread(tries: int) -> None:
    """Wait for a moment before the next try, each for another one, so that those who wait do not meet again."""
    await asyncio.sleep(random.uniform(0, 0.005 * tries))  # noqa: S311 - no secret


async def at_once(store: Documents, work: Callable[[Documents], Awaitable[T]]) -> T:
    """Do one write in a transaction of its own, again when another transaction was faster."""
    for tries in range(1, OVERTAKEN_TRIES):
        try:
            return await _in_transaction(store, work)
        except Overtaken:
            await spread(tries)
    return await _in_transaction(store, work)


async def _in_transaction(store: Documents, work: Callable[[Documents], Awaitable[T]]) -> T:
    async with store.transaction() as transaction:
        return await work(transaction)


async def modify(store: Documents, kind: type[D], id: str, change: Callable[[D], D], where: Filter = EVERYTHING) -> D:
    """Replace a document by a function of itself, again from the start when somebody else was faster.

    A `change` that gives back the very document it got writes nothing.
    """
    for tries in range(1, MODIFY_ATTEMPTS + 1):
        document = await store.get(kind, id, where)
        if document is None:
            raise NotFound(f"There is nothing of the id {id}.")
        changed = change(document)
        if changed is document:
            return document
        try:
            return (await store.replace(changed))[0]
        except StaleDocument:
            await spread(tries)
    raise StaleDocument("Too many people change this at once; try again.")
