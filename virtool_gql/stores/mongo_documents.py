"""How a document lies in MongoDB: its `id` as `_id`, and a hidden field for each set of unique values.

Two forms are written differently, so that every server takes them: keys that hold a dot or begin with a dollar, and
lists within lists, which are wrapped into an object.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

import msgspec
from bson.int64 import Int64

from virtool_gql.errors import BadUserInput
from virtool_gql.models.documents import Document, Kept, to_builtins
from virtool_gql.query import value_at

D = TypeVar("D", bound=Document)
Stored = dict[str, Any]

UNIQUE = "_unique"
WRAPPED = "%list"
"""Not the form of any escaped key, since a percent sign in a key is escaped too."""

PLAIN = {str, float, int, bool}
_ESCAPES = {"%": "%25", ".": "%2E", "$": "%24"}


def to_stored(document: Document) -> Stored:
    """Give the form in which a document is written; raise BadUserInput for what no store can hold."""
    builtins = to_builtins(document)
    stored = {"_id": _scalar(builtins.pop("id")), **_object(builtins)}
    unique = unique_values(document.kept, builtins)
    return {**stored, UNIQUE: unique} if unique else stored


def from_stored(kind: type[D], stored: Mapping[str, Any]) -> D:
    """Give the document back that was written in this form."""
    builtins = {_key_of(name): _read(value) for name, value in stored.items() if name not in {"_id", UNIQUE}}
    return msgspec.convert({**builtins, "id": stored["_id"]}, kind)


def stored_path(path: str) -> str:
    """Give the path at which MongoDB finds what a filter's path leads to."""
    return "_id" if path == "id" else ".".join(_escaped(name) for name in path.split("."))


def unique_name(paths: Sequence[str]) -> str:
    """Name the hidden field that holds the values of the paths."""
    return "+".join(_escaped(path) for path in paths)


def unique_values(kept: Kept, builtins: Mapping[str, Any]) -> dict[str, str]:
    """Give the hidden field of each set of unique values without a null: one text, so that one index is enough."""
    found = {unique_name(paths): [value_at(builtins, path) for path in paths] for paths in kept.unique}
    return {name: _text_of(values) for name, values in found.items() if None not in values}


def _text_of(values: Sequence[Any]) -> str:
    plain = [int(value) if isinstance(value, float) and value.is_integer() else value for value in values]
    return msgspec.json.encode(plain).decode()


def _object(builtins: Mapping[str, Any]) -> Stored:
    return {_escaped(name): _written(value) for name, value in builtins.items()}


def _written(value: Any) -> Any:
    if isinstance(value, dict):
        return _object(value)
    if isinstance(value, list | tuple):
        return [{WRAPPED: _written(item)} if isinstance(item, list | tuple) else _written(item) for item in value]
    return _scalar(value)


def _scalar(value: Any) -> Any:
    if isinstance(value, str) and "\0" in value:
        raise BadUserInput("A text may not contain the character NUL.")
    if isinstance(value, float) and not math.isfinite(value):
        raise BadUserInput("A number must be finite.")
    return value


def _read(value: Any) -> Any:
    if isinstance(value, dict):
        if WRAPPED in value:
            return _read(value[WRAPPED])
        return {_key_of(name): _read(item) for name, item in value.items()}
    if isinstance(value, list):
        return [item if type(item) in PLAIN else _read(item) for item in value]
    return plain(value)


def plain(value: Any) -> Any:
    """Give a scalar as everybody knows it: the driver gives large integers in a class of its own."""
    return int(value) if isinstance(value, Int64) else value


def _escaped(name: str) -> str:
    _scalar(name)
    return "".join(_ESCAPES.get(letter, letter) for letter in name) if not name.isidentifier() else name


def _key_of(name: str) -> str:
    if "%" not in name:
        return name
    return name.replace("%2E", ".").replace("%24", "$").replace("%25", "%")
