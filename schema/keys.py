"""API keys: secrets by which scripts act for their users."""

from typing import Self

import strawberry

from schema.ids import global_id
from schema.inputs import optional, partial, translated
from schema.nodes import Node
from schema.payloads import Payload
from virtool_gql.db.keys import KeyChanges
from virtool_gql.models import users as models
from virtool_gql.models.documents import Timestamp
from virtool_gql.models.users import Permission


@strawberry.type(description="A secret by which a script acts for its user, who alone may read that it is there.")
class ApiKey(Node):
    """A secret by which a script acts for its user."""

    name: str = strawberry.field(description="What the user calls it.")
    permissions: list[Permission] = strawberry.field(description="What it may do, as long as its user may.")
    administrator: bool = strawberry.field(description="Whether it may do all that its user may as an administrator.")
    created_at: Timestamp = strawberry.field(description="When it was made.")
    last_used_at: Timestamp | None = strawberry.field(
        description="When it was last used, to the minute; null if never."
    )
    expires_at: Timestamp | None = strawberry.field(description="From when on it works no more; null if never.")
    version: int = strawberry.field(
        description="Counts its changes, for `expectedVersion`; what is noted of its use is one."
    )

    @classmethod
    def from_document(cls, key: models.ApiKey) -> Self:
        return cls(
            id=global_id("key", key.id),
            name=key.name,
            permissions=list(key.permissions),
            administrator=key.administrator,
            created_at=key.created_at,
            last_used_at=key.last_used_at,
            expires_at=key.expires_at,
            version=key.version,
        )


@strawberry.input(description="A new API key.")
class CreateApiKeyInput:
    """A new API key."""

    name: str = strawberry.field(description="What you call it.")
    permissions: list[Permission] = strawberry.field(
        default_factory=list, description="What it may do; it gets none that you have not."
    )
    administrator: bool = strawberry.field(
        default=False, description="Whether it may do all that you may as an administrator, which you must be."
    )
    expires_at: Timestamp | None = optional("From when on it works no more; it works for ever when left out.")


@strawberry.type(description="What `createApiKey` answers with.")
class CreateApiKeyPayload(Payload):
    """What `createApiKey` answers with."""

    api_key: ApiKey | None = strawberry.field(default=None, description="The key without its secret.")
    key: str | None = strawberry.field(default=None, description="The secret. It is shown only now.")


@strawberry.input(description="What to change of an API key. What is left out stays as it is.")
class UpdateApiKeyInput:
    """What to change of an API key."""

    id: strawberry.ID = strawberry.field(description="The key, one of your own.")
    name: str | None = optional("What you call it.")
    permissions: list[Permission] | None = optional("What it may do; it gets none that you have not.")
    administrator: bool | None = optional(
        "Whether it may do all that you may as an administrator, which you must be to allow it."
    )
    expires_at: Timestamp | None = optional("From when on it works no more; null for never.")
    expected_version: int | None = optional("Change it only if this is still its version.")

    def changes(self) -> KeyChanges:
        return partial(
            KeyChanges,
            name=self.name,
            permissions=translated(self.permissions, tuple),
            administrator=self.administrator,
            expires_at=self.expires_at,
        )


@strawberry.type(description="What `updateApiKey` answers with.")
class UpdateApiKeyPayload(Payload):
    """What `updateApiKey` answers with."""

    api_key: ApiKey | None = strawberry.field(default=None, description="The key as it is now.")


@strawberry.input(description="Which API key to delete.")
class DeleteApiKeyInput:
    """Which API key to delete."""

    id: strawberry.ID = strawberry.field(description="The key, one of your own.")


@strawberry.type(description="What `deleteApiKey` answers with.")
class DeleteApiKeyPayload(Payload):
    """What `deleteApiKey` answers with."""

    api_key: ApiKey | None = strawberry.field(default=None, description="The key as it was.")


@strawberry.type(description="What `deleteApiKeys` answers with.")
class DeleteApiKeysPayload(Payload):
    """What `deleteApiKeys` answers with."""

    count: int | None = strawberry.field(default=None, description="How many keys there were.")
