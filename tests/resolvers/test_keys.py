from msgspec import structs

from tests.factories.api import Api
from virtool_gql.access import Viewer

CREATE = """mutation($input: CreateApiKeyInput!) { createApiKey(input: $input) {
    apiKey { id name permissions administrator lastUsedAt } key errors { code path } } }"""
DELETE = (
    """mutation($input: DeleteApiKeyInput!) { deleteApiKey(input: $input) { apiKey { id } errors { code path } } }"""
)
MINE = "{ viewer { apiKeys { id name } } }"


async def test_a_key_is_made_used_listed_and_deleted_by_its_user_alone(
    api: Api, owner: Viewer, administrator: Viewer
) -> None:
    made = await api.ask(owner, CREATE, input={"name": "Script", "permissions": ["CREATE_SAMPLE", "REMOVE_JOB"]})
    key, secret = made["apiKey"], made["key"]
    assert (key["name"], key["permissions"], key["administrator"]) == ("Script", ["CREATE_SAMPLE"], False)
    by_key = await api.db.sign_in.by_key(secret, "owner")
    assert by_key is not None
    assert by_key.user_id == owner.user_id
    assert await api.ask(owner, MINE) == {"apiKeys": [{"id": key["id"], "name": "Script"}]}
    node = "query($id: ID!) { node(id: $id) { ... on ApiKey { name } } }"
    assert await api.ask(owner, node, id=key["id"]) == {"name": "Script"}
    assert await api.ask(administrator, node, id=key["id"]) is None
    refused = await api.ask(administrator, DELETE, input={"id": key["id"]})
    assert refused == {"apiKey": None, "errors": [{"code": "NOT_FOUND", "path": []}]}
    assert await api.ask(owner, DELETE, input={"id": key["id"]}) == {"apiKey": {"id": key["id"]}, "errors": []}
    assert await api.db.sign_in.by_key(secret, "owner") is None


async def test_strangers_and_keys_make_no_keys(api: Api, owner: Viewer) -> None:
    new = {"name": "Script"}
    assert await api.code(None, CREATE, input=new) == "UNAUTHENTICATED"
    by_key = structs.replace(owner, key_id="key00001")
    made = await api.ask(by_key, CREATE, input=new)
    assert made == {"apiKey": None, "key": None, "errors": [{"code": "FORBIDDEN", "path": []}]}
    made = await api.ask(owner, CREATE, input=new | {"administrator": True})
    assert [error["code"] for error in made["errors"]] == ["FORBIDDEN"]
