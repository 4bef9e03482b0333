"""What administrators tell everybody."""

from typing import Self

import strawberry

from schema.enums import described
from schema.ids import global_id
from schema.inputs import optional, partial
from schema.nodes import Node
from schema.payloads import Payload
from schema.relations import related
from schema.users import User
from virtool_gql.db.messages import MessageChanges
from virtool_gql.models import settings as models
from virtool_gql.models.documents import Timestamp
from virtool_gql.models.settings import MessageColor

described(
    MessageColor,
    "In which color a message is shown.",
    {color: f"{color.name.capitalize()}." for color in MessageColor},
)


@strawberry.type(description="What an administrator tells everybody. Everybody who is signed in may read it.")
class InstanceMessage(Node):
    """What an administrator tells everybody."""

    message: str = strawberry.field(description="The text, of one line or several.")
    color: MessageColor = strawberry.field(description="In which color it is shown.")
    active: bool = strawberry.field(description="Whether it is still shown.")
    created_at: Timestamp = strawberry.field(description="When it was set.")
    updated_at: Timestamp = strawberry.field(description="When it was last changed.")
    version: int = strawberry.field(description="Counts its changes, for `expectedVersion`.")
    user_id: strawberry.Private[str]

    user = related("user", "user_id", User, "Who set it.")

    @classmethod
    def from_document(cls, message: models.InstanceMessage) -> Self:
        return cls(
            id=global_id("message", message.id),
            message=message.message,
            color=message.color,
            active=message.active,
            created_at=message.created_at,
            updated_at=message.updated_at,
            version=message.version,
            user_id=message.user_id,
        )


@strawberry.input(description="A message to everybody.")
class SetInstanceMessageInput:
    """A message to everybody."""

    message: str = strawberry.field(description="The text, of one line or several: up to 2 000 characters.")
    color: MessageColor = strawberry.field(description="In which color it is shown.")


@strawberry.input(description="What to change of the message that is shown. What is left out stays as it is.")
class UpdateInstanceMessageInput:
    """What to change of the message that is shown."""

    message: str | None = optional("The text, of one line or several: up to 2 000 characters.")
    color: MessageColor | None = optional("In which color it is shown.")
    expected_version: int | None = optional("Change it only if this is still its version.")

    def changes(self) -> MessageChanges:
        return partial(MessageChanges, message=self.message, color=self.color)


@strawberry.type(description="What `setInstanceMessage` answers with.")
class SetInstanceMessagePayload(Payload):
    """What `setInstanceMessage` answers with."""

    instance_message: InstanceMessage | None = strawberry.field(default=None, description="The message.")


@strawberry.type(description="What `updateInstanceMessage` answers with.")
class UpdateInstanceMessagePayload(Payload):
    """What `updateInstanceMessage` answers with."""

    instance_message: InstanceMessage | None = strawberry.field(default=None, description="The message as it is now.")


@strawberry.type(description="What `removeInstanceMessage` answers with.")
class RemoveInstanceMessagePayload(Payload):
    """What `removeInstanceMessage` answers with."""

    instance_message: InstanceMessage | None = strawberry.field(
        default=None, description="The message, which is no longer shown."
    )
