"""What of an HTTP request or a WebSocket handshake the edge reads."""

import re
import secrets
from collections.abc import Mapping
from urllib.parse import urlsplit

from starlette.types import Scope

REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")

Headers = Mapping[str, str]


def headers_of(scope: Scope) -> dict[str, str]:
    """Give the headers by their lower-case names; those sent several times are joined."""
    headers: dict[str, str] = {}
    for name, value in scope["headers"]:
        key, text = name.decode("latin-1"), value.decode("latin-1")
        if key in headers:
            text = f"{headers[key]}{'; ' if key == 'cookie' else ', '}{text}"
        headers[key] = text
    return headers


def request_id_of(headers: Headers) -> str:
    """Give the id that a proxy gave the request, or a new one."""
    given = headers.get("x-request-id", "")
    return given if REQUEST_ID.fullmatch(given) else secrets.token_hex(8)


def address_of(scope: Scope) -> str:
    client = scope.get("client")
    return client[0] if client else "local"


def is_secure(scope: Scope) -> bool:
    """Tell whether the client came over TLS; uvicorn sets the scheme that a trusted proxy reports."""
    return scope.get("scheme") in ("https", "wss")


def is_known_origin(headers: Headers, origins: frozenset[str]) -> bool:
    """Tell whether the page that asks is ours, or one that the operator trusts."""
    origin = headers.get("origin", "")
    return origin in origins or (origin != "" and urlsplit(origin).netloc == headers.get("host"))
