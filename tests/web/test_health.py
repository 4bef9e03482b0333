"""Health: asked by machines, without signing in."""

import asyncio
import contextlib
import socket

from redis.asyncio import Redis

from tests.web.serving import Web
from virtool_gql.web.health import Health


async def test_a_server_with_its_stores_is_alive_and_ready(web: Web) -> None:
    async with web.client() as client:
        assert (await client.get("/health/live")).json() == {"alive": True}
        response = await client.get("/health/ready")
        assert (response.status_code, response.json()) == (200, {"ready": True, "store": True, "redis": True})
        nowhere, refused = await client.get("/health/other"), await client.post("/health/live")
    assert (nowhere.status_code, nowhere.json()["code"], nowhere.json()["message"]) == (
        404,
        "NOT_FOUND",
        "There is nothing at this address. The API is at /graphql.",
    )
    assert (refused.status_code, refused.json()["message"]) == (405, "This address takes GET and HEAD.")


async def test_a_server_without_redis_is_not_ready(web: Web) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        lost = Redis(port=nobody.getsockname()[1])
        health = Health(web.db.store, lost)
        async with asyncio.timeout(10):
            response = await health.ready(None)  # type: ignore[arg-type]  # the request is not looked at
        assert response.status_code == 503
        assert b'"redis":false' in response.body
        with contextlib.suppress(Exception):
            await lost.aclose()
