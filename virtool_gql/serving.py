"""The HTTP server process: uvicorn, with sentences for what can go wrong at its start and an orderly end."""

import asyncio
import logging
import signal
import socket
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager

import uvicorn
import uvloop
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from virtool_gql.config import Config
from virtool_gql.errors import ConfigError, VirtoolError

GRACE_SECONDS = 10
BACKLOG = 2048
ON_SHUTDOWN = "on_shutdown"
"""Under this name the application's lifespan state holds what to call before connections are waited for."""
TOLD_OTHERWISE = ("Application startup failed. Exiting.", "Application shutdown failed. Exiting.")


HEAD_BYTES = 64 * 1024
HEAD_TOO_LARGE = b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"


class HttpProtocol(HttpToolsProtocol):
    """uvicorn's HTTP, with an end to how long the head of a request may be: copying it takes quadratic time."""

    head_bytes: int | None = None

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.head_bytes = 0

    def on_headers_complete(self) -> None:
        super().on_headers_complete()
        self.head_bytes = None

    def data_received(self, data: bytes) -> None:
        if self.transport.is_closing():
            return
        super().data_received(data)
        if self.head_bytes is not None:
            self.head_bytes += len(data)
            if self.head_bytes > HEAD_BYTES:
                self.transport.write(HEAD_TOO_LARGE)
                self.transport.close()


class StartError(Exception):
    """The application could not start; the reason is the cause."""


class LifespanGuard:
    """The application, whose errors at start and end are kept instead of printed as tracebacks."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.error: Exception | None = None
        logging.getLogger("uvicorn.error").addFilter(lambda record: record.getMessage() not in TOLD_OTHERWISE)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._lifespan(scope, receive, send)
        else:
            await self.app(scope, receive, send)

    async def _lifespan(self, scope: Scope, receive: Receive, send: Send) -> None:
        stage = "startup"

        async def send_success(message: Message) -> None:
            nonlocal stage
            if message["type"].endswith(".complete"):
                stage = "shutdown"
                await send(message)

        try:
            await self.app(scope, receive, send_success)
        except Exception as error:  # noqa: BLE001 - whatever it is, `run` reports it
            self.error = sole_cause(error)
            await send({"type": f"lifespan.{stage}.failed", "message": ""})


class Server(uvicorn.Server):
    """A server that tells when it is ready, and ends as asked for: not by the signal, but in order and with success."""

    def __init__(self, config: uvicorn.Config, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self.ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        self.ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self.lifespan.state.get(ON_SHUTDOWN, lambda: None)()
        await super().shutdown(sockets=sockets)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        names = (signal.SIGINT, signal.SIGTERM)
        handlers = {name: signal.signal(name, self.handle_exit) for name in names}
        try:
            yield
        finally:
            for name, handler in handlers.items():
                signal.signal(name, handler)


def listen(config: Config) -> socket.socket:
    """Take the port before anything else is started; port 0 takes any that is free."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            config.host, config.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, kind, protocol)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(BACKLOG)
    except OSError as error:
        raise ConfigError(
            f"Cannot listen on {config.host} port {config.port} ({error.strerror}); "
            "choose another address with --host or another port with --port."
        ) from error
    return listener


def run(app: ASGIApp, config: Config, listener: socket.socket, ready: Callable[[], None]) -> None:
    """Serve until SIGINT or SIGTERM; raise what kept the application from starting or ending well."""
    guard = LifespanGuard(app)
    server = Server(_uvicorn_config(guard, config), ready)
    try:
        server.run(sockets=[listener])
    except SystemExit:
        if guard.error is None:
            raise
    if isinstance(guard.error, VirtoolError):
        raise guard.error
    if guard.error is not None:
        raise StartError("The server did not start or end well.") from guard.error


def _uvicorn_config(app: ASGIApp, config: Config) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        loop="uvloop",
        http=HttpProtocol,
        ws="websockets-sansio",
        ws_per_message_deflate=False,
        ws_max_size=config.limits.frame_bytes,
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=bool(config.trusted_proxies),
        forwarded_allow_ips=list(config.trusted_proxies),
        timeout_graceful_shutdown=GRACE_SECONDS,
    )


def sole_cause(error: Exception) -> Exception:
    """Give the one error that a group of tasks failed with, or the group."""
    while isinstance(error, ExceptionGroup) and len(error.exceptions) == 1:
        error = error.exceptions[0]
    return error


def run_until_signal(work: Callable[[asyncio.Event], Coroutine[None, None, None]]) -> None:
    """Run work that ends in order when its event is set, which SIGINT and SIGTERM do."""

    async def watched() -> None:
        stopped = asyncio.Event()
        for name in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(name, stopped.set)
        await work(stopped)

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(watched())
