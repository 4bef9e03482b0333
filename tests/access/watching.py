"""Clients of our own that watch: over WebSocket and over server-sent events."""

import asyncio
import json
from collections import defaultdict
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from tests.access.world import Person, World
from tests.factories.conditions import until
from virtool_gql.cancellation import cancelled
from virtool_gql.web.websocket import SUBPROTOCOL


@dataclass
class Watch:
    """What somebody has heard, by the names of what they asked for."""

    person: Person
    heard: defaultdict[str, list[dict[str, Any]]] = field(default_factory=lambda: defaultdict(list))
    refused: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    completed: set[str] = field(default_factory=set)
    over: bool = False

    def ids(self, name: str, mark: int = 0) -> list[str]:
        """Give the ids that were told of, in order, from a place on."""
        return [id for value in self.heard[name][mark:] for id in value.get("ids", ())]

    def of(self, name: str, id: str, mark: int = 0) -> list[str]:
        """Give the operations that were told of one document, from a place on."""
        return [value["operation"] for value in self.heard[name][mark:] if id in value["ids"]]

    def take(self, name: str, payload: dict[str, Any]) -> None:
        self.person.check(json.dumps(payload))
        if payload.get("errors"):
            self.refused[name] = payload["errors"]
        if payload.get("data"):
            self.heard[name] += payload["data"].values()

    async def hears(self, name: str, id: str, seconds: float = 10) -> None:
        await until(lambda: id in self.ids(name), seconds=seconds)


@asynccontextmanager
async def socket_watch(world: World, person: Person, queries: Mapping[str, str]) -> AsyncIterator[Watch]:
    """Watch over one WebSocket."""
    headers = {**person.headers, "origin": world.url}
    address = world.url.replace("http", "ws", 1) + "/graphql"
    protocols: Any = [SUBPROTOCOL]
    async with connect(address, subprotocols=protocols, additional_headers=headers, compression=None) as socket:
        await socket.send(json.dumps({"type": "connection_init"}))
        assert json.loads(await socket.recv())["type"] == "connection_ack"
        for name, query in queries.items():
            await socket.send(json.dumps({"id": name, "type": "subscribe", "payload": {"query": query}}))
        watch = Watch(person)
        reading = asyncio.create_task(_read_socket(socket, watch))
        try:
            yield watch
        finally:
            await cancelled(reading)


async def _read_socket(socket: ClientConnection, watch: Watch) -> None:
    try:
        async for text in socket:
            message = json.loads(text)
            if message["type"] == "next":
                watch.take(message["id"], message["payload"])
            elif message["type"] == "error":
                watch.refused[message["id"]] = message["payload"]
            elif message["type"] == "complete":
                watch.completed.add(message["id"])
    except ConnectionClosed:
        pass
    watch.over = True


@asynccontextmanager
async def stream_watch(world: World, person: Person, queries: Mapping[str, str]) -> AsyncIterator[Watch]:
    """Watch over event streams, one for each query."""
    watch, headers = Watch(person), {**person.headers, "accept": "text/event-stream"}
    async with AsyncExitStack() as stack:
        client = await stack.enter_async_context(httpx.AsyncClient(base_url=world.url, timeout=60))
        tasks = []
        for name, query in queries.items():
            asked = client.stream("POST", "/graphql", json={"query": query}, headers=headers)
            response = await stack.enter_async_context(asked)
            tasks.append(asyncio.create_task(_read_stream(response, name, watch)))
        try:
            yield watch
        finally:
            await cancelled(*tasks)


async def _read_stream(response: httpx.Response, name: str, watch: Watch) -> None:
    if not response.headers["content-type"].startswith("text/event-stream"):
        watch.take(name, json.loads(await response.aread()))
        return
    async for line in response.aiter_lines():
        kind, _, value = line.partition(": ")
        if (kind, value) == ("event", "complete"):
            watch.completed.add(name)
        if kind == "data" and value:
            watch.take(name, json.loads(value))
    watch.over = True


WATCHES = {"WebSocket": socket_watch, "event stream": stream_watch}
