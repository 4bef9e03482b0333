"""Who asks: the session of a cookie, or an API key."""

import base64
import binascii
from collections.abc import Iterable
from dataclasses import dataclass, replace

from starlette.types import Scope

from schema.context import Caller
from virtool_gql.access import Viewer
from virtool_gql.db.sign_in import SignIn
from virtool_gql.errors import ErrorCode
from virtool_gql.web.cookies import session_token
from virtool_gql.web.errors import RequestError, refuse
from virtool_gql.web.requests import Headers, address_of, is_secure

PREFLIGHT = "x-graphql-preflight"
LONGEST_AGENT = 200


@dataclass(frozen=True, slots=True)
class SessionToken:
    """A session, by the token of its cookie."""

    token: str


@dataclass(frozen=True, slots=True)
class Key:
    """An API key, and the handle of its user if that came with it."""

    secret: str
    handle: str | None = None


Credential = SessionToken | Key


def credential_of(headers: Headers) -> Credential | None:
    """Give what the request identifies itself with; an Authorization header counts before a cookie."""
    authorization = headers.get("authorization")
    if authorization is not None:
        return key_of(authorization)
    token = session_token(headers.get("cookie", ""))
    return SessionToken(token) if token else None


def stranger_of(scope: Scope, headers: Headers, request_id: str) -> Caller:
    """Give whoever opened a connection or sent a request, before we know who it is."""
    agent = headers.get("user-agent", "")[:LONGEST_AGENT]
    return Caller(None, address_of(scope), is_secure(scope), request_id=request_id, agent=agent)


def key_of(authorization: str) -> Key:
    """Read `Basic handle:key` or `Bearer key`."""
    scheme, _, value = authorization.strip().partition(" ")
    match scheme.lower():
        case "bearer" if value.strip():
            return Key(value.strip())
        case "basic":
            handle, _, secret = _decoded(value.strip()).rpartition(":")
            if handle and secret:
                return Key(secret, handle)
    raise unauthenticated("The Authorization header is neither 'Basic handle:key' nor 'Bearer key'.")


def _decoded(value: str) -> str:
    try:
        return base64.b64decode(value, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return ""


def unauthenticated(message: str) -> RequestError:
    return refuse(ErrorCode.UNAUTHENTICATED, message, headers=(("www-authenticate", "Bearer"),))


class Identifier:
    """Finds the viewer that a credential stands for."""

    def __init__(self, sign_in: SignIn) -> None:
        self.sign_in = sign_in

    async def caller(self, credential: Credential | None, stranger: Caller) -> Caller:
        """Give the stranger as who they are; a session that has ended leaves a stranger, an unknown key is an error."""
        match credential:
            case SessionToken(token):
                viewer = await self.sign_in.by_session(token)
                return replace(stranger, viewer=viewer, session_token=token if viewer else None)
            case Key(secret, handle):
                viewer = await self.sign_in.by_key(secret, handle)
                if viewer is None:
                    raise unauthenticated("There is no such API key. It may have ended; make another.")
                return replace(stranger, viewer=viewer)
        return stranger

    async def still(self, credentials: Iterable[Credential]) -> dict[Credential, Viewer | None]:
        """Give the viewers that credentials stand for now; a session does not count as used by this."""
        credentials = tuple(credentials)
        sessions = [credential for credential in credentials if isinstance(credential, SessionToken)]
        viewers = await self.sign_in.still_sessions([session.token for session in sessions])
        still: dict[Credential, Viewer | None] = {session: viewers.get(session.token) for session in sessions}
        for credential in credentials:
            if isinstance(credential, Key):
                still[credential] = await self.sign_in.by_key(credential.secret, credential.handle)
        return still


def check_cross_site(headers: Headers, credential: Credential | None) -> None:
    """Refuse a request that another site could have made a browser send with its cookie."""
    if not isinstance(credential, SessionToken) or PREFLIGHT in headers:
        return
    if headers.get("content-type", "").partition(";")[0].strip().lower() == "application/json":
        return
    if headers.get("sec-fetch-site") == "same-origin":
        return
    message = f"A request with a session cookie needs the header {PREFLIGHT} or the content type application/json."
    raise refuse(ErrorCode.FORBIDDEN, message)
