"""The hand-written peers: the least that a careful programmer would write for the one request that is measured."""

import asyncio
import hashlib
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import orjson
import uvicorn
from redis.asyncio import Redis
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from websockets.asyncio.server import ServerConnection, broadcast, serve

SAMPLES = """
SELECT doc::text FROM documents.samples ORDER BY (doc->>'created_at') COLLATE "C" DESC NULLS LAST, id DESC LIMIT 26
"""
FIELDS = {
    "name": "name",
    "host": "host",
    "isolate": "isolate",
    "locale": "locale",
    "notes": "notes",
    "paired": "paired",
    "ready": "ready",
    "createdAt": "created_at",
    "updatedAt": "updated_at",
}


async def samples(request: Request) -> Response:
    """Answer a page of samples with their users and jobs: a session look-up and three statements."""
    redis: Redis = request.state.redis
    pool: asyncpg.Pool = request.state.pool
    token = request.cookies["virtool_session"]
    if await redis.hget(f"session:{hashlib.sha256(token.encode()).hexdigest()}", "session") is None:
        return Response(status_code=401)
    async with pool.acquire() as connection:
        page = [orjson.loads(row[0]) for row in await connection.fetch(SAMPLES)]
        users = await _by_id(connection, "users", {sample["user_id"] for sample in page})
        jobs = await _by_id(connection, "jobs", {sample["job_id"] for sample in page})
    nodes = [_node(sample, users, jobs) for sample in page[:25]]
    body = orjson.dumps({"data": {"samples": {"nodes": nodes, "pageInfo": {"hasNextPage": len(page) == 26}}}})
    return Response(body, media_type="application/json")


def _node(sample: dict[str, Any], users: dict[str, Any], jobs: dict[str, Any]) -> dict[str, Any]:
    job = jobs[sample["job_id"]]
    return {
        "id": f"sample_{sample['id']}",
        **{name: sample[field] for name, field in FIELDS.items()},
        "user": {"handle": users[sample["user_id"]]["handle"]},
        "job": {"state": job["state"].upper(), "progress": job["progress"]},
    }


async def _by_id(connection: Any, table: str, ids: set[str]) -> dict[str, Any]:
    rows = await connection.fetch(f"SELECT id, doc::text FROM documents.{table} WHERE id = ANY($1)", list(ids))  # noqa: S608 the two tables above
    return {row[0]: orjson.loads(row[1]) for row in rows}


@asynccontextmanager
async def lifespan(_: Starlette) -> AsyncIterator[dict[str, Any]]:
    async with (
        asyncpg.create_pool(os.environ["PEER_POSTGRES"]) as pool,
        Redis.from_url(os.environ["PEER_REDIS"]) as redis,
    ):
        yield {"pool": pool, "redis": redis}


async def broadcaster(port: int) -> None:
    """Accept sockets, and send what one of them says to all the others."""
    sockets: set[ServerConnection] = set()

    async def handle(socket: ServerConnection) -> None:
        sockets.add(socket)
        try:
            async for message in socket:
                broadcast(sockets - {socket}, message)
        finally:
            sockets.discard(socket)

    async with serve(handle, "127.0.0.1", port, compression=None):
        await asyncio.get_running_loop().create_future()


if __name__ == "__main__":
    kind, port = sys.argv[1], int(sys.argv[2])
    if kind == "query":
        app = Starlette(routes=[Route("/samples", samples, methods=["POST"])], lifespan=lifespan)
        uvicorn.run(app, port=port, log_level="warning", access_log=False)
    else:
        import uvloop

        uvloop.run(broadcaster(port))
