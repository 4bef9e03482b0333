"""What is created once, however often the same request comes."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TypeVar
from weakref import WeakValueDictionary

from virtool_gql.access import Viewer
from virtool_gql.db.names import single_line
from virtool_gql.errors import BadUserInput, Conflict
from virtool_gql.models.documents import Document
from virtool_gql.models.indexes import Index
from virtool_gql.models.otus import OTU
from virtool_gql.query import Eq
from virtool_gql.stores.documents import Documents, first_of

D = TypeVar("D", bound=Document)
P = TypeVar("P", OTU, Index)
T = TypeVar("T")


class Turns:
    """Has those of one process that create by the same key do so in turn: what is costly is then done once."""

    def __init__(self) -> None:
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    @asynccontextmanager
    async def of(self, key: str | None) -> AsyncIterator[None]:
        if key is None:
            yield
            return
        turn = self._turns.setdefault(key, asyncio.Lock())
        async with turn:
            yield


def creation_key(viewer: Viewer, idempotency_key: str | None) -> str | None:
    """Give what is kept of an idempotency key: one user's keys are nothing to another."""
    if idempotency_key is None:
        return None
    return f"{viewer.user_id} {single_line(idempotency_key, 'idempotency_key', may_be_empty=False)}"


async def created_by(store: Documents, kind: type[D], key: str | None) -> D | None:
    """Give the document that a request with the key has created."""
    if key is None:
        return None
    return await first_of(store, kind, Eq("creation_key", key))


async def created_in(store: Documents, kind: type[P], key: str | None, reference_id: str) -> P | None:
    """Give what a request with the key has created in a reference.

    Raises Conflict when that was in another one, which the user may no longer read.
    """
    created = await created_by(store, kind, key)
    if created is not None and created.reference_id != reference_id:
        raise Conflict("This key was used for another reference; choose another one.", path=["idempotency_key"])
    return created


async def created_once(store: Documents, kind: type[D], key: str | None, create: Callable[[], Awaitable[D]]) -> D:
    """Give what a request with the key has created, else create it."""
    return await once(lambda: created_by(store, kind, key), create)


async def once(find: Callable[[], Awaitable[T | None]], create: Callable[[], Awaitable[T]]) -> T:
    """Give what can be found of an earlier request, else create it; of many at once one creates."""
    earlier = await find()
    if earlier is not None:
        return earlier
    try:
        return await create()
    except (BadUserInput, Conflict):
        # A request with the same key may have won the race for a name or a file, or for the key itself.
        earlier = await find()
        if earlier is None:
            raise
        return earlier
