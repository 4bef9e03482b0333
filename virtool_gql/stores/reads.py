"""Reading one collection: the statements, and the documents that their rows are."""

import asyncio
from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any, Generic, NamedTuple, TypeVar

import msgspec
from sqlalchemy import ARRAY, ColumnElement, Row, Select, Text, cast, func, literal, select

from virtool_gql.errors import BadUserInput
from virtool_gql.models.documents import Document, to_builtins
from virtool_gql.query import And, Filter, Keys, Not, Order, Page, beyond, keys_of
from virtool_gql.stores.sql import Fields
from virtool_gql.stores.tables import PLAIN_TEXT, table_of

D = TypeVar("D", bound=Document)

SLICE = 50  # documents that are decoded before others have their turn


class Edges(NamedTuple, Generic[D]):
    """The first and the last document of a page."""

    first: D | None
    last: D | None


class Collection(Generic[D]):
    """One collection, as it is read."""

    def __init__(self, kind: type[D]) -> None:
        self.kind = kind
        self.table = table_of(kind)
        self.fields = Fields(self.table, kind)
        self._decoder = msgspec.json.Decoder(kind)

    def selection(self, *filters: Filter) -> Select[Any]:
        return select(*self._whole()).where(self.fields.condition(And(*filters)))

    def _whole(self) -> Sequence[ColumnElement[Any]]:
        if self.kind.kept.in_rows:
            return [self.table.c[name] for name in self.kind.__struct_fields__]
        return [cast(self.table.c.doc, Text)]

    def with_ids(self, ids: Iterable[str], where: Filter) -> Select[Any]:
        given = literal(list(ids), ARRAY(PLAIN_TEXT))
        return self.selection(where).where(self.table.c.id == func.any(given))

    def count(self, where: Filter) -> Select[Any]:
        return select(func.count()).select_from(self.table).where(self.fields.condition(where))

    def page(self, where: Filter, order: Sequence[Order], page: Page) -> Select[Any]:
        """Read the page and one document more, backwards when it is counted from its end."""
        filters = [where]
        if page.after is not None:
            filters.append(beyond(order, checked(page.after, order)))
        if page.before is not None:
            filters.append(beyond(order, checked(page.before, order), backwards=True))
        ordering = self.fields.ordering(order, backwards=page.last is not None)
        limit = size_of(page)
        return self.selection(*filters).order_by(*ordering).limit(None if limit is None else limit + 1)

    def outside(
        self, where: Filter, order: Sequence[Order], page: Page, edges: Edges[D], *, backwards: bool
    ) -> Select[Any] | None:
        """Read whether there is anything beyond the edge of a page that its keys have cut off there."""
        keys, edge = (page.after, edges.first) if backwards else (page.before, edges.last)
        if keys is None:
            return None
        rest: Filter = Not(beyond(order, keys, backwards=not backwards))
        if edge is not None:
            rest = beyond(order, keys_of(to_builtins(edge), order), backwards=backwards)
        condition = self.fields.condition(And(where, rest))
        ordering = self.fields.ordering(order, backwards=backwards)
        return select(self.table.c.id).where(condition).order_by(*ordering).limit(1)

    async def decoded(self, rows: Sequence[Row[Any]]) -> list[D]:
        documents: list[D] = []
        for start in range(0, len(rows), SLICE):
            if start:
                await asyncio.sleep(0)
            documents.extend(self._document(row) for row in rows[start : start + SLICE])
        return documents

    def _document(self, row: Row[Any]) -> D:
        if self.kind.kept.in_rows:
            return msgspec.convert(dict(zip(self.kind.__struct_fields__, row, strict=True)), self.kind)
        return self._decoder.decode(row[0])


@cache
def collection_of(kind: type[D]) -> Collection[D]:
    return Collection(kind)


def size_of(page: Page) -> int | None:
    return page.first if page.last is None else page.last


def checked(keys: Keys, order: Sequence[Order]) -> Keys:
    if len(keys) != len(order):
        raise BadUserInput("The cursor belongs to another ordering.")
    return keys
