"""The cookie that holds a session's token."""

from schema.context import SessionCookie
from virtool_gql.stores.sessions import REMEMBERED_SECONDS

NAME = "virtool_session"


def session_token(cookie_header: str) -> str | None:
    """Give the session's token of a Cookie header."""
    for part in cookie_header.split(";"):
        name, _, value = part.strip().partition("=")
        if name == NAME and value:
            return value
    return None


def set_cookie(cookie: SessionCookie, *, secure: bool) -> str:
    """Give the Set-Cookie header that sets or clears the token; scripts of a page cannot read it."""
    parts = [f"{NAME}={cookie.token or ''}", "HttpOnly", "SameSite=Lax", "Path=/"]
    if cookie.token is None:
        parts.append("Max-Age=0")
    elif cookie.remember:
        parts.append(f"Max-Age={REMEMBERED_SECONDS}")
    if secure:
        parts.append("Secure")
    return "; ".join(parts)
