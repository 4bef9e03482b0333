"""API keys at the root of the API; one's own are listed by `Viewer.apiKeys`."""

from typing import Annotated

import strawberry

from schema.arguments import described
from schema.context import Info
from schema.ids import stored_id
from schema.inputs import given
from schema.keys import (
    ApiKey,
    CreateApiKeyInput,
    CreateApiKeyPayload,
    DeleteApiKeyInput,
    DeleteApiKeyPayload,
    DeleteApiKeysPayload,
    UpdateApiKeyInput,
    UpdateApiKeyPayload,
)
from schema.payloads import mutation


@strawberry.type
class ApiKeyMutation:
    """Making, changing and deleting API keys."""

    @mutation("Make an API key for yourself. Needs a session: no API key can do it.")
    async def create_api_key(
        self, info: Info, input: Annotated[CreateApiKeyInput, described("The key.")]
    ) -> CreateApiKeyPayload:
        create, viewer = info.context.db.keys.create, info.context.viewer
        key, secret = await create(
            viewer,
            input.name,
            input.permissions,
            administrator=input.administrator,
            expires_at=given(input.expires_at),
        )
        return CreateApiKeyPayload(api_key=ApiKey.from_document(key), key=secret)

    @mutation("Change one of your API keys. Needs a session: no API key can do it.")
    async def update_api_key(
        self, info: Info, input: Annotated[UpdateApiKeyInput, described("The key, and what to change.")]
    ) -> UpdateApiKeyPayload:
        viewer, id = info.context.viewer, stored_id("key", input.id)
        version = given(input.expected_version)
        key = await info.context.db.keys.update(viewer, id, input.changes(), expected_version=version)
        return UpdateApiKeyPayload(api_key=ApiKey.from_document(key))

    @mutation("Delete one of your API keys, which works no more from then on. Needs a session: no API key can do it.")
    async def delete_api_key(
        self, info: Info, input: Annotated[DeleteApiKeyInput, described("The key.")]
    ) -> DeleteApiKeyPayload:
        key = await info.context.db.keys.delete(info.context.viewer, stored_id("key", input.id))
        return DeleteApiKeyPayload(api_key=ApiKey.from_document(key))

    @mutation("Delete all of your API keys, which work no more from then on. Needs a session: no API key can do it.")
    async def delete_api_keys(self, info: Info) -> DeleteApiKeysPayload:
        return DeleteApiKeysPayload(count=await info.context.db.keys.delete_all(info.context.viewer))
