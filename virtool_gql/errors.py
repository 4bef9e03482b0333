"""Every error that a person can meet, and the code by which a program can tell it.

VirtoolError                what a user or operator can cause; its message is a sentence for them
├── BadUserInput            BAD_USER_INPUT        a value is not acceptable; `path` names it
├── NotFound                NOT_FOUND             nothing there, or nothing that the viewer may see
├── Conflict                CONFLICT              the state of things does not allow it
│   ├── StaleDocument       CONFLICT              somebody else changed the document first
│   └── DuplicateValue      CONFLICT              a value that must be unique is taken
├── Forbidden               FORBIDDEN             a permission or right is missing, which the message names
├── Unauthenticated         UNAUTHENTICATED       nobody is signed in
├── UpstreamUnavailable     UPSTREAM_UNAVAILABLE  a service that we depend on does not answer
├── RateLimited             RATE_LIMITED          too many tries
├── QueryTooComplex         QUERY_TOO_COMPLEX     the answer would be too large
├── CursorExpired           CURSOR_EXPIRED        the event log no longer reaches back so far
├── SlowConsumer            SLOW_CONSUMER         a subscriber did not keep up
├── PayloadTooLarge         PAYLOAD_TOO_LARGE     more bytes than allowed
└── ConfigError             (stops the start)     one sentence that says what to change

The other codes belong to requests that no wrapper has seen; `web.errors` gives them.
"""

from collections.abc import Sequence
from enum import StrEnum


class ErrorCode(StrEnum):
    """The codes of errors, as clients see them."""

    BAD_USER_INPUT = "BAD_USER_INPUT"
    NOT_FOUND = "NOT_FOUND"
    CONFLICT = "CONFLICT"
    FORBIDDEN = "FORBIDDEN"
    UNAUTHENTICATED = "UNAUTHENTICATED"
    UPSTREAM_UNAVAILABLE = "UPSTREAM_UNAVAILABLE"
    GRAPHQL_PARSE_FAILED = "GRAPHQL_PARSE_FAILED"
    GRAPHQL_VALIDATION_FAILED = "GRAPHQL_VALIDATION_FAILED"
    QUERY_TOO_COMPLEX = "QUERY_TOO_COMPLEX"
    RATE_LIMITED = "RATE_LIMITED"
    TIMEOUT = "TIMEOUT"
    PAYLOAD_TOO_LARGE = "PAYLOAD_TOO_LARGE"
    CURSOR_EXPIRED = "CURSOR_EXPIRED"
    SLOW_CONSUMER = "SLOW_CONSUMER"
    INTERNAL = "INTERNAL"


class VirtoolError(Exception):
    """An error that a user or operator can cause and mend."""

    code = ErrorCode.INTERNAL

    def __init__(self, message: str, *, path: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.message = message
        self.path = tuple(path)


class BadUserInput(VirtoolError):
    """A value is not acceptable."""

    code = ErrorCode.BAD_USER_INPUT


class NotFound(VirtoolError):
    """There is nothing of that id, or nothing that the viewer may see."""

    code = ErrorCode.NOT_FOUND


class Conflict(VirtoolError):
    """The state of things does not allow the operation."""

    code = ErrorCode.CONFLICT


class StaleDocument(Conflict):
    """Somebody else changed the document first."""


class DuplicateValue(Conflict):
    """A value that must be unique is taken; `path` names the fields."""


class Forbidden(VirtoolError):
    """A permission or right is missing; the message names it."""

    code = ErrorCode.FORBIDDEN


class Unauthenticated(VirtoolError):
    """Nobody is signed in."""

    code = ErrorCode.UNAUTHENTICATED

    def __init__(self, message: str = "Sign in first.", *, path: Sequence[str] = ()) -> None:
        super().__init__(message, path=path)


class UpstreamUnavailable(VirtoolError):
    """A service that we depend on does not answer."""

    code = ErrorCode.UPSTREAM_UNAVAILABLE


class RateLimited(VirtoolError):
    """Too many tries in too little time."""

    code = ErrorCode.RATE_LIMITED


class QueryTooComplex(VirtoolError):
    """The answer would have more fields than one may have."""

    code = ErrorCode.QUERY_TOO_COMPLEX


class CursorExpired(VirtoolError):
    """The event log no longer reaches back to the cursor."""

    code = ErrorCode.CURSOR_EXPIRED


class SlowConsumer(VirtoolError):
    """A subscriber did not keep up; `cursor` is the last change that it was sent."""

    code = ErrorCode.SLOW_CONSUMER

    def __init__(self, message: str, *, cursor: str | None = None) -> None:
        super().__init__(message)
        self.cursor = cursor


class PayloadTooLarge(VirtoolError):
    """More bytes than allowed."""

    code = ErrorCode.PAYLOAD_TOO_LARGE


class ConfigError(VirtoolError):
    """The start is stopped by one sentence that says what to change."""
