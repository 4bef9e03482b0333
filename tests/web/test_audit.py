"""What the audit log knows of requests as they really come: over HTTP, sockets and uploads, many at once."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import httpx
import pytest

from resolvers.root import schema
from tests.factories.conditions import until
from tests.web.serving import PREFLIGHT, Stores, Web, listening, served
from tests.web.test_uploads import OCTETS
from virtool_gql.access import Viewer
from virtool_gql.models.audit import AuditEntry, Deed
from virtool_gql.models.users import Permission, User
from virtool_gql.query import And, Eq, Order, Page
from virtool_gql.stores.redis import connect

CREATE_GROUP = "mutation($name: String!) { createGroup(input: {name: $name}) { errors { code } } }"
UPDATE_ACCOUNT = "mutation($email: String!) { updateAccount(input: {email: $email}) { errors { code } } }"


@pytest.fixture
async def web(stores: Stores) -> AsyncIterator[Web]:
    """Serve the real schema, with the Redis client that the server has: one of many connections."""
    async with connect(stores.redis_url) as client, served(replace(stores, redis=client), on=schema) as web:
        yield web


async def entries(web: Web, **where: str) -> list[AuditEntry]:
    filter = And(*(Eq(name, value) for name, value in where.items()))
    return (await web.db.store.find(AuditEntry, filter, (Order("at"),), Page(first=None))).documents


async def test_a_request_is_told_with_its_id_and_the_key(web: Web, ada: Viewer) -> None:
    key, secret = await web.db.keys.create(ada, "Script", administrator=True)
    headers = {"authorization": f"Bearer {secret}"}
    response = await web.post(CREATE_GROUP, headers, variables={"name": "Virologists"})
    assert response.json()["data"] == {"createGroup": {"errors": []}}
    (entry,) = await entries(web)  # and none of the key's use
    assert (entry.user_id, entry.handle, entry.key_id, entry.address) == (ada.user_id, "ada", key.id, "127.0.0.1")
    assert (entry.request_id, entry.action) == (response.headers["x-request-id"], "createGroup")
    assert secret not in str(entry)


@pytest.mark.parametrize(("trusted", "address"), [("127.0.0.1", "203.0.113.9"), ("192.0.2.1", "127.0.0.1")])
async def test_a_trusted_proxy_says_whose_address_it_is(web: Web, ada: Viewer, trusted: str, address: str) -> None:
    headers = {**await web.cookie(ada), "x-forwarded-for": "203.0.113.9", "x-request-id": "proxy-17"}
    async with (
        listening(web.application, proxy_headers=True, forwarded_allow_ips=trusted) as proxied,
        httpx.AsyncClient(base_url=f"http://{proxied}", headers=headers) as client,
    ):
        await client.post("/graphql", json={"query": CREATE_GROUP, "variables": {"name": "Virologists"}})
    (entry,) = await entries(web)
    assert (entry.address, entry.request_id, entry.key_id) == (address, "proxy-17", None)


async def test_an_upload_is_told_and_so_is_its_end(web: Web) -> None:
    uploader = await web.api.viewer("uploader", Permission.UPLOAD_FILE, Permission.REMOVE_FILE)
    headers = {**await web.cookie(uploader), **OCTETS, **PREFLIGHT}
    parameters = {"name": "reads_1.fq.gz", "type": "READS"}
    async with web.client(headers) as client:
        response = await client.post("/uploads", params=parameters, content=b"reads")
        delete = "mutation($id: ID!) { deleteFile(input: {id: $id}) { errors { code } } }"
        id = response.json()["id"]
        deleted = await client.post(
            "/graphql",
            json={"query": delete, "variables": {"id": id}},
            headers={"content-type": "application/json"},
        )
        assert deleted.json()["data"] == {"deleteFile": {"errors": []}}
    told = await entries(web)
    assert [(entry.action, entry.deed, entry.fields) for entry in told] == [
        ("POST /uploads", Deed.INSERT, ()),
        ("POST /uploads", Deed.UPDATE, ("size", "ready", "uploaded_at")),
        ("deleteFile", Deed.DELETE, ()),
    ]
    assert {f"file_{entry.document_id}" for entry in told} == {id}
    assert {entry.handle for entry in told} == {"uploader"}
    assert [entry.request_id for entry in told] == [response.headers["x-request-id"]] * 2 + [
        deleted.headers["x-request-id"]
    ]


async def test_a_refused_upload_is_not_told(web: Web) -> None:
    stranger = await web.api.viewer("stranger")
    async with web.client({**await web.cookie(stranger), **OCTETS, **PREFLIGHT}) as client:
        response = await client.post("/uploads", params={"name": "a.fq", "type": "READS"}, content=b"reads")
    assert response.status_code == 403
    assert await entries(web) == []


async def test_a_socket_is_told_as_whoever_is_signed_in_on_it(web: Web, ada: Viewer) -> None:
    login = 'mutation { login(input: {handle: "ada", password: "correct horse"}) { errors { message } } }'
    async with web.socket(headers={"x-request-id": "socket-1"}) as peer:
        await peer.ask("1", login)
        assert (await peer.hear())["payload"]["data"] == {"login": {"errors": []}}
        assert (await peer.hear())["type"] == "complete"

        async def adopted() -> bool:
            await peer.ask("2", CREATE_GROUP, variables={"name": "Virologists"})
            answer = await peer.hear()
            await _rest(peer, answer)
            return bool(answer.get("payload") and not _refused(answer))

        await until(adopted)
    (signed_in,) = await entries(web, action="login")
    (created,) = await entries(web, action="createGroup")
    assert (signed_in.deed, signed_in.document_id, signed_in.collection) == (Deed.LOGIN, ada.user_id, "users")
    assert {signed_in.user_id, created.user_id} == {ada.user_id}
    assert {signed_in.request_id, created.request_id} == {"socket-1"}


def _refused(answer: dict[str, Any]) -> bool:
    return answer["type"] == "error" or "errors" in answer["payload"]


async def _rest(peer: Any, answer: dict[str, Any]) -> None:
    if answer["type"] == "next":
        await peer.hear()


async def test_a_hundred_at_once_are_told_apart(web: Web) -> None:
    viewers = [await web.api.viewer(f"user{number}") for number in range(20)]
    cookies = {viewer.handle: await web.cookie(viewer) for viewer in viewers}

    async def change(viewer: Viewer, number: int) -> None:
        headers = {**cookies[viewer.handle], "x-request-id": f"{viewer.handle}-{number}"}
        response = await client.post(
            "/graphql",
            json={"query": UPDATE_ACCOUNT, "variables": {"email": f"{viewer.handle}.{number}@example.org"}},
            headers=headers,
        )
        assert response.json().get("data") == {"updateAccount": {"errors": []}}, response.text

    async with web.client() as client:
        await asyncio.gather(*(change(viewer, number) for viewer in viewers for number in range(5)))
    told = await entries(web, action="updateAccount")
    assert len(told) == len({entry.request_id for entry in told}) == 100
    for entry in told:
        assert entry.request_id.partition("-")[0] == entry.handle
        assert entry.user_id == entry.document_id
        user = await web.db.store.get(User, entry.document_id)
        assert user is not None
        assert user.handle == entry.handle
