"""GraphQL over WebSocket: the protocol graphql-transport-ws."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import replace
from typing import Any

import orjson
from graphql import OperationType
from starlette.types import Message, Receive, Scope, Send

from schema.context import SessionCookie
from virtool_gql.errors import ErrorCode, VirtoolError
from virtool_gql.web.cohorts import Cohort, Event, too_slow
from virtool_gql.web.edge import Edge
from virtool_gql.web.errors import MASKED, RequestError, refuse, request_error
from virtool_gql.web.identity import (
    Credential,
    SessionToken,
    credential_of,
    key_of,
    stranger_of,
    unauthenticated,
)
from virtool_gql.web.messages import ClientMessage, Close, ClosingError, bad_message, decode_message, request_of
from virtool_gql.web.operations import GraphQLRequest, encode
from virtool_gql.web.outgoing import Outgoing
from virtool_gql.web.requests import Headers, headers_of, is_known_origin, request_id_of

log = logging.getLogger(__name__)

SUBPROTOCOL = "graphql-transport-ws"
LONGEST_REASON = 120
FLUSH_SECONDS = 5.0


class SocketSubscription:
    """One subscription on a socket."""

    __slots__ = ("cohort", "id", "place", "prefix", "socket")

    def __init__(self, socket: "Socket", id: str) -> None:
        self.socket = socket
        self.id = id
        self.prefix = f'{{"id":{orjson.dumps(id).decode()},"type":"next","payload":'
        self.place: str | None = None
        self.cohort: Cohort | None = None

    @property
    def outgoing(self) -> Outgoing:
        return self.socket.outgoing

    def next(self, event: Event) -> None:
        text = f"{self.prefix}{event.text}}}"
        if self.socket.outgoing.offer({"type": "websocket.send", "text": text}, len(text)):
            self.place = event.place
        else:
            self._end_slow()

    def end(self, errors: list[dict[str, Any]] | None) -> None:
        if self.socket.active.pop(self.id, None) is self:
            self.socket.tell_end(self.id, errors)

    def stop(self) -> None:
        if self.cohort is not None:
            self.cohort.leave(self)

    def _end_slow(self) -> None:
        self.end(too_slow(self.place, self.socket.request_id))
        self.stop()


class SocketOperation:
    """One query or mutation on a socket."""

    __slots__ = ("task",)

    def __init__(self, task: asyncio.Task[None]) -> None:
        self.task = task

    def stop(self) -> None:
        self.task.cancel()


class Socket:
    """One WebSocket, from the handshake to its end."""

    kind = "socket"

    def __init__(self, edge: Edge, scope: Scope, receive: Receive, send: Send) -> None:
        self.edge = edge
        self.scope = scope
        self.receive = receive
        self.send = send
        self.headers: Headers = headers_of(scope)
        self.request_id = request_id_of(self.headers)
        self.outgoing = Outgoing(send, edge.limits)
        self.active: dict[str, SocketSubscription | SocketOperation] = {}
        self.caller = stranger_of(scope, self.headers, self.request_id)
        self.credential: Credential | None = None
        self.acknowledged = False
        self.closing = False

    async def run(self) -> None:
        if not await self._opened():
            return
        timeout = asyncio.get_running_loop().call_later(self.edge.limits.init_seconds, self._init_is_late)
        try:
            await self._read()
        except ClosingError as closing:
            await self._close(closing.code, closing.reason)
        except Exception:
            log.exception("Socket %s failed", self.request_id)
            await self._close(Close.INTERNAL, MASKED)
        finally:
            timeout.cancel()
            self._end()

    async def _opened(self) -> bool:
        if (await self.receive())["type"] != "websocket.connect":
            return False
        if not self._origin_is_good():
            await self.send({"type": "websocket.close", "code": Close.FORBIDDEN})
            return False
        if SUBPROTOCOL in self.scope["subprotocols"]:
            await self.send({"type": "websocket.accept", "subprotocol": SUBPROTOCOL})
            return True
        await self.send({"type": "websocket.accept"})
        await self._close(Close.SUBPROTOCOL, "Subprotocol not acceptable")
        return False

    def _origin_is_good(self) -> bool:
        """Refuse a page of another site whose browser sends our cookie along."""
        try:
            with_cookie = isinstance(credential_of(self.headers), SessionToken)
        except RequestError:
            return True
        return not with_cookie or is_known_origin(self.headers, self.edge.origins)

    async def _read(self) -> None:
        while True:
            message = await self.receive()
            if message["type"] == "websocket.disconnect":
                return
            if not self.closing:
                await self._take(self._decoded(message))
                await self.outgoing.room()

    def _decoded(self, message: Message) -> ClientMessage:
        text = message.get("text")
        if text is None:
            raise ClosingError(Close.BAD_MESSAGE, "Messages are text")
        if len(text) > self.edge.limits.frame_bytes or len(text.encode()) > self.edge.limits.frame_bytes:
            raise ClosingError(Close.TOO_LARGE, f"A message has at most {self.edge.limits.frame_bytes} bytes")
        return decode_message(text)

    async def _take(self, message: ClientMessage) -> None:
        match message.type:
            case "connection_init":
                await self._initialise(message.payload or {})
            case "ping":
                self._tell(
                    {"type": "pong"} if message.payload is None else {"type": "pong", "payload": message.payload}
                )
            case "pong":
                pass
            case "subscribe":
                await self._begin(message)
            case "complete" if message.id is not None:
                self._stop(message.id)
            case _:
                raise bad_message()

    async def _initialise(self, payload: dict[str, Any]) -> None:
        if self.acknowledged:
            raise ClosingError(Close.TOO_MANY, "Too many initialisation requests")
        try:
            await self._identify(payload)
            self.edge.presence.enter(self, self.edge.limits.sockets_per_user)
        except RequestError as error:
            reason = error.refusal.messages[0][0]
            code = Close.TOO_MANY if error.refusal.code is ErrorCode.RATE_LIMITED else Close.FORBIDDEN
            raise ClosingError(code, reason) from error
        self.acknowledged = True
        self._tell({"type": "connection_ack"})

    async def _identify(self, payload: dict[str, Any]) -> None:
        given = payload.get("Authorization", payload.get("authorization"))
        credential = key_of(given) if isinstance(given, str) else credential_of(self.headers)
        try:
            self.caller = await self.edge.identifier.caller(credential, self.caller)
        except VirtoolError as error:
            raise ClosingError(Close.INTERNAL, error.message) from error
        self.credential = credential if self.caller.viewer else None

    async def _begin(self, message: ClientMessage) -> None:
        if not self.acknowledged:
            raise ClosingError(Close.UNAUTHORIZED, "Unauthorized")
        if not message.id or message.payload is None:
            raise bad_message()
        if message.id in self.active:
            raise ClosingError(Close.DUPLICATE_ID, f"Subscriber for {message.id} already exists")
        try:
            await self._start(message.id, request_of(message.payload))
        except RequestError as error:
            self.tell_end(message.id, error.refusal.formatted(self.request_id))

    async def _start(self, id: str, request: GraphQLRequest) -> None:
        limit = self.edge.limits.subscriptions_per_socket
        if len(self.active) >= limit:
            raise refuse(ErrorCode.RATE_LIMITED, f"{limit} operations run on this socket already.")
        operation = await self.edge.operations.prepare(request, self.caller)
        if operation.type is OperationType.SUBSCRIPTION:
            subscription = SocketSubscription(self, id)
            subscription.cohort = self.edge.cohorts.join(operation, request, self.caller, subscription, self.request_id)
            self.active[id] = subscription
        else:
            answer = self._answer(id, lambda: self._execute(id, operation, request))
            self.active[id] = SocketOperation(asyncio.get_running_loop().create_task(answer))

    async def _execute(self, id: str, operation: Any, request: GraphQLRequest) -> None:
        caller = replace(self.caller)  # a login changes it, and the socket follows only when all is done
        answer = await self.edge.operations.execute(operation, request, caller, self.request_id)
        if answer.session_cookie is None and caller.viewer != self.caller.viewer:
            with suppress(VirtoolError):  # else the next look at all connections does it
                await self.edge.presence.recheck(self)
        await self.outgoing.room()
        payload = encode(answer.result).decode()
        self._send_text(f'{{"id":{orjson.dumps(id).decode()},"type":"next","payload":{payload}}}')
        self.active.pop(id, None)
        self.tell_end(id, None)
        if answer.session_cookie is not None:
            await self._adopt(answer.session_cookie)

    async def _answer(self, id: str, execute: Callable[[], Awaitable[None]]) -> None:
        try:
            await execute()
        except (RequestError, VirtoolError) as error:
            refusal = (error if isinstance(error, RequestError) else request_error(error)).refusal
            self.active.pop(id, None)
            self.tell_end(id, refusal.formatted(self.request_id))

    async def _adopt(self, cookie: SessionCookie) -> None:
        """Sign this socket in or out: it cannot be given the cookie itself. What ran for whoever was here ends."""
        if cookie.token is None:
            self.revoke()
            return
        self._end_subscriptions()
        self.edge.presence.leave(self)
        self.credential = SessionToken(cookie.token)
        try:
            stranger = stranger_of(self.scope, self.headers, self.request_id)
            self.caller = await self.edge.identifier.caller(self.credential, stranger)
            self.edge.presence.enter(self, self.edge.limits.sockets_per_user)
        except RequestError as error:
            self._close_soon(Close.TOO_MANY, error.refusal.messages[0][0])
        except VirtoolError as error:
            self._close_soon(Close.INTERNAL, error.message)

    def _end_subscriptions(self) -> None:
        error = unauthenticated("Somebody signed in on this socket; subscribe again.")
        for active in tuple(self.active.values()):
            if isinstance(active, SocketSubscription):
                active.end(error.refusal.formatted(self.request_id))
                active.stop()

    def _stop(self, id: str) -> None:
        active = self.active.pop(id, None)
        if active is not None:
            active.stop()

    def tell_end(self, id: str, errors: list[dict[str, Any]] | None) -> None:
        """Tell the client that an operation is over, and why if it failed."""
        if errors:
            self._tell({"id": id, "type": "error", "payload": errors})
        else:
            self._tell({"id": id, "type": "complete"})

    def _tell(self, message: dict[str, Any]) -> None:
        self._send_text(encode(message).decode())

    def _send_text(self, text: str) -> None:
        self.outgoing.put({"type": "websocket.send", "text": text}, len(text))

    def revoke(self) -> None:
        """Close at once: what waits to be sent is for somebody who may not be here any more."""
        self._close_soon(Close.FORBIDDEN, "Signed out")

    def hang_up(self) -> None:
        """Wait: the HTTP server closes its sockets by itself when it ends."""

    def _init_is_late(self) -> None:
        if not self.acknowledged:
            self._close_soon(Close.INIT_TIMEOUT, "Connection initialisation timeout")

    def _close_soon(self, code: Close, reason: str) -> None:
        if not self.closing:
            self.closing = True
            self._stop_all()
            self.outgoing.drop()
            self.outgoing.put({"type": "websocket.close", "code": int(code), "reason": _short(reason)})

    async def _close(self, code: Close, reason: str) -> None:
        if self.closing:
            return
        self.closing = True
        self._stop_all()
        self.outgoing.put({"type": "websocket.close", "code": int(code), "reason": _short(reason)})
        try:
            async with asyncio.timeout(FLUSH_SECONDS):
                await self.outgoing.flushed()
        except TimeoutError:
            log.info("Socket %s does not take its end", self.request_id)

    def _stop_all(self) -> None:
        for active in tuple(self.active.values()):
            active.stop()
        self.active.clear()

    def _end(self) -> None:
        self.edge.presence.leave(self)
        self._stop_all()
        self.outgoing.stop()


def _short(reason: str) -> str:
    """Cut a reason to what a close frame can hold."""
    return reason.encode()[:LONGEST_REASON].decode(errors="ignore")
