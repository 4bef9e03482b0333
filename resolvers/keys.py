"""API keys at the root of the API; one's own are listed by `Viewer.apiKeys`."""

from typing import Annotated

import strawberry

from schema.arguments import described
from schema.context import Info
from schema.ids import stored_id
from schema.keys import ApiKey, CreateApiKeyInput, CreateApiKeyPayload, DeleteApiKeyInput, DeleteApiKeyPayload
from schema.payloads import mutation


@strawberry.type
class ApiKeyMutation:
    """Making and deleting API keys."""

    @mutation("Make an API key for yourself. Needs a session; a key cannot make keys.")
    async def create_api_key(
        self, info: Info, input: Annotated[CreateApiKeyInput, described("The key.")]
    ) -> CreateApiKeyPayload:
        create, viewer = info.context.db.keys.create, info.context.viewer
        key, secret = await create(viewer, input.name, input.permissions, administrator=input.administrator)
        return CreateApiKeyPayload(api_key=ApiKey.from_document(key), key=secret)

    @mutation("Delete one of your API keys, which works no more from then on. Needs a session.")
    async def delete_api_key(
        self, info: Info, input: Annotated[DeleteApiKeyInput, described("The key.")]
    ) -> DeleteApiKeyPayload:
        key = await info.context.db.keys.delete(info.context.viewer, stored_id("key", input.id))
        return DeleteApiKeyPayload(api_key=ApiKey.from_document(key))
