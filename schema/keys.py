"""API keys: secrets by which scripts act for their users."""

from typing import Self

import strawberry

from schema.ids import global_id
from schema.nodes import Node
from schema.payloads import Payload
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

    @classmethod
    def from_document(cls, key: models.ApiKey) -> Self:
        return cls(
            id=global_id("key", key.id),
            name=key.name,
            permissions=list(key.permissions),
            administrator=key.administrator,
            created_at=key.created_at,
            last_used_at=key.last_used_at,
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


@strawberry.type(description="What `createApiKey` answers with.")
class CreateApiKeyPayload(Payload):
    """What `createApiKey` answers with."""

    api_key: ApiKey | None = strawberry.field(default=None, description="The key without its secret.")
    key: str | None = strawberry.field(default=None, description="The secret. It is shown only now.")


@strawberry.input(description="Which API key to delete.")
class DeleteApiKeyInput:
    """Which API key to delete."""

    id: strawberry.ID = strawberry.field(description="The key, one of your own.")


@strawberry.type(description="What `deleteApiKey` answers with.")
class DeleteApiKeyPayload(Payload):
    """What `deleteApiKey` answers with."""

    api_key: ApiKey | None = strawberry.field(default=None, description="The key as it was.")
