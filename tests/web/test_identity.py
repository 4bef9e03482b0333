"""What a request identifies itself with."""

import base64

import pytest

from virtool_gql.web.errors import RequestError
from virtool_gql.web.identity import Key, SessionToken, check_cross_site, credential_of, key_of


def basic(text: str) -> str:
    return f"Basic {base64.b64encode(text.encode()).decode()}"


def test_a_key_comes_alone_or_with_its_owners_handle() -> None:
    assert key_of("Bearer s3cret") == Key("s3cret")
    assert key_of("bearer  s3cret ") == Key("s3cret")
    assert key_of(basic("ada:s3cret")) == Key("s3cret", "ada")
    assert key_of(basic("Ada Löwe:s3cret")) == Key("s3cret", "Ada Löwe")


@pytest.mark.parametrize(
    "authorization",
    ["", "Bearer", "Bearer ", "Basic", "Basic !", basic("ada"), basic(":key"), basic("ada:"), "Digest x"],
)
def test_what_is_neither_is_refused_with_a_challenge(authorization: str) -> None:
    with pytest.raises(RequestError) as refused:
        key_of(authorization)
    assert (refused.value.refusal.status, refused.value.refusal.headers) == (401, (("www-authenticate", "Bearer"),))


def test_a_header_counts_before_a_cookie() -> None:
    cookie = "theme=dark; virtool_session=token"
    assert credential_of({"cookie": cookie}) == SessionToken("token")
    assert credential_of({"cookie": cookie, "authorization": "Bearer key"}) == Key("key")
    assert credential_of({"cookie": "virtool_session="}) is None
    assert credential_of({}) is None


@pytest.mark.parametrize(
    "headers",
    [
        {"content-type": "application/json"},
        {"content-type": "Application/JSON; charset=utf-8"},
        {"x-graphql-preflight": ""},
        {"sec-fetch-site": "same-origin"},
    ],
)
def test_a_cookie_counts_where_no_other_site_can_have_sent_it(headers: dict[str, str]) -> None:
    check_cross_site(headers, SessionToken("token"))


@pytest.mark.parametrize("headers", [{}, {"content-type": "text/plain"}, {"sec-fetch-site": "same-site"}])
def test_else_a_cookie_is_refused_and_a_key_is_not(headers: dict[str, str]) -> None:
    check_cross_site(headers, Key("key"))
    check_cross_site(headers, None)
    with pytest.raises(RequestError, match="x-graphql-preflight"):
        check_cross_site(headers, SessionToken("token"))
