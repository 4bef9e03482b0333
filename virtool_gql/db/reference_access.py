"""Who may read a reference, at hand for each event of what belongs to it."""

import asyncio
from collections import OrderedDict
from collections.abc import Mapping
from contextlib import aclosing
from typing import Any

from virtool_gql.events import Hub
from virtool_gql.models.changes import Change, Operation
from virtool_gql.models.documents import to_builtins
from virtool_gql.models.references import Reference
from virtool_gql.stores.documents import Documents

MOST_REMEMBERED = 10_000

Access = Mapping[str, Any]


class ReferenceAccess:
    """The members of references, as the changes that this process has handed out say.

    A reference that is asked for the first time is read from the store. From then on its changes, which come before
    those of its parts, keep it up to date; one that was deleted is remembered as it was, for those who are told of the
    end of its parts. How one stood that had been deleted before this process began, the event log tells.
    """

    def __init__(self, store: Documents, hub: Hub, *, most_remembered: int = MOST_REMEMBERED) -> None:
        self._store = store
        self._hub = hub
        self._most = most_remembered
        self._known: OrderedDict[str, Access | None] = OrderedDict()
        self._has_read_log = False
        self._reads_log = asyncio.Lock()
        hub.observe(Reference.kept.name, self._observe)

    async def of(self, reference_id: str) -> Access | None:
        """Give what the rights on a reference depend on; None when no such reference is known."""
        if reference_id in self._known:
            return self._known[reference_id]
        reference = await self._store.get(Reference, reference_id)
        if reference is None:
            await self._read_log()
        if reference_id not in self._known:
            self._remember(reference_id, None if reference is None else _access(to_builtins(reference)))
        return self._known.get(reference_id)

    async def _read_log(self) -> None:
        """Learn of the references that were deleted before this process could hear of it."""
        async with self._reads_log:
            if self._has_read_log:
                return
            async with aclosing(self._hub.past(frozenset({Reference.kept.name}))) as changes:
                async for change in changes:
                    if change.operation is Operation.DELETE and self._known.get(change.ids[0]) is None:
                        self._remember(change.ids[0], _access(change.document))
            self._has_read_log = True

    def _observe(self, change: Change | None) -> None:
        if change is None:
            self._known.clear()
            self._has_read_log = False
            return
        for id in change.ids:
            self._remember(id, _access(change.document))

    def _remember(self, id: str, access: Access | None) -> None:
        self._known[id] = access
        self._known.move_to_end(id)
        if len(self._known) > self._most:
            self._known.popitem(last=False)


def _access(document: Mapping[str, Any]) -> Access:
    return {name: document[name] for name in ("user_id", "users", "groups")}
