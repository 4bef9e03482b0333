"""What administrators tell everybody: one message is shown at a time, those before it are kept."""

import asyncio

import msgspec
from msgspec import UNSET, UnsetType, structs

from virtool_gql.access import Viewer, readable_messages
from virtool_gql.db.instance import Instance
from virtool_gql.db.listing import Listing
from virtool_gql.db.names import multi_line, visible
from virtool_gql.db.retries import retried
from virtool_gql.db.updates import check_version, to_values, with_values
from virtool_gql.errors import BadUserInput, Conflict, DuplicateValue, NotFound, StaleDocument
from virtool_gql.models.documents import Timestamp
from virtool_gql.models.settings import InstanceMessage, MessageColor
from virtool_gql.query import And, Eq
from virtool_gql.stores.documents import first_of, modify

LONGEST_MESSAGE = 2_000
ACTIVE = "active"
SHOWN = Eq("active_key", ACTIVE)


class MessageChanges(msgspec.Struct, frozen=True, kw_only=True):
    """What is to change of the message; what is not set stays."""

    message: str | UnsetType = UNSET
    color: MessageColor | UnsetType = UNSET


class Messages(Listing[InstanceMessage]):
    """The messages, which everybody who is signed in may read."""

    noun = "message"

    def __init__(self, instance: Instance) -> None:
        super().__init__(instance, InstanceMessage, readable_messages)
        self._turn = asyncio.Lock()  # as in `settings`

    async def active(self, viewer: Viewer) -> InstanceMessage | None:
        """Give the message that is shown."""
        return await first_of(self.store, InstanceMessage, And(self.readable(viewer), SHOWN))

    async def show(self, viewer: Viewer, message: str, color: MessageColor) -> InstanceMessage:
        """Show a message instead of the one that is shown; of several at once the last stands."""
        viewer.require_administrator()
        at = self.instance.clock()
        new = InstanceMessage(
            id=self.instance.new_id(),
            message=_text(message),
            color=color,
            active_key=ACTIVE,
            user_id=viewer.user_id,
            created_at=at,
            updated_at=at,
        )
        async with self._turn:
            return await retried(lambda: self._show(viewer, new))

    async def _show(self, viewer: Viewer, new: InstanceMessage) -> InstanceMessage:
        before = await self.active(viewer)
        try:
            async with self.store.transaction() as documents:
                if before is not None:
                    await documents.replace(_withdrawn(before, new.created_at))
                return (await documents.insert(new))[0]
        except DuplicateValue as error:
            raise StaleDocument("Somebody else showed a message first.") from error

    async def update(
        self, viewer: Viewer, changes: MessageChanges, *, expected_version: int | None = None
    ) -> InstanceMessage:
        """Change the message that is shown."""
        viewer.require_administrator()
        values = to_values(changes)
        if "message" in values:
            values["message"] = _text(values["message"])

        def changed(message: InstanceMessage) -> InstanceMessage:
            check_version(message, expected_version, self.noun)
            after = with_values(message, values)
            return message if after is message else structs.replace(after, updated_at=self.instance.clock())

        try:
            return await modify(self.store, InstanceMessage, (await self._shown(viewer)).id, changed, SHOWN)
        except NotFound as error:
            raise _nothing_shown() from error

    async def remove(self, viewer: Viewer) -> InstanceMessage:
        """Show no message any more; give the one that was shown."""
        viewer.require_administrator()
        return await retried(lambda: self._remove(viewer))

    async def _remove(self, viewer: Viewer) -> InstanceMessage:
        message = await self._shown(viewer)
        return (await self.store.replace(_withdrawn(message, self.instance.clock())))[0]

    async def _shown(self, viewer: Viewer) -> InstanceMessage:
        message = await self.active(viewer)
        if message is None:
            raise _nothing_shown()
        return message


def _withdrawn(message: InstanceMessage, at: Timestamp) -> InstanceMessage:
    return structs.replace(message, active=False, active_key=None, updated_at=at)


def _nothing_shown() -> Conflict:
    return Conflict("No active message set.")


def _text(message: str) -> str:
    text = multi_line(message, "message", longest=LONGEST_MESSAGE)
    if not visible(text).strip():
        raise BadUserInput("A value is needed for message.", path=["message"])
    return text
