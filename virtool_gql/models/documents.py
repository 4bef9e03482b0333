"""What every stored document is, and how the stores keep it."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, ClassVar, NewType

import msgspec
from msgspec import UNSET

from virtool_gql.query import Order

Timestamp = NewType("Timestamp", str)
"""A moment as fixed-width RFC 3339 text in UTC with milliseconds, so that the order of text is the order of time."""

Clock = Callable[[], Timestamp]
NewId = Callable[[], str]

ALPHABET = "0123456789abcdefghijklmnopqrstuvwxyz"


def timestamp(moment: datetime) -> Timestamp:
    return Timestamp(moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"))


def now() -> Timestamp:
    return timestamp(datetime.now(UTC))


def moment_of(at: Timestamp) -> datetime:
    return datetime.fromisoformat(at)


def new_id() -> str:
    """Give an id of eight lower-case letters and digits, which cannot be guessed from others."""
    return "".join(secrets.choice(ALPHABET) for _ in range(8))


@dataclass(frozen=True, slots=True)
class Kept:
    """How a collection is kept, on every store alike.

    `name` is the collection's public name too. `unannounced` are the fields that events leave out (None: the
    collection is silent). Each entry of `unique` is the paths whose values no two documents may share; null is
    shared by any number. `in_rows` puts the collection into a typed table of PostgreSQL. `apart` are large fields
    that events leave out: PostgreSQL keeps them in a column of their own, so that filters on the others do not unpack
    them. A document that was read without them has UNSET there, and is replaced without them. `in_reference`:
    the rights on a document are those on the reference of its `reference_id`.
    """

    name: str
    unannounced: frozenset[str] | None = frozenset()
    unique: tuple[tuple[str, ...], ...] = ()
    indexes: tuple[tuple[Order, ...], ...] = ()
    in_rows: bool = False
    apart: frozenset[str] = frozenset()
    in_reference: bool = False


class Document(msgspec.Struct, frozen=True, kw_only=True):
    """A stored value: never changed in place, replaced as a whole by its next version.

    The store gives version 1 when it inserts the document, and the next with each replacement.
    """

    kept: ClassVar[Kept]

    id: str
    version: int = 0


def is_whole(document: Document) -> bool:
    """Tell whether the document has what its collection keeps apart."""
    return all(getattr(document, name) is not UNSET for name in document.kept.apart)


def to_builtins(document: msgspec.Struct) -> dict[str, Any]:
    """Give the document as plain dictionaries, lists and scalars: the form that filters and stores see."""
    builtins: dict[str, Any] = msgspec.to_builtins(document)
    return builtins
