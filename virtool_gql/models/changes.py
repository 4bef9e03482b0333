"""What is told of a write: the event that the outbox, the stream and every subscriber carry."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Any, Protocol

import msgspec

from virtool_gql.models.documents import Document, Timestamp


class Operation(StrEnum):
    """What a write did."""

    INSERT = "insert"
    UPDATE = "update"
    DELETE = "delete"


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """One write to one collection.

    `document` is the document without the fields that its collection does not announce: as of that commit, or for a
    delete as it was before. `cursor` is the change's place in the stream, empty until it is there.
    """

    collection: str
    operation: Operation
    ids: tuple[str, ...]
    at: Timestamp
    document: dict[str, Any]
    cursor: str = ""


class Outbox(Protocol):
    """The changes that are committed and not yet in the stream."""

    async def waiting(self, limit: int) -> list[tuple[str, bytes]]:
        """Give the oldest changes as (outbox id, encoded change), in an order that keeps cause before effect.

        Changes of one document come in the order of its versions. An id that is given out early and commits late is
        given late, never skipped.
        """

    async def remove(self, ids: Sequence[str]) -> None:
        """Forget changes that are in the stream."""


def announcement(operation: Operation, document: Document, at: Timestamp) -> bytes | None:
    """Encode the change that a write is, as the outbox keeps it; None for a silent collection."""
    unannounced = document.kept.unannounced
    if unannounced is None:
        return None
    partial = {name: getattr(document, name) for name in document.__struct_fields__ if name not in unannounced}
    return msgspec.json.encode(
        Change(collection=document.kept.name, operation=operation, ids=(document.id,), at=at, document=partial),
    )
