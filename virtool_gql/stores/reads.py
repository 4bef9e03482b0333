"""Reading one collection: the statements, and the documents that their rows are."""

from collections.abc import Callable, Sequence
from decimal import Decimal
from functools import cache, lru_cache
from typing import Any, Generic, TypeVar, TypeVarTuple

import msgspec
from msgspec import UNSET, structs
from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Select,
    Text,
    bindparam,
    cast,
    column,
    func,
    literal_column,
    select,
    true,
)
from sqlalchemy.dialects.postgresql import JSONB

from virtool_gql.models.documents import Document
from virtool_gql.query import Filter, Order, Scalar
from virtool_gql.stores.fields import Kind, json_base, quoted
from virtool_gql.stores.pages import Wanted
from virtool_gql.stores.slices import in_slices
from virtool_gql.stores.sql import Fields, sort_key
from virtool_gql.stores.tables import PLAIN_TEXT, table_of

D = TypeVar("D", bound=Document)
Parts = TypeVarTuple("Parts")

WHOLE = ("doc", "apart")
REMEMBERED = 128  # statements of a collection, of each kind


def remembered(build: Callable[[*Parts], Select[Any]]) -> Callable[[*Parts], Select[Any]]:
    """Keep what was built lately: to write a statement and to tell it from others takes longer than to execute it.

    What it is built from is told apart by its text, because 1 and True are equal and mean different things.
    """

    @lru_cache(maxsize=REMEMBERED)
    def by_text(_: str, *parts: *Parts) -> Select[Any]:
        return build(*parts)

    def built(*parts: *Parts) -> Select[Any]:
        return by_text(repr(parts), *parts)

    return built


class Collection(Generic[D]):
    """One collection, as it is read."""

    def __init__(self, kind: type[D]) -> None:
        self.kind = kind
        self.table = table_of(kind)
        self.fields = Fields(self.table, kind)
        self._decoder = msgspec.json.Decoder(kind)
        self.with_id = remembered(self._with_id)
        self.with_ids = remembered(self._with_ids)
        self.whole_with_ids = remembered(self._whole_with_ids)
        self.page = remembered(self._page)
        self.tally = remembered(self._tally)
        self.counts = remembered(self._counts)
        self.first_of_each = remembered(self._first_of_each)

        self._unread = dict.fromkeys(kind.kept.apart, UNSET)

    def _selection(self, where: Filter, *names: str) -> Select[Any]:
        """Select the documents, or what is in some columns of theirs."""
        return select(*self._columns(names)).where(self.fields.condition(where))

    def _columns(self, names: Sequence[str]) -> Sequence[ColumnElement[Any]]:
        if self.kind.kept.in_rows:
            return [self.table.c[name] for name in self.kind.__struct_fields__]
        return [cast(self.table.c[name], Text) for name in names if name in self.table.c]

    def _with_id(self, where: Filter) -> Select[Any]:
        """Read the document whose id is the parameter `id`, whole."""
        return self._selection(where, *WHOLE).where(self.table.c.id == bindparam("id", type_=PLAIN_TEXT))

    def _with_ids(self, where: Filter) -> Select[Any]:
        """Read the documents whose ids are in the parameter `ids`."""
        return self._selection(where, "doc").where(self._id_is_given())

    def _whole_with_ids(self, where: Filter) -> Select[Any]:
        """Read the documents whose ids are in the parameter `ids`, whole."""
        return self._selection(where, *WHOLE).where(self._id_is_given())

    def _id_is_given(self) -> ColumnElement[bool]:
        return self.table.c.id == func.any(bindparam("ids", type_=ARRAY(PLAIN_TEXT)))

    def count(self, where: Filter) -> Select[Any]:
        return select(func.count()).select_from(self.table).where(self.fields.condition(where))

    def _tally(self, path: str, where: Filter) -> Select[Any]:
        """Count the documents by what their list at the path holds of the texts in the parameter `values`."""
        base, names = json_base(self.table, path)
        texts = func.jsonb_array_elements_text(literal_column(" -> ".join([base, *map(quoted, names)]), JSONB()))
        held = texts.table_valued(column("value", Text), name="held")
        counted = select(held.c.value, func.count(self.table.c.id.distinct()).label("documents"))
        asked = held.c.value == func.any(bindparam("values", type_=ARRAY(Text)))
        return (
            counted.select_from(self.table.join(held, true()))
            .where(asked, self.fields.condition(where))
            .group_by(held.c.value)
        )

    def _counts(self, by: Sequence[str], distinct: str | None, where: Filter) -> Select[Any]:
        """Count the documents, or the values of another field of theirs, by the values of some fields."""
        keys = [self._key(path) for path in by]
        counted = func.count() if distinct is None else func.count(self._key(distinct).distinct())
        counting = select(counted, *keys).select_from(self.table).where(self.fields.condition(where))
        return counting.group_by(*keys).having(counted > 0)

    def _first_of_each(self, by: str, where: Filter, order: Sequence[Order]) -> Select[Any]:
        """Read, for each of the texts in the parameter `values`, the text and the first document that has it."""
        field = self.fields.field(by).of_kind(Kind.TEXT)
        if field is None:
            raise TypeError(f"{by} is no text.")
        texts = func.unnest(bindparam("values", type_=ARRAY(Text)))
        asked = texts.table_valued(column("value", Text), name="asked").render_derived()
        first = self._selection(where, "doc").where(field == asked.c.value)
        document = first.order_by(*self.fields.ordering(order)).limit(1).lateral("document")
        return select(asked.c.value, *document.c).select_from(asked.join(document, true()))

    def _key(self, path: str) -> ColumnElement[Any]:
        return sort_key(self.fields.field(path), path)

    def _page(self, wanted: Wanted) -> Select[Any]:
        """Read the page and one document more, backwards when it is counted from its end."""
        ordering = self.fields.ordering(wanted.order, backwards=wanted.backwards)
        by_apart = any(key.path.split(".")[0] in self.kind.kept.apart for key in wanted.order)
        return (
            self._selection(wanted.filter, *(WHOLE if by_apart else ("doc",))).order_by(*ordering).limit(wanted.limit)
        )

    def first_of(self, where: Filter, order: Sequence[Order], *, backwards: bool) -> Select[Any]:
        """Read the id of the first document that passes the filter."""
        ordering = self.fields.ordering(order, backwards=backwards)
        return select(self.table.c.id).where(self.fields.condition(where)).order_by(*ordering).limit(1)

    async def decoded(self, rows: Sequence[Sequence[Any]]) -> list[D]:
        return await in_slices(self._document, rows)

    def _document(self, row: Sequence[Any]) -> D:
        if self.kind.kept.in_rows:
            return msgspec.convert(dict(zip(self.kind.__struct_fields__, row, strict=True)), self.kind)
        if len(row) > 1:
            return self._decoder.decode(_joined(*row))
        document = self._decoder.decode(row[0])
        return structs.replace(document, **self._unread) if self._unread else document


def _joined(doc: str, apart: str | None) -> str:
    """Give the JSON of a document with the fields that are kept apart from it; no document is without fields."""
    return f"{doc[:-1]}, {apart[1:]}" if apart else doc


async def counts_of(rows: Sequence[Sequence[Any]]) -> dict[tuple[Scalar, ...], int]:
    """Give the counts by their keys from rows that begin with the count."""
    return dict(await in_slices(lambda row: (tuple(map(_scalar, row[1:])), row[0]), rows))


def _scalar(value: Any) -> Scalar:
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    scalar: Scalar = value
    return scalar


@cache
def collection_of(kind: type[D]) -> Collection[D]:
    return Collection(kind)
