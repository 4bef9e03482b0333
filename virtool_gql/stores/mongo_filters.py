"""Filters and orders as MongoDB reads them, with exactly the meaning that `query` gives them.

MongoDB looks through lists where `query` does not, so every path is guarded against lists. Only operators that
FerretDB has too are used.
"""

from collections.abc import Sequence
from itertools import product
from typing import Any

from virtool_gql.errors import BadUserInput
from virtool_gql.query import And, Empty, Eq, Exists, Filter, Has, In, Not, Or, Order, Range, Scalar, Text
from virtool_gql.stores import folding
from virtool_gql.stores.mongo_documents import WRAPPED, stored_path

MongoFilter = dict[str, Any]

MAX_PATTERN_BYTES = 32_000
"""MongoDB refuses longer patterns."""

LISTS_WITHIN_LISTS = 3
INT64 = range(-(2**63), 2**63)

_NOTHING: MongoFilter = {"_id": {"$in": []}}
_NO_LIST = {"$not": {"$type": "array"}}


def mongo_filter(filter: Filter) -> MongoFilter:
    """Compile a filter."""
    match filter:
        case And(parts):
            return _all_of([mongo_filter(part) for part in parts])
        case Or(parts):
            return _one_of([mongo_filter(part) for part in parts])
        case Not(part):
            return {"$nor": [mongo_filter(part)]}
        case Empty(path):
            return _empty(stored_path(path))
        case _:
            return _on_field(filter)


def _on_field(filter: Eq | In | Range | Has | Text | Exists) -> MongoFilter:
    match filter:
        case Eq(path, value):
            return _in(path, (value,))
        case In(path, values):
            return _in(path, values)
        case Range():
            return _range(filter)
        case Has(path, value):
            return _has(path, value)
        case Text(path, text):
            return _guarded(stored_path(path), {"$regex": _pattern(text)})
        case Exists(path):
            return _exists(stored_path(path))


def mongo_order(order: Sequence[Order], *, backwards: bool = False) -> list[tuple[str, int]]:
    """Compile an order."""
    return [(stored_path(key.path), -1 if key.descending != backwards else 1) for key in order]


def _all_of(parts: list[MongoFilter]) -> MongoFilter:
    if len(parts) == 1:
        return parts[0]
    return {"$and": parts} if parts else {}


def _one_of(parts: list[MongoFilter]) -> MongoFilter:
    if len(parts) == 1:
        return parts[0]
    return {"$or": parts} if parts else _NOTHING


def _guarded(path: str, condition: MongoFilter) -> MongoFilter:
    """Ask the condition of a field that is no list and lies in no list."""
    if path == "_id":
        return {path: condition}
    return {**_prefixes(path), path: {**condition, **_NO_LIST}}


def _prefixes(path: str) -> MongoFilter:
    names = path.split(".")
    return {".".join(names[:depth]): _NO_LIST for depth in range(1, len(names))}


def _exists(path: str) -> MongoFilter:
    # `$ne: None` alone is false for a list that holds a null.
    return {**_prefixes(path), "$or": [{path: {"$type": "array"}}, {path: {"$ne": None}}]}


def _empty(path: str) -> MongoFilter:
    return {"$or": [{"$nor": [_exists(path)]}, {**_prefixes(path), path: {"$size": 0}}]}


def _in(path: str, values: Sequence[Scalar]) -> MongoFilter:
    stored = stored_path(path)
    given = [checked_value(value) for value in values if value is not None]
    parts = [_guarded(stored, {"$eq": given[0]} if len(given) == 1 else {"$in": given})] if given else []
    return _one_of([*parts, {"$nor": [_exists(stored)]}] if None in values else parts)


def _range(bounds: Range) -> MongoFilter:
    named = {"$gte": bounds.gte, "$gt": bounds.gt, "$lte": bounds.lte, "$lt": bounds.lt}
    given = {name: checked_value(value) for name, value in named.items() if value is not None}
    path = stored_path(bounds.path)
    return _guarded(path, given) if given else _exists(path)


def _has(path: str, value: Scalar) -> MongoFilter:
    """Look through lists, as MongoDB does by itself, and through lists within lists at every step."""
    depths = range(LISTS_WITHIN_LISTS + 1)
    steps = [[(name, *(WRAPPED,) * depth) for depth in depths] for name in stored_path(path).split(".")]
    paths = [".".join(name for step in choice for name in step) for choice in product(*steps)]
    return _one_of([{path: checked_value(value)} for path in paths])


def checked_value(value: Any) -> Any:
    """Give a value in a form that BSON has: integers beyond 64 bits as floats."""
    if isinstance(value, str) and "\0" in value:
        raise BadUserInput("A text may not contain the character NUL.")
    if isinstance(value, int) and value not in INT64:
        return float(value) if abs(value) < 2**1023 else float("inf" if value > 0 else "-inf")
    return value


def _pattern(text: str) -> str:
    pattern = folding.pattern(checked_value(text))
    if len(pattern.encode(errors="replace")) > MAX_PATTERN_BYTES:
        raise BadUserInput("The text to search for is too long.")
    return pattern
