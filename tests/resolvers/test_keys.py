from datetime import timedelta

from msgspec import structs

from tests.factories.api import Api
from virtool_gql.access import Viewer
from virtool_gql.models.documents import timestamp

CREATE = """mutation($input: CreateApiKeyInput!) { createApiKey(input: $input) {
    apiKey { id name permissions administrator lastUsedAt } key errors { code path } } }"""
DELETE = (
    """mutation($input: DeleteApiKeyInput!) { deleteApiKey(input: $input) { apiKey { id } errors { code path } } }"""
)
MINE = "{ viewer { apiKeys { id name } } }"
UPDATE = """mutation($input: UpdateApiKeyInput!) { updateApiKey(input: $input) {
    apiKey { name permissions administrator expiresAt version } errors { code path } } }"""
DELETE_ALL = "mutation { deleteApiKeys { count errors { code } } }"


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
    assert refused == {"apiKey": None, "errors": [{"code": "NOT_FOUND", "path": ["id"]}]}
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


async def test_a_key_is_changed_by_its_user_alone(api: Api, owner: Viewer, administrator: Viewer) -> None:
    soon = timestamp(api.clock.moment + timedelta(days=1))
    new = {"name": "Script", "permissions": ["CREATE_SAMPLE"], "expiresAt": soon}
    id = (await api.ask(owner, CREATE, input=new))["apiKey"]["id"]
    assert await api.code(None, UPDATE, input={"id": id}) == "UNAUTHENTICATED"
    assert await api.code(None, DELETE_ALL) == "UNAUTHENTICATED"
    for viewer, input, code in (
        (administrator, {"id": id, "name": "Mine"}, "NOT_FOUND"),
        (owner, {"id": "key_nothere1"}, "NOT_FOUND"),
        (owner, {"id": f"user_{owner.user_id}"}, "NOT_FOUND"),
        (structs.replace(owner, key_id="key00001"), {"id": id, "name": "Mine"}, "FORBIDDEN"),
        (owner, {"id": id, "administrator": True}, "FORBIDDEN"),
        (owner, {"id": id, "name": None}, "BAD_USER_INPUT"),
        (owner, {"id": id, "name": " "}, "BAD_USER_INPUT"),
        (owner, {"id": id, "permissions": None}, "BAD_USER_INPUT"),
        (owner, {"id": id, "expiresAt": "2020-01-01T00:00:00Z"}, "BAD_USER_INPUT"),
        (owner, {"id": id, "name": "New", "expectedVersion": 2}, "CONFLICT"),
    ):
        answer = await api.ask(viewer, UPDATE, input=input)
        assert (answer["apiKey"], [error["code"] for error in answer["errors"]]) == (None, [code])
    changed = (await api.ask(owner, UPDATE, input={"id": id, "permissions": ["UPLOAD_FILE", "REMOVE_JOB"]}))["apiKey"]
    shown = {"name": "Script", "permissions": ["UPLOAD_FILE"], "administrator": False, "expiresAt": soon, "version": 2}
    assert changed == shown
    changed = (await api.ask(owner, UPDATE, input={"id": id, "name": "Robot", "expiresAt": None}))["apiKey"]
    assert changed == shown | {"name": "Robot", "expiresAt": None, "version": 3}


async def test_the_secret_is_shown_once(api: Api, owner: Viewer) -> None:
    made = await api.ask(owner, CREATE, input={"name": "Script"})
    shown = "{ viewer { apiKeys { id name permissions administrator createdAt lastUsedAt expiresAt version } } }"
    assert made["key"] not in str(await api.ask(owner, shown))
    expired = await api.ask(owner, CREATE, input={"name": "Script", "expiresAt": "2020-01-01T00:00:00Z"})
    assert expired == {"apiKey": None, "key": None, "errors": [{"code": "BAD_USER_INPUT", "path": ["expiresAt"]}]}


async def test_all_of_ones_keys_are_deleted(api: Api, owner: Viewer, administrator: Viewer) -> None:
    secrets = [(await api.ask(owner, CREATE, input={"name": "Script"}))["key"] for _ in range(3)]
    other = (await api.ask(administrator, CREATE, input={"name": "Script"}))["key"]
    assert await api.ask(owner, DELETE_ALL) == {"count": 3, "errors": []}
    assert [await api.db.sign_in.by_key(secret) for secret in secrets] == [None] * 3
    assert await api.db.sign_in.by_key(other) is not None
    assert await api.ask(owner, DELETE_ALL) == {"count": 0, "errors": []}
    by_key = structs.replace(owner, key_id="key00001")
    assert await api.ask(by_key, DELETE_ALL) == {"count": None, "errors": [{"code": "FORBIDDEN"}]}
