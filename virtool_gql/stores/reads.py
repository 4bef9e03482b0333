"""Reading one collection: the statements, and the documents that their rows are."""

from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any, Generic, TypeVar

import msgspec
from sqlalchemy import ARRAY, ColumnElement, Row, Select, Text, cast, func, literal, select

from virtool_gql.models.documents import Document
from virtool_gql.query import And, Filter, Order
from virtool_gql.stores.pages import Wanted
from virtool_gql.stores.slices import in_slices
from virtool_gql.stores.sql import Fields
from virtool_gql.stores.tables import PLAIN_TEXT, table_of

D = TypeVar("D", bound=Document)


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

    def page(self, wanted: Wanted) -> Select[Any]:
        """Read the page and one document more, backwards when it is counted from its end."""
        ordering = self.fields.ordering(wanted.order, backwards=wanted.backwards)
        return self.selection(wanted.filter).order_by(*ordering).limit(wanted.limit)

    def first_of(self, where: Filter, order: Sequence[Order], *, backwards: bool) -> Select[Any]:
        """Read the id of the first document that passes the filter."""
        ordering = self.fields.ordering(order, backwards=backwards)
        return select(self.table.c.id).where(self.fields.condition(where)).order_by(*ordering).limit(1)

    async def decoded(self, rows: Sequence[Row[Any]]) -> list[D]:
        return await in_slices(self._document, rows)

    def _document(self, row: Row[Any]) -> D:
        if self.kind.kept.in_rows:
            return msgspec.convert(dict(zip(self.kind.__struct_fields__, row, strict=True)), self.kind)
        return self._decoder.decode(row[0])


@cache
def collection_of(kind: type[D]) -> Collection[D]:
    return Collection(kind)
