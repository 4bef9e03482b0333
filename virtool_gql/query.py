"""The filter language: immutable nodes over dotted field paths, and what they mean on one document.

Three interpreters give a filter the same meaning: `predicate` here, SQL in `stores.sql` and MongoDB filters in
`stores.mongo_filters`. The meaning:

* a path that leads nowhere is null, and null equals nothing but null;
* values of different kinds (text, number, boolean) are never equal and never in order;
* `Eq`, `In`, `Range` and `Text` look at scalar fields; `Has` looks through lists at every step of its path;
* text is ordered by code point; null comes before everything in ascending order.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

Scalar = str | int | float | bool | None
Document = Mapping[str, Any]
Predicate = Callable[[Document], bool]


@dataclass(frozen=True, slots=True)
class Eq:
    """The field equals the value; null equals a missing field."""

    path: str
    value: Scalar


@dataclass(frozen=True, slots=True)
class In:
    """The field equals one of the values."""

    path: str
    values: tuple[Scalar, ...]


@dataclass(frozen=True, slots=True)
class Range:
    """The field lies between the bounds that are given, which are all of one kind."""

    path: str
    gte: str | float | None = None
    gt: str | float | None = None
    lte: str | float | None = None
    lt: str | float | None = None


@dataclass(frozen=True, slots=True)
class Has:
    """A list holds the value; the path may lead through lists of objects."""

    path: str
    value: str | int | float | bool


@dataclass(frozen=True, slots=True)
class Text:
    """The field contains the text, whatever the case of its letters; nothing in it is special."""

    path: str
    text: str


@dataclass(frozen=True, slots=True)
class Exists:
    """The field is there and not null."""

    path: str


@dataclass(frozen=True, slots=True)
class Empty:
    """The list holds nothing, or is not there."""

    path: str


@dataclass(frozen=True, slots=True, init=False)
class And:
    """Every part matches; an empty And matches everything."""

    parts: tuple["Filter", ...]

    def __init__(self, *parts: "Filter") -> None:
        object.__setattr__(self, "parts", parts)


@dataclass(frozen=True, slots=True, init=False)
class Or:
    """One part matches; an empty Or matches nothing."""

    parts: tuple["Filter", ...]

    def __init__(self, *parts: "Filter") -> None:
        object.__setattr__(self, "parts", parts)


@dataclass(frozen=True, slots=True)
class Not:
    """The part does not match."""

    part: "Filter"


Filter = Eq | In | Range | Has | Text | Exists | Empty | And | Or | Not

EVERYTHING: Filter = And()
NOTHING: Filter = Or()


@dataclass(frozen=True, slots=True)
class Order:
    """One key of an ordering."""

    path: str
    descending: bool = False


Keys = tuple[Scalar, ...]


@dataclass(frozen=True, slots=True)
class Page:
    """A keyset page: `first` documents after some keys, or the `last` ones before some keys.

    The keys are the values of the ordering's paths and, last, the id.
    """

    first: int | None = 25
    after: Keys | None = None
    last: int | None = None
    before: Keys | None = None


FIRST_PAGE = Page()


def total_order(order: Sequence[Order]) -> tuple[Order, ...]:
    """Complete an ordering by the id, so that no two documents are equal in it."""
    if any(key.path == "id" for key in order):
        return tuple(order)
    return (*order, Order("id", order[-1].descending if order else False))


def keys_of(document: Document, order: Sequence[Order]) -> Keys:
    """Give the keys of a document in a total order."""
    return tuple(value_at(document, key.path) for key in order)


def beyond(order: Sequence[Order], keys: Keys, *, backwards: bool = False) -> Filter:
    """Match what comes after the keys (before them, when backwards) in a total order."""
    choices: list[Filter] = []
    for depth, key in enumerate(order):
        equal = [Eq(previous.path, value) for previous, value in zip(order[:depth], keys, strict=False)]
        choices.append(And(*equal, _past(key.path, keys[depth], descending=key.descending != backwards)))
    first = order[0]
    return And(_not_before(first.path, keys[0], descending=first.descending != backwards), Or(*choices))


def _past(path: str, value: Scalar, *, descending: bool) -> Filter:
    if value is None:
        return NOTHING if descending else Exists(path)
    if isinstance(value, bool):
        return _past_boolean(path, value, descending=descending)
    return Or(Range(path, lt=value), Eq(path, None)) if descending else Range(path, gt=value)


def _past_boolean(path: str, value: bool, *, descending: bool) -> Filter:
    if descending:
        return Or(Eq(path, None), Eq(path, value=False)) if value else Eq(path, None)
    return NOTHING if value else Eq(path, value=True)


def _not_before(path: str, value: Scalar, *, descending: bool) -> Filter:
    """Bound the first key alone: redundant in meaning, but an index can use it."""
    if isinstance(value, str | int | float) and not isinstance(value, bool):
        return Or(Range(path, lte=value), Eq(path, None)) if descending else Range(path, gte=value)
    return EVERYTHING


def within(path: str, filter: Filter) -> Filter:
    """Give the filter that asks the same of the object at the path."""
    match filter:
        case And(parts):
            return And(*(within(path, part) for part in parts))
        case Or(parts):
            return Or(*(within(path, part) for part in parts))
        case Not(part):
            return Not(within(path, part))
        case _:
            return replace(filter, path=f"{path}.{filter.path}")


def value_at(document: Document, path: str) -> Any:
    """Give what a dotted path leads to; None where it leads nowhere."""
    value: Any = document
    for name in path.split("."):
        if not isinstance(value, Mapping):
            return None
        value = value.get(name)
    return value


def _values_at(value: Any, names: Sequence[str]) -> Iterator[Any]:
    if isinstance(value, list | tuple):
        for item in value:
            yield from _values_at(item, names)
    elif not names:
        yield value
    elif isinstance(value, Mapping) and names[0] in value:
        yield from _values_at(value[names[0]], names[1:])


def matches(filter: Filter, document: Document) -> bool:
    """Tell whether the document passes the filter."""
    return predicate(filter)(document)


def predicate(filter: Filter) -> Predicate:
    """Compile the filter to a function of one document, for a filter that is asked many times."""
    match filter:
        case And(parts):
            return _all([predicate(part) for part in parts])
        case Or(parts):
            return _any([predicate(part) for part in parts])
        case Not(part):
            inner = predicate(part)
            return lambda document: not inner(document)
        case Has(path, value):
            names = path.split(".")
            return lambda document: any(_equal(item, value) for item in _values_at(document, names))
        case _:
            return _on_field(filter)


def _all(parts: list[Predicate]) -> Predicate:
    return lambda document: all(part(document) for part in parts)


def _any(parts: list[Predicate]) -> Predicate:
    return lambda document: any(part(document) for part in parts)


def _on_field(filter: Eq | In | Range | Text | Exists | Empty) -> Predicate:
    path = filter.path
    test = _test_of(filter)
    if "." in path:
        return lambda document: test(value_at(document, path))
    return lambda document: test(document.get(path))


def _test_of(filter: Eq | In | Range | Text | Exists | Empty) -> Callable[[Any], bool]:
    match filter:
        case Eq(_, value):
            return lambda found: _equal(found, value)
        case In(_, values):
            return lambda found: any(_equal(found, value) for value in values)
        case Text(_, text):
            folded = fold(text)
            return lambda found: isinstance(found, str) and folded in fold(found)
        case Exists():
            return lambda found: found is not None
        case Empty():
            return lambda found: found is None or (isinstance(found, list | tuple) and not found)
        case Range():
            return lambda found: _within(found, filter)


def fold(text: str) -> str:
    """Give the form of a text in which `Text` compares: each letter in its lower case, one for one."""
    return "".join(lower if len(lower := letter.lower()) == 1 else letter for letter in text)


def _kind(value: Any) -> type:
    if isinstance(value, bool):
        return bool
    if isinstance(value, str):
        return str
    return float if isinstance(value, int | float) else type(value)


def _equal(found: Any, value: Any) -> bool:
    return _kind(found) is _kind(value) and bool(found == value)


def _within(found: Any, bounds: Range) -> bool:
    return (
        _holds(found, bounds.gte, lambda a, b: a >= b)
        and _holds(found, bounds.gt, lambda a, b: a > b)
        and _holds(found, bounds.lte, lambda a, b: a <= b)
        and _holds(found, bounds.lt, lambda a, b: a < b)
        and found is not None
    )


def _holds(found: Any, bound: Any, compare: Callable[[Any, Any], bool]) -> bool:
    return bound is None or (_kind(found) is _kind(bound) and compare(found, bound))
