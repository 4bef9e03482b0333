"""GraphQL over HTTP, as the specification of that name says, and the way into the other carriers."""

import logging
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs

import msgspec
import orjson
from graphql import OperationType
from starlette.types import Receive, Scope, Send

from schema.context import Caller, SessionCookie
from virtool_gql.errors import ErrorCode, VirtoolError
from virtool_gql.executors import run_in_thread
from virtool_gql.version import running
from virtool_gql.web.cookies import set_cookie
from virtool_gql.web.documents import Operation
from virtool_gql.web.edge import Edge
from virtool_gql.web.errors import MASKED, Refusal, RequestError, refuse, request_error
from virtool_gql.web.identity import Credential, check_cross_site, credential_of, stranger_of
from virtool_gql.web.negotiation import Form, form_of
from virtool_gql.web.operations import GraphQLRequest, decode_request, encode
from virtool_gql.web.requests import Headers, headers_of, request_id_of
from virtool_gql.web.sse import EventStream
from virtool_gql.web.websocket import Socket

log = logging.getLogger(__name__)

VERSION = running().encode()
RawHeaders = list[tuple[bytes, bytes]]


class GraphQLEndpoint:
    """The ASGI endpoint `/graphql`. `page` gives the page for a browser."""

    def __init__(self, edge: Edge, page: Callable[[], tuple[bytes, RawHeaders]]) -> None:
        self.edge = edge
        self.page = page

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await Socket(self.edge, scope, receive, send).run()
        else:
            await Exchange(self, scope, receive, send).run()


