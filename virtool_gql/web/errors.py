"""How errors leave the server: with a code and the request's id, and without anything of our insides."""

import logging
import re
from collections.abc import Iterable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import orjson
from graphql import GraphQLError

from virtool_gql.errors import ErrorCode, QueryTooComplex, SlowConsumer, VirtoolError

log = logging.getLogger(__name__)

MASKED = "Internal error."
ECHO = re.compile(r"(?:, found: |(?P<kept>\bfound (?:Block)?String|a non string value)[: ]).*", re.DOTALL)
"""Where a message of graphql-core repeats a value that the client sent, which may be a password."""

STATUSES = {
    ErrorCode.BAD_USER_INPUT: HTTPStatus.BAD_REQUEST,
    ErrorCode.NOT_FOUND: HTTPStatus.NOT_FOUND,
    ErrorCode.CONFLICT: HTTPStatus.CONFLICT,
    ErrorCode.FORBIDDEN: HTTPStatus.FORBIDDEN,
    ErrorCode.UNAUTHENTICATED: HTTPStatus.UNAUTHORIZED,
    ErrorCode.UPSTREAM_UNAVAILABLE: HTTPStatus.SERVICE_UNAVAILABLE,
    ErrorCode.GRAPHQL_PARSE_FAILED: HTTPStatus.BAD_REQUEST,
    ErrorCode.GRAPHQL_VALIDATION_FAILED: HTTPStatus.BAD_REQUEST,
    ErrorCode.QUERY_TOO_COMPLEX: HTTPStatus.BAD_REQUEST,
    ErrorCode.RATE_LIMITED: HTTPStatus.TOO_MANY_REQUESTS,
    ErrorCode.TIMEOUT: HTTPStatus.GATEWAY_TIMEOUT,
    ErrorCode.PAYLOAD_TOO_LARGE: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    ErrorCode.CURSOR_EXPIRED: HTTPStatus.GONE,
    ErrorCode.SLOW_CONSUMER: HTTPStatus.SERVICE_UNAVAILABLE,
    ErrorCode.INTERNAL: HTTPStatus.INTERNAL_SERVER_ERROR,
}


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a request ends before a resolver runs: what is told, and the HTTP status it is told with.

    `well_formed` marks a GraphQL request that could be read: for `application/json` it is answered with 200.
    """

    code: ErrorCode
    messages: tuple[tuple[str, tuple[tuple[int, int], ...]], ...]
    status: int
    well_formed: bool = False
    headers: tuple[tuple[str, str], ...] = ()

    def formatted(self, request_id: str) -> list[dict[str, Any]]:
        return [self._formatted(message, locations, request_id) for message, locations in self.messages]

    def _formatted(self, message: str, locations: tuple[tuple[int, int], ...], request_id: str) -> dict[str, Any]:
        formatted: dict[str, Any] = {"message": message}
        if locations:
            formatted["locations"] = [{"line": line, "column": column} for line, column in locations]
        return formatted | {"extensions": {"code": self.code, "requestId": request_id}}


class RequestError(Exception):
    """A request is refused."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.messages)
        self.refusal = refusal


def refuse(
    code: ErrorCode, message: str, *, status: int | None = None, headers: tuple[tuple[str, str], ...] = ()
) -> RequestError:
    return RequestError(Refusal(code, ((message, ()),), status or STATUSES[code], headers=headers))


def refuse_document(code: ErrorCode, errors: Iterable[GraphQLError | str]) -> RequestError:
    """Refuse a GraphQL document; what is kept of its errors does not keep the document alive."""
    return RequestError(Refusal(code, tuple(_told(error) for error in errors), STATUSES[code], well_formed=True))


def _told(error: GraphQLError | str) -> tuple[str, tuple[tuple[int, int], ...]]:
    if isinstance(error, str):
        return error, ()
    return without_values(error.message), tuple((location.line, location.column) for location in error.locations or ())


def without_values(message: str) -> str:
    """Leave out the value that a message ends with."""
    return ECHO.sub(r"\g<kept>.", message)


def request_error(error: VirtoolError) -> RequestError:
    return refuse(error.code, error.message)


def format_errors(errors: Iterable[GraphQLError], request_id: str) -> list[dict[str, Any]]:
    """Give the errors of an execution as clients see them; that an answer is too large is told once."""
    told: list[GraphQLError] = []
    too_large: list[GraphQLError] = []
    for error in errors:
        (too_large if _is_of_size(error) else told).append(error)
    return [format_error(error, request_id) for error in (*told, *too_large[:1])]


def _is_of_size(error: GraphQLError) -> bool:
    return isinstance(_root_cause(error), QueryTooComplex)


def format_error(error: GraphQLError, request_id: str) -> dict[str, Any]:
    original = _root_cause(error)
    if isinstance(original, VirtoolError):
        return _of_virtool(error, original, request_id)
    if original is None and error.message.startswith("Argument '"):  # a value that only execution could check
        return _formatted(error, without_values(error.message), ErrorCode.BAD_USER_INPUT, request_id)
    log.error("Request %s failed at %s", request_id, error.path, exc_info=original or error)
    return _formatted(error, MASKED, ErrorCode.INTERNAL, request_id)


def _root_cause(error: GraphQLError) -> Exception | None:
    original = error.original_error
    while isinstance(original, GraphQLError) and original.original_error is not None:
        original = original.original_error
    return None if isinstance(original, GraphQLError) else original


def _of_virtool(error: GraphQLError, original: VirtoolError, request_id: str) -> dict[str, Any]:
    formatted = _formatted(error, original.message, original.code, request_id)
    if isinstance(original, SlowConsumer) and original.cursor is not None:
        formatted["extensions"]["cursor"] = original.cursor
    return formatted


def _formatted(error: GraphQLError, message: str, code: ErrorCode, request_id: str) -> dict[str, Any]:
    formatted: dict[str, Any] = {"message": message}
    if error.locations:
        formatted["locations"] = [location.formatted for location in error.locations]
    if error.path:
        formatted["path"] = error.path
    formatted["extensions"] = {"code": code, "requestId": request_id}
    return formatted


def plain_error(code: str, message: str, request_id: str) -> bytes:
    """Encode an error of the endpoints that do not speak GraphQL."""
    return orjson.dumps({"code": code, "message": message, "requestId": request_id})
