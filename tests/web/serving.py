"""The application on a real port, with real stores behind it."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import orjson
import strawberry
import uvicorn
from redis.asyncio import Redis
from starlette.types import ASGIApp
from websockets.asyncio.client import ClientConnection, connect

from tests.factories.api import Api
from tests.factories.conditions import until
from tests.factories.database import LIMITS, SteppingClock
from tests.web.probe import probe
from virtool_gql.access import Viewer
from virtool_gql.app import Application
from virtool_gql.config import Config
from virtool_gql.db.database import Database
from virtool_gql.events import Hub, Relay
from virtool_gql.files import Places
from virtool_gql.limits import Limits
from virtool_gql.models.documents import Clock
from virtool_gql.models.users import User
from virtool_gql.stores.postgres import PostgresStore
from virtool_gql.web.cookies import NAME
from virtool_gql.web.edge import Edge
from virtool_gql.web.http import GraphQLEndpoint
from virtool_gql.web.websocket import SUBPROTOCOL

DEADLINE_SECONDS = 10.0
PREFLIGHT = {"x-graphql-preflight": "1"}


@dataclass
class Web:
    """A served application, and those who ask it."""

    application: Application
    api: Api
    address: str
    redis: Redis

    @property
    def edge(self) -> Edge:
        assert isinstance(self.application.graphql, GraphQLEndpoint)
        return self.application.graphql.edge

    @property
    def db(self) -> Database:
        return self.api.db

    @property
    def url(self) -> str:
        return f"http://{self.address}"

    async def token(self, viewer: Viewer) -> str:
        user = await self.db.store.get(User, viewer.user_id)
        assert user is not None
        return await self.db.sign_in.start_session(user, remember=False, address="192.0.2.1")

    async def cookie(self, viewer: Viewer) -> dict[str, str]:
        return {"cookie": f"{NAME}={await self.token(viewer)}"}

    async def key(self, viewer: Viewer) -> dict[str, str]:
        _, secret = await self.db.keys.create(viewer, "A key", viewer.permissions)
        return {"authorization": f"Bearer {secret}"}

    def client(self, headers: dict[str, str] | None = None) -> httpx.AsyncClient:
        return httpx.AsyncClient(base_url=self.url, headers=headers, timeout=30)

    async def post(self, query: str, headers: dict[str, str] | None = None, **more: Any) -> httpx.Response:
        async with self.client() as client:
            return await client.post("/graphql", json={"query": query, **more}, headers=headers)

    def connected(self, headers: dict[str, str] | None = None, **more: Any) -> connect:
        given: dict[str, Any] = {"subprotocols": [SUBPROTOCOL], "compression": None, "max_size": None, **more}
        headers = {"origin": self.url, **(headers or {})}
        return connect(f"ws://{self.address}/graphql", additional_headers=headers, **given)

    @asynccontextmanager
    async def socket(
        self, headers: dict[str, str] | None = None, payload: dict[str, Any] | None = None, **more: Any
    ) -> AsyncIterator["Peer"]:
        """Give a socket that is acknowledged."""
        async with self.connected(headers, **more) as connection:
            peer = Peer(connection)
            await peer.tell(type="connection_init", payload=payload)
            assert await peer.hear() == {"type": "connection_ack"}
            yield peer


@dataclass
class Peer:
    """The client's end of a socket."""

    connection: ClientConnection

    async def tell(self, **message: Any) -> None:
        await self.connection.send(orjson.dumps(message).decode())

    async def ask(self, id: str, query: str, **more: Any) -> None:
        await self.tell(id=id, type="subscribe", payload={"query": query, **more})

    async def hear(self) -> dict[str, Any]:
        async with asyncio.timeout(DEADLINE_SECONDS):
            message = await self.connection.recv()
        assert isinstance(message, str), "clients refuse binary frames"
        return dict(orjson.loads(message))

    async def closed(self) -> tuple[int | None, str | None]:
        """Wait for the end; give its code and reason."""
        async with asyncio.timeout(DEADLINE_SECONDS):
            await self.connection.wait_closed()
        return self.connection.close_code, self.connection.close_reason


@asynccontextmanager
async def listening(app: ASGIApp, **settings: Any) -> AsyncIterator[str]:
    """Serve the application as `virtool-gql serve` does; give the address."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        config = uvicorn.Config(
            app,
            http="httptools",
            ws="websockets-sansio",
            ws_per_message_deflate=False,
            lifespan="off",
            log_config=None,
            access_log=False,
            timeout_graceful_shutdown=1,
            **settings,
        )
        server = uvicorn.Server(config)
        task = asyncio.create_task(server.serve(sockets=[listener]))
        await until(lambda: server.started)
        host, port = listener.getsockname()
        try:
            yield f"{host}:{port}"
        finally:
            server.should_exit = True
            await task


@dataclass
class Stores:
    """The real stores of one test."""

    postgres_url: str
    redis_url: str
    redis: Redis
    folder: Path

    @asynccontextmanager
    async def opened(self, clock: Clock) -> AsyncIterator[Database]:
        relays: list[Relay] = []
        places = Places(self.folder)
        places.create()

        def wake() -> None:
            relays[0].wake()

        async with PostgresStore.open(self.postgres_url, clock=clock, on_announced=wake) as store:
            relays.append(Relay(self.redis, [store]))
            hub = Hub(self.redis_url)
            async with relays[0].running(), hub.running():
                yield Database(store, self.redis, hub, places, job_limits=LIMITS, clock=clock, bcrypt_rounds=4)


@asynccontextmanager
async def served(
    stores: Stores,
    *,
    on: strawberry.Schema = probe,
    origins: tuple[str, ...] = (),
    **limits: Any,
) -> AsyncIterator[Web]:
    """Serve a schema from a database; the limits are as given."""
    config = Config(data_path=stores.folder, allowed_origins=origins, limits=Limits(**limits))
    clock = SteppingClock()
    async with stores.opened(clock) as db:
        application = Application(config, on)
        async with application.serving(db, stores.redis), listening(application) as address:
            yield Web(application, Api(db, clock), address, stores.redis)


async def lines_of(response: httpx.Response) -> AsyncIterator[str]:
    with contextlib.suppress(httpx.StreamClosed):
        async for line in response.aiter_lines():
            yield line