class Exchange:
    """One HTTP request and its response."""

    __slots__ = ("credential", "edge", "endpoint", "form", "headers", "receive", "request_id", "scope", "send")

    def __init__(self, endpoint: GraphQLEndpoint, scope: Scope, receive: Receive, send: Send) -> None:
        self.endpoint = endpoint
        self.edge = endpoint.edge
        self.scope = scope
        self.receive = receive
        self.send = send
        self.headers: Headers = headers_of(scope)
        self.request_id = request_id_of(self.headers)
        self.form: Form = Form.JSON
        self.credential: Credential | None = None

    async def run(self) -> None:
        try:
            await self._run()
        except RequestError as error:
            await self._refuse(error.refusal)
        except VirtoolError as error:
            await self._refuse(request_error(error).refusal)
        except Exception:
            log.exception("Request %s failed", self.request_id)
            await self._refuse(refuse(ErrorCode.INTERNAL, MASKED).refusal)

    async def _run(self) -> None:
        method = self.scope["method"]
        if method not in ("GET", "POST"):
            raise _not_allowed("Use GET or POST.", "GET, POST")
        form = form_of(self.headers.get("accept"), pages=method == "GET")
        if form is None:
            message = "Accept application/graphql-response+json, application/json or text/event-stream."
            raise refuse(ErrorCode.BAD_USER_INPUT, message, status=406)
        if form is Form.HTML:
            await self._send_page()
            return
        self.form = form
        await self._answer(method)

    async def _answer(self, method: str) -> None:
        self.credential = credential_of(self.headers)
        check_cross_site(self.headers, self.credential)
        request = await self._posted() if method == "POST" else self._queried()
        stranger = stranger_of(self.scope, self.headers, self.request_id)
        caller = await self.edge.identifier.caller(self.credential, stranger)
        try:
            operation = await self.edge.operations.prepare(request, caller)
            self._check(operation, method)
        except RequestError as error:
            if self.form is Form.EVENTS and error.refusal.well_formed:
                await self._stream_refusal(error.refusal)
                return
            raise
        await self._execute(operation, request, caller)

    def _check(self, operation: Operation, method: str) -> None:
        if method == "GET" and operation.type is OperationType.MUTATION:
            raise _not_allowed("Mutations need POST.", "POST")
        if operation.type is OperationType.SUBSCRIPTION and self.form is not Form.EVENTS:
            message = "Subscriptions need a WebSocket, or text/event-stream as the accepted answer."
            raise refuse(ErrorCode.BAD_USER_INPUT, message)

    async def _execute(self, operation: Operation, request: GraphQLRequest, caller: Caller) -> None:
        if self.form is Form.EVENTS:
            stream = EventStream(self.edge, self.send, caller, self.credential, self.request_id)
            place = self.headers.get("last-event-id")
            await stream.run(self.receive, operation, request, place or None, self._common_headers())
            return
        answer = await self.edge.operations.execute(operation, request, caller, self.request_id)
        await self._respond(200, encode(answer.result), self._cookie(answer.session_cookie, caller))

    def _cookie(self, cookie: SessionCookie | None, caller: Caller) -> RawHeaders:
        return (
            [(b"set-cookie", set_cookie(cookie, secure=caller.secure or self.edge.secure_cookies).encode())]
            if cookie
            else []
        )

    async def _posted(self) -> GraphQLRequest:
        media, _, parameters = self.headers.get("content-type", "").partition(";")
        if media.strip().lower() != "application/json":
            raise refuse(ErrorCode.BAD_USER_INPUT, "The content type must be application/json.", status=415)
        charset = parameters.partition("charset=")[2].strip(' "').lower()
        if charset not in ("", "utf-8", "utf8") or self.headers.get("content-encoding", "identity") != "identity":
            raise refuse(ErrorCode.BAD_USER_INPUT, "The body must be plain UTF-8.", status=415)
        return decode_request(await self._body())

    async def _body(self) -> bytes:
        limit = self.edge.limits.body_bytes
        length = self.headers.get("content-length", "0")
        if length.isdecimal() and int(length) > limit:
            raise _too_large(limit)
        chunks: list[bytes] = []
        received = 0
        while True:
            message = await self.receive()
            if message["type"] == "http.disconnect":
                raise refuse(ErrorCode.BAD_USER_INPUT, "The request was cut off.")
            chunks.append(message.get("body", b""))
            received += len(chunks[-1])
            if received > limit:
                raise _too_large(limit)
            if not message.get("more_body", False):
                return b"".join(chunks)

    def _queried(self) -> GraphQLRequest:
        limit = self.edge.limits.body_bytes
        if len(self.scope["query_string"]) > limit:
            raise _too_large(limit)
        given = {name: values[-1] for name, values in parse_qs(self.scope["query_string"].decode("latin-1")).items()}
        if "query" not in given:
            raise refuse(ErrorCode.BAD_USER_INPUT, "The parameter query is missing.")
        request: dict[str, Any] = {"query": given["query"], "operationName": given.get("operationName") or None}
        for name in ("variables", "extensions"):
            request[name] = _parameter(name, given.get(name))
        return msgspec.convert(request, GraphQLRequest)

    async def _refuse(self, refusal: Refusal) -> None:
        status = 200 if refusal.well_formed and self.form is Form.JSON else refusal.status
        if self.form is Form.EVENTS:
            self.form = Form.JSON
        headers = [(name.encode(), value.encode()) for name, value in refusal.headers]
        await self._respond(status, encode({"errors": refusal.formatted(self.request_id)}), headers)

    async def _stream_refusal(self, refusal: Refusal) -> None:
        body = encode({"errors": refusal.formatted(self.request_id)})
        frames = b"event: next\ndata: %b\n\nevent: complete\ndata:\n\n" % body
        await self._respond(200, frames, [])

    async def _send_page(self) -> None:
        body, headers = await run_in_thread(self.endpoint.page)
        await self._send(200, body, [*self._common_headers(), *headers])

    async def _respond(self, status: int, body: bytes, headers: RawHeaders) -> None:
        kind = f"{self.form}; charset=utf-8".encode()
        await self._send(status, body, [(b"content-type", kind), *self._common_headers(), *headers])

    async def _send(self, status: int, body: bytes, headers: RawHeaders) -> None:
        length = (b"content-length", str(len(body)).encode())
        await self.send({"type": "http.response.start", "status": status, "headers": [*headers, length]})
        await self.send({"type": "http.response.body", "body": body})

    def _common_headers(self) -> RawHeaders:
        return [
            (b"x-request-id", self.request_id.encode()),
            (b"x-virtool-version", VERSION),
            (b"cache-control", b"no-store"),
            (b"vary", b"accept, origin"),
            (b"x-content-type-options", b"nosniff"),
        ]


def _parameter(name: str, value: str | None) -> dict[str, Any] | None:
    if not value:
        return None
    try:
        decoded = orjson.loads(value)
    except orjson.JSONDecodeError:
        decoded = False
    if decoded is not None and not isinstance(decoded, dict):
        raise refuse(ErrorCode.BAD_USER_INPUT, f"The parameter {name} is not a JSON object.")
    return decoded


def _too_large(limit: int) -> RequestError:
    """Refuse, and keep the connection: to close it while the client sends would take the answer away from it."""
    return refuse(ErrorCode.PAYLOAD_TOO_LARGE, f"A request has at most {limit} bytes.")


def _not_allowed(message: str, allow: str) -> RequestError:
    return refuse(ErrorCode.BAD_USER_INPUT, message, status=405, headers=(("allow", allow),))
