"""The message to everybody at the root of the API."""

from collections.abc import AsyncIterator
from typing import Annotated

import strawberry

from schema.arguments import AfterChange, described
from schema.changes import InstanceMessageChange, told
from schema.context import Info
from schema.inputs import given
from schema.messages import (
    InstanceMessage,
    RemoveInstanceMessagePayload,
    SetInstanceMessageInput,
    SetInstanceMessagePayload,
    UpdateInstanceMessageInput,
    UpdateInstanceMessagePayload,
)
from schema.payloads import mutation


@strawberry.type
class MessageQuery:
    """The message to everybody."""

    @strawberry.field(
        description="The message that is shown to everybody; null when there is none. For everybody who is signed in."
    )
    async def instance_message(self, info: Info) -> InstanceMessage | None:
        message = await info.context.db.messages.active(info.context.viewer)
        return InstanceMessage.from_document(message) if message else None


@strawberry.type
class MessageMutation:
    """Telling everybody something."""

    @mutation("Show a message to everybody, instead of the one that is shown. Needs to be an administrator.")
    async def set_instance_message(
        self, info: Info, input: Annotated[SetInstanceMessageInput, described("The message.")]
    ) -> SetInstanceMessagePayload:
        message = await info.context.db.messages.show(info.context.viewer, input.message, input.color)
        return SetInstanceMessagePayload(instance_message=InstanceMessage.from_document(message))

    @mutation("Change the message that is shown to everybody. Needs to be an administrator.")
    async def update_instance_message(
        self, info: Info, input: Annotated[UpdateInstanceMessageInput, described("What to change.")]
    ) -> UpdateInstanceMessagePayload:
        viewer, version = info.context.viewer, given(input.expected_version)
        viewer.require_administrator()
        message = await info.context.db.messages.update(viewer, input.changes(), expected_version=version)
        return UpdateInstanceMessagePayload(instance_message=InstanceMessage.from_document(message))

    @mutation("Show no message to everybody any more. Needs to be an administrator.")
    async def remove_instance_message(self, info: Info) -> RemoveInstanceMessagePayload:
        message = await info.context.db.messages.remove(info.context.viewer)
        return RemoveInstanceMessagePayload(instance_message=InstanceMessage.from_document(message))


@strawberry.type
class MessageSubscription:
    """Changes of the message to everybody."""

    @strawberry.subscription(
        description="Messages that are set, changed, and no longer shown (`active` is false then). "
        "For everybody who is signed in."
    )
    async def instance_messages(
        self, info: Info, after: AfterChange = strawberry.UNSET
    ) -> AsyncIterator[InstanceMessageChange]:
        caller = info.context.caller
        info.context.refuse_strangers()
        return told(info.context.db.messages.changes(lambda: caller.viewer, after=given(after)))
