"""The session's cookie."""

import pytest

from schema.context import SessionCookie
from virtool_gql.web.cookies import session_token, set_cookie


@pytest.mark.parametrize(
    ("header", "token"),
    [
        ("virtool_session=abc", "abc"),
        ("a=b; virtool_session=abc==; c=d", "abc=="),
        ("virtool_session=", None),
        ("xvirtool_session=abc", None),
        ("", None),
    ],
)
def test_the_token_is_found(header: str, token: str | None) -> None:
    assert session_token(header) == token


def test_the_cookie_is_kept_from_scripts_and_other_sites() -> None:
    plain = set_cookie(SessionCookie("abc"), secure=False)
    assert plain == "virtool_session=abc; HttpOnly; SameSite=Lax; Path=/"
    assert set_cookie(SessionCookie("abc", remember=True), secure=True) == f"{plain}; Max-Age=2592000; Secure"
    assert "Max-Age=0" in set_cookie(SessionCookie(None), secure=False)
