"""Partial updates: what is set of them, what comes of it, and that nobody else was faster."""

from collections.abc import Mapping
from typing import Any, TypeVar

import msgspec
from msgspec import UNSET, structs

from virtool_gql.errors import Conflict
from virtool_gql.models.documents import Document

S = TypeVar("S", bound=msgspec.Struct)


def to_values(changes: msgspec.Struct) -> dict[str, Any]:
    """Give the fields that are set."""
    return {name: value for name, value in structs.asdict(changes).items() if value is not UNSET}


def with_values(value: S, values: Mapping[str, Any]) -> S:
    """Give the value with other fields; the very same when it has them already, of which `modify` writes nothing."""
    after = structs.replace(value, **values)
    return value if after == value else after


def check_version(document: Document, expected_version: int | None, noun: str) -> None:
    """Raise Conflict when the document is not of the version that somebody expects; to try again is no help."""
    if expected_version not in {None, document.version}:
        raise Conflict(f"Somebody else changed the {noun} first; look at what is there now.")
