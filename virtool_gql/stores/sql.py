"""The filter language in SQL.

A comparison with NULL is NULL, which counts as false in AND and OR; `Not` asks whether its part is not true. So every
filter comes out as it does in `query.predicate`, and comparisons stay in the form that indexes answer.
"""

import json
from collections.abc import Callable, Sequence
from functools import cache
from operator import ge, gt, le, lt
from typing import Any

from sqlalchemy import ARRAY, Boolean, Table, Text, and_, bindparam, false, func, literal, literal_column, or_, true
from sqlalchemy import cast as to_type
from sqlalchemy.dialects.postgresql import JSONB, JSONPATH
from sqlalchemy.sql.elements import ColumnElement, UnaryExpression

from virtool_gql.models.documents import Document
from virtool_gql.query import And, Empty, Eq, Exists, Filter, Has, In, Not, Or, Order, Range, Scalar
from virtool_gql.query import Text as Containing
from virtool_gql.stores import folding
from virtool_gql.stores.fields import SQL_TYPES, ColumnField, Field, Kind, field_of, json_base, json_path, quoted

Condition = ColumnElement[bool]


class Fields:
    """Compiles filters and orderings of one collection."""

    def __init__(self, table: Table, kind: type[Document]) -> None:
        self.table = table
        self.kind = kind
        self.field = cache(self._field)

    def _field(self, path: str) -> Field:
        return field_of(self.table, self.kind, path)

    def condition(self, filter: Filter) -> Condition:
        match filter:
            case And(parts):
                return and_(true(), *(self.condition(part) for part in parts))
            case Or(parts):
                return self._one_of(parts)
            case Not(part):
                return self.condition(part).is_not(true())
            case Has(path, value):
                return self._has(path, [value])
            case Empty(path):
                return self._empty(path)
            case _:
                return _on_field(self.field(filter.path), filter)

    def _one_of(self, filters: Sequence[Filter]) -> Condition:
        has = _has_of_one_path(filters)
        return or_(false(), *map(self.condition, filters)) if has is None else self._has(*has)

    def _has(self, path: str, values: Sequence[Scalar]) -> Condition:
        """Match what has one of the values: one condition for a hundred, because to write a hundred takes too long."""
        base, names = json_base(self.table, path)
        variables = bindparam(None, json.dumps({"value": values}), type_=Text())
        route = literal(json_path(names), Text())
        return func.jsonb_path_exists(
            literal_column(base, JSONB()), to_type(route, JSONPATH()), to_type(variables, JSONB()), type_=Boolean()
        )

    def _empty(self, path: str) -> Condition:
        base, names = json_base(self.table, path)
        found = literal_column(" -> ".join([base, *map(quoted, names)]), JSONB())
        return func.coalesce(found, _json("null")).in_([_json("null"), _json("[]")])

    def ordering(self, order: Sequence[Order], *, backwards: bool = False) -> list[UnaryExpression[Any]]:
        return [self._key(key.path, descending=key.descending != backwards) for key in order]

    def _key(self, path: str, *, descending: bool) -> UnaryExpression[Any]:
        key = sort_key(self.field(path), path)
        return key.desc().nulls_last() if descending else key.asc().nulls_first()


def _has_of_one_path(filters: Sequence[Filter]) -> tuple[str, list[Scalar]] | None:
    """Give the path and the values when all of the filters ask what is at the same path."""
    all_has = [filter for filter in filters if isinstance(filter, Has)]
    paths = {filter.path for filter in all_has}
    if len(paths) != 1 or len(all_has) < len(filters):
        return None
    return paths.pop(), [filter.value for filter in all_has]


def _json(text: str) -> ColumnElement[Any]:
    return literal_column(f"'{text}'::jsonb", JSONB())


def sort_key(field: Field, path: str) -> ColumnElement[Any]:
    """Give what a field is ordered and indexed by."""
    if isinstance(field, ColumnField):
        return field.column
    key = None if field.kind is None else field.of_kind(field.kind)
    if key is None:
        raise TypeError(f"{path} is not of one kind, so that there is no order in it.")
    return key


def _on_field(field: Field, filter: Eq | In | Range | Containing | Exists) -> Condition:
    match filter:
        case Eq(_, value):
            return _equal(field, value)
        case In(_, values):
            return _one_of(field, values)
        case Range():
            return _within(field, filter)
        case Containing(_, text):
            found = field.of_kind(Kind.TEXT)
            return false() if found is None else found.regexp_match(folding.pattern(text))
        case Exists():
            return field.whole.is_not(None)


def _equal(field: Field, value: Scalar) -> Condition:
    if value is None:
        return false() if field.required else field.whole.is_(None)
    sides = field.against(value)
    return false() if sides is None else sides.field == sides.value


def _one_of(field: Field, values: Sequence[Scalar]) -> Condition:
    texts = [value for value in values if isinstance(value, str)]
    others = [value for value in values if not isinstance(value, str)]
    return or_(false(), _one_of_texts(field, texts), *(_equal(field, value) for value in others))


def _one_of_texts(field: Field, texts: list[str]) -> Condition:
    found = field.of_kind(Kind.TEXT)
    if found is None or not texts:
        return false()
    return found == func.any(literal(texts, ARRAY(SQL_TYPES[Kind.TEXT])))


def _within(field: Field, bounds: Range) -> Condition:
    limits = ((bounds.gte, ge), (bounds.gt, gt), (bounds.lte, le), (bounds.lt, lt))
    conditions = [_bounded(field, bound, holds) for bound, holds in limits if bound is not None]
    return and_(*conditions) if conditions else field.whole.is_not(None)


def _bounded(field: Field, bound: Scalar, holds: Callable[[Any, Any], Condition]) -> Condition:
    sides = field.against(bound)
    return false() if sides is None else holds(sides.field, sides.value)
