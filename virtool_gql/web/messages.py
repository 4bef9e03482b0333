"""The messages of the protocol graphql-transport-ws, and why a socket is closed."""

import json
import re
from enum import IntEnum
from typing import Any

import msgspec

from virtool_gql.errors import ErrorCode
from virtool_gql.web.errors import refuse
from virtool_gql.web.operations import GraphQLRequest


class Close(IntEnum):
    """Why a socket is closed."""

    TOO_LARGE = 1009
    INTERNAL = 1011
    BAD_MESSAGE = 4400
    UNAUTHORIZED = 4401
    FORBIDDEN = 4403
    SUBPROTOCOL = 4406
    INIT_TIMEOUT = 4408
    DUPLICATE_ID = 4409
    TOO_MANY = 4429


class ClosingError(Exception):
    """The socket is to be closed."""

    def __init__(self, code: Close, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


class ClientMessage(msgspec.Struct, frozen=True):
    """A message of the protocol."""

    type: str
    id: str | None = None
    payload: dict[str, Any] | None = None


UNREADABLE: dict[str, Any] = {}
"""The payload of an operation that is JSON, but holds what cannot be represented."""

_decoder = msgspec.json.Decoder(ClientMessage)
_ID = r'"id"\s*:\s*"([^"\\]+)"'
_TYPE = r'"type"\s*:\s*"subscribe"'
_SUBSCRIBE = re.compile(rf'\s*{{\s*(?:{_ID}\s*,\s*{_TYPE}|{_TYPE}\s*,\s*{_ID})\s*,\s*"payload"\s*:')


def decode_message(text: str) -> ClientMessage:
    """Read a message; raise ClosingError when it is none."""
    try:
        return _decoder.decode(text)
    except (msgspec.DecodeError, RecursionError):
        found = _SUBSCRIBE.match(text) if _is_json(text) else None
        if found is None:
            raise bad_message() from None
        return ClientMessage("subscribe", found[1] or found[2], UNREADABLE)


def request_of(payload: dict[str, Any]) -> GraphQLRequest:
    """Read the request of a `subscribe`; raise RequestError for an unreadable one, ClosingError when it is none."""
    if payload is UNREADABLE:
        problem = "A value is out of range, is half a character, or is nested too deeply."
        raise refuse(ErrorCode.BAD_USER_INPUT, problem)
    try:
        return msgspec.convert(payload, GraphQLRequest)
    except msgspec.ValidationError:
        raise bad_message() from None


def bad_message() -> ClosingError:
    return ClosingError(Close.BAD_MESSAGE, "Invalid message received")


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except json.JSONDecodeError:
        return False
    except (ValueError, RecursionError):  # too many digits, or too many levels to tell
        return True
    return True
