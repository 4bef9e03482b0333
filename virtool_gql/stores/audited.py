"""Documents whose writes are told in the audit log, whoever makes them and however they are made."""

from collections import defaultdict
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from functools import cache
from typing import TypeVar

from msgspec import UNSET, structs

from virtool_gql.actors import Actor, current_actor
from virtool_gql.errors import Forbidden
from virtool_gql.models.audit import AuditEntry, Deed
from virtool_gql.models.documents import Clock, Document, NewId, is_whole
from virtool_gql.query import EVERYTHING, FIRST_PAGE, Filter, Order, Page, Scalar
from virtool_gql.stores.documents import Documents, Found, at_once
from virtool_gql.stores.slices import in_slices

D = TypeVar("D", bound=Document)

HOUSEKEEPING = frozenset({"id", "version", "updated_at", "last_used_at", "kept_session_id"})
"""Fields that say nothing of what somebody did."""

SHOWN_AS = {"password_hash": "password", "credentials_version": "credentials"}


class AuditedStore:
    """A store, or a transaction on it, that also inserts an entry of the audit log for each document it writes.

    The entries belong to the transaction of the writes. The server's own work, at which nobody is, has none.
    """

    def __init__(self, store: Documents, clock: Clock, new_id: NewId) -> None:
        self.store = store
        self._clock = clock
        self._new_id = new_id

    async def get(self, kind: type[D], id: str, where: Filter = EVERYTHING) -> D | None:
        return await self.store.get(kind, id, where)

    async def get_many(
        self, kind: type[D], ids: Iterable[str], where: Filter = EVERYTHING, *, whole: bool = False
    ) -> dict[str, D]:
        return await self.store.get_many(kind, ids, where, whole=whole)

    async def find(
        self,
        kind: type[D],
        where: Filter = EVERYTHING,
        order: Sequence[Order] = (),
        page: Page = FIRST_PAGE,
    ) -> Found[D]:
        return await self.store.find(kind, where, order, page)

    async def count(self, kind: type[D], where: Filter = EVERYTHING) -> int:
        return await self.store.count(kind, where)

    async def tally(
        self, kind: type[Document], path: str, values: Iterable[str], where: Filter = EVERYTHING
    ) -> dict[str, int]:
        return await self.store.tally(kind, path, values, where)

    async def counts(
        self, kind: type[Document], by: Sequence[str], where: Filter = EVERYTHING, *, distinct: str | None = None
    ) -> dict[tuple[Scalar, ...], int]:
        return await self.store.counts(kind, by, where, distinct=distinct)

    async def first_of_each(
        self, kind: type[D], by: str, values: Iterable[str], where: Filter = EVERYTHING, order: Sequence[Order] = ()
    ) -> dict[str, D]:
        return await self.store.first_of_each(kind, by, values, where, order)

    async def insert(self, *documents: D) -> list[D]:
        if current_actor() is None:
            return await self.store.insert(*documents)
        return await at_once(self, lambda transaction: transaction.insert(*documents))

    async def replace(self, *documents: D) -> list[D]:
        _refuse_entries(documents)
        if current_actor() is None:
            return await self.store.replace(*documents)
        return await at_once(self, lambda transaction: transaction.replace(*documents))

    async def delete(self, *documents: D) -> None:
        _refuse_entries(documents)
        if current_actor() is None:
            await self.store.delete(*documents)
        else:
            await at_once(self, lambda transaction: transaction.delete(*documents))

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Documents]:
        async with self.store.transaction() as store:
            transaction = AuditedTransaction(store, self._clock, self._new_id)
            yield transaction
            await transaction.tell()


class AuditedTransaction(AuditedStore):
    """A transaction; its last statement tells all that was done in it."""

    def __init__(self, store: Documents, clock: Clock, new_id: NewId) -> None:
        super().__init__(store, clock, new_id)
        self._entries: list[AuditEntry] = []

    async def insert(self, *documents: D) -> list[D]:
        written = await self.store.insert(*documents)
        await self._note(Deed.INSERT, [(document, ()) for document in written])
        return written

    async def replace(self, *documents: D) -> list[D]:
        _refuse_entries(documents)
        if current_actor() is None:
            return await self.store.replace(*documents)
        stored = await self._stored(documents)
        written = await self.store.replace(*documents)
        pairs = [(stored[type(document), document.id], document) for document in written]
        changed = await in_slices(lambda pair: (pair[1], changed_fields(*pair)), pairs)
        await self._note(Deed.UPDATE, [(document, fields) for document, fields in changed if fields])
        return written

    async def delete(self, *documents: D) -> None:
        _refuse_entries(documents)
        await self.store.delete(*documents)
        await self._note(Deed.DELETE, [(document, ()) for document in documents])

    async def _stored(self, documents: Sequence[Document]) -> dict[tuple[type[Document], str], Document]:
        ids: defaultdict[tuple[type[Document], bool], list[str]] = defaultdict(list)
        for document in documents:
            ids[type(document), is_whole(document)].append(document.id)
        stored = [(kind, await self.store.get_many(kind, some, whole=whole)) for (kind, whole), some in ids.items()]
        return {(kind, id): document for kind, found in stored for id, document in found.items()}

    async def _note(self, deed: Deed, done: Sequence[tuple[Document, tuple[str, ...]]]) -> None:
        actor = current_actor()
        if actor is None:
            return
        told = [(document, fields) for document, fields in done if not isinstance(document, AuditEntry)]
        self._entries += await in_slices(lambda pair: self._entry(actor, deed, *pair), told)

    def _entry(self, actor: Actor, deed: Deed, document: Document, fields: tuple[str, ...]) -> AuditEntry:
        name = document.kept.name
        return AuditEntry.of(actor, deed, name, document.id, fields, at=self._clock(), new_id=self._new_id)

    async def tell(self) -> None:
        """Insert the entries of all that was done."""
        if self._entries:
            await self.store.insert(*self._entries)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Documents]:
        yield self


def changed_fields(before: Document, after: Document) -> tuple[str, ...]:
    """Name the fields that differ, without housekeeping and what only repeats another field."""
    fields = ((shown, getattr(before, name), getattr(after, name)) for name, shown in _told_fields(type(after)))
    return tuple(shown for shown, earlier, later in fields if later is not UNSET and earlier != later)


@cache
def _told_fields(kind: type[Document]) -> tuple[tuple[str, str], ...]:
    # A `name_key` is the name as it is compared, a `creation_key` never changes.
    names = (field.name for field in structs.fields(kind))
    return tuple((name, SHOWN_AS.get(name, name)) for name in names if not _is_silent(name))


def _is_silent(name: str) -> bool:
    return name in HOUSEKEEPING or name.endswith("_key")


def _refuse_entries(documents: Iterable[Document]) -> None:
    if any(isinstance(document, AuditEntry) for document in documents):
        raise Forbidden("The audit log is only added to.")
