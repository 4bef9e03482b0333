"""The endpoints that carry bytes instead of GraphQL: who asks, and how their errors look."""

import logging
from http import HTTPStatus

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from schema.context import Caller
from virtool_gql.access import Viewer
from virtool_gql.errors import ErrorCode, Unauthenticated, VirtoolError
from virtool_gql.version import running
from virtool_gql.web.errors import MASKED, STATUSES, RequestError, plain_error
from virtool_gql.web.identity import Identifier, credential_of, stranger_of
from virtool_gql.web.requests import headers_of, request_id_of

log = logging.getLogger(__name__)

VERSION = running().encode()

NOTHING_HERE = "There is nothing at this address. The API is at /graphql."
CODES = {404: ErrorCode.NOT_FOUND, 500: ErrorCode.INTERNAL}


class Stamped:
    """Puts the request's id and our version on each response."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request_id = request_id_of(headers_of(scope))
        scope["request_id"] = request_id
        stamps = [
            (b"x-request-id", request_id.encode()),
            (b"x-virtool-version", VERSION),
            (b"x-content-type-options", b"nosniff"),
        ]

        async def stamped(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()), *stamps]
            await send(message)

        await self.app(scope, receive, stamped)


async def caller_of(request: Request, identifier: Identifier) -> Caller:
    """Give whoever sent a request."""
    scope = request.scope
    headers = headers_of(scope)
    stranger = stranger_of(scope, headers, scope.get("request_id", ""))
    return await identifier.caller(credential_of(headers), stranger)


async def signed_in_of(request: Request, identifier: Identifier) -> tuple[Caller, Viewer]:
    """Give whoever sent a request, and the viewer that they are; raise when nobody is signed in."""
    caller = await caller_of(request, identifier)
    if caller.viewer is None:
        raise Unauthenticated
    return caller, caller.viewer


async def viewer_of(request: Request, identifier: Identifier) -> Viewer:
    """Give the viewer of a request; raise when nobody is signed in."""
    return (await signed_in_of(request, identifier))[1]


def refused(request: Request, status: int, code: str, message: str, headers: dict[str, str] | None = None) -> Response:
    body = plain_error(code, message, request.scope.get("request_id", ""))
    return Response(body, status, headers, media_type="application/json")


async def on_virtool_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, VirtoolError)  # noqa: S101  # Starlette's signature is wider than what it sends here
    return refused(request, STATUSES[error.code], error.code, error.message)


async def on_request_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestError)  # noqa: S101  # as above
    refusal = error.refusal
    return refused(request, refusal.status, refusal.code, refusal.messages[0][0], dict(refusal.headers))


async def on_http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101  # as above
    code = CODES.get(error.status_code, ErrorCode.BAD_USER_INPUT)
    headers = dict(error.headers) if error.headers else None
    return refused(request, error.status_code, code, _sentence(error), headers)


def _sentence(error: HTTPException) -> str:
    methods = (error.headers or {}).get("Allow")
    if methods is not None:
        return f"This address takes {' and '.join(sorted(methods.split(', ')))}."
    return NOTHING_HERE if error.status_code == HTTPStatus.NOT_FOUND else f"{error.detail}."


async def on_other_error(request: Request, error: Exception) -> Response:
    log.error("Request %s failed", request.scope.get("request_id", ""), exc_info=error)
    return refused(request, 500, ErrorCode.INTERNAL, MASKED)


EXCEPTION_HANDLERS = {
    VirtoolError: on_virtool_error,
    RequestError: on_request_error,
    HTTPException: on_http_error,
    Exception: on_other_error,
}
