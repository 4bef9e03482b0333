"""What all inputs have in common: fields that may be left out, and what that means."""

from collections.abc import Callable, Collection
from typing import Any, TypeVar

import msgspec
import strawberry

from schema.ids import stored_ids
from virtool_gql.errors import BadUserInput
from virtool_gql.models.documents import Timestamp
from virtool_gql.query import EVERYTHING, NOTHING, And, Empty, Eq, Exists, Filter, Has, In, Not, Or, Range, Text

S = TypeVar("S", bound=msgspec.Struct)
T = TypeVar("T")

LONGEST_LIST = 1_000
MOST_HELD = 100  # values that are looked for in lists, document by document
LONGEST_SEARCH = 256
MOST_WORDS = 16


def optional(description: str) -> Any:
    """Describe an input field that may be left out."""
    return strawberry.field(default=strawberry.UNSET, description=description)


def given(value: T | None) -> T | None:
    """Give what the client gave; None when it was left out."""
    return None if value is strawberry.UNSET else value


def bounded(values: Collection[str] | None, path: str, longest: int = LONGEST_LIST) -> Collection[str] | None:
    """Give a list that was given; BadUserInput when it is longer than any statement should be."""
    values = given(values)
    if values is not None and len(values) > longest:
        raise BadUserInput(f"At most {longest} values can be listed.", path=[path])
    return values


def translated(value: T | None, translate: Callable[[T], Any]) -> Any:
    """Translate a value that was given; what was left out or is null stays so."""
    if value is strawberry.UNSET:
        return msgspec.UNSET
    return None if value is None else translate(value)


def partial(kind: type[S], **values: Any) -> S:
    """Make the changes of a partial update: what was left out stays UNSET, and null only goes where null may be."""
    fields = {field.name: field for field in msgspec.structs.fields(kind)}
    changes = {name: msgspec.UNSET if value is strawberry.UNSET else value for name, value in values.items()}
    for name, value in changes.items():
        if value is None and type(None) not in getattr(fields[name].type, "__args__", ()):
            raise BadUserInput("This cannot be null; leave it out to keep what is there.", path=[name])
    return kind(**changes)


def equal(path: str, value: str | bool | None) -> Filter:
    return EVERYTHING if value is None or value is strawberry.UNSET else Eq(path, value)


def present(path: str, value: bool | None) -> Filter:
    """Match documents that have the field, or those that have not."""
    value = given(value)
    if value is None:
        return EVERYTHING
    return Exists(path) if value else Not(Exists(path))


def one_of(path: str, values: Collection[str] | None) -> Filter:
    values = bounded(values, path)
    return EVERYTHING if values is None else In(path, tuple(str(value) for value in values))


def with_ids(path: str, prefix: str, ids: Collection[str] | None) -> Filter:
    ids = bounded(ids, path)
    return EVERYTHING if ids is None else In(path, tuple(sorted(stored_ids(prefix, ids))))


def with_id(path: str, prefix: str, id: str | None) -> Filter:
    id = given(id)
    if id is None:
        return EVERYTHING
    of_this_type = stored_ids(prefix, [id])
    return Eq(path, *of_this_type) if of_this_type else NOTHING  # an ordered index knows no `In`


def having(path: str, prefix: str, ids: Collection[str] | None) -> Filter:
    """Match documents whose list of ids at the path holds one of these."""
    ids = bounded(ids, path, MOST_HELD)
    return EVERYTHING if ids is None else Or(*(Has(path, id) for id in sorted(stored_ids(prefix, ids))))


def having_one(path: str, prefix: str, id: str | None) -> Filter:
    id = given(id)
    return EVERYTHING if id is None else having(path, prefix, [id])


def nothing_in(path: str, value: bool | None) -> Filter:
    """Match documents whose list at the path holds nothing, or those in which it holds something."""
    value = given(value)
    if value is None:
        return EVERYTHING
    return Empty(path) if value else Not(Empty(path))


def since(path: str, at: Timestamp | None) -> Filter:
    at = given(at)
    return EVERYTHING if at is None else Range(path, gte=at)


def before(path: str, at: Timestamp | None) -> Filter:
    at = given(at)
    return EVERYTHING if at is None else Range(path, lt=at)


def containing(text: str | None, *paths: str) -> Filter:
    """Match documents that have each word of the text in one of the fields."""
    text = given(text) or ""
    words = dict.fromkeys(text.split())
    if len(text) > LONGEST_SEARCH or len(words) > MOST_WORDS:
        raise BadUserInput(f"Search for at most {MOST_WORDS} words of {LONGEST_SEARCH} characters.", path=["search"])
    return And(*(Or(*(Text(path, word) for path in paths)) for word in words))
