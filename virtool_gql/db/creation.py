"""What is created once, however often the same request comes."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from virtool_gql.access import Viewer
from virtool_gql.db.names import single_line
from virtool_gql.errors import BadUserInput, Conflict
from virtool_gql.models.documents import Document
from virtool_gql.query import Eq, Page
from virtool_gql.stores.documents import Documents

D = TypeVar("D", bound=Document)


def creation_key(viewer: Viewer, idempotency_key: str | None) -> str | None:
    """Give what is kept of an idempotency key: one user's keys are nothing to another."""
    if idempotency_key is None:
        return None
    return f"{viewer.user_id} {single_line(idempotency_key, 'idempotency_key', may_be_empty=False)}"


async def created_by(store: Documents, kind: type[D], key: str | None) -> D | None:
    """Give the document that a request with the key has created."""
    if key is None:
        return None
    found = await store.find(kind, Eq("creation_key", key), page=Page(first=1))
    return found.documents[0] if found.documents else None


async def created_once(store: Documents, kind: type[D], key: str | None, create: Callable[[], Awaitable[D]]) -> D:
    """Give what a request with the key has created, else create it; of many at once one creates."""
    earlier = await created_by(store, kind, key)
    if earlier is not None:
        return earlier
    try:
        return await create()
    except (BadUserInput, Conflict):
        # A request with the same key may have won the race for a name, or for the key itself.
        earlier = await created_by(store, kind, key)
        if earlier is None:
            raise
        return earlier
