"""What of a request the edge reads."""

import pytest

from virtool_gql.web.requests import headers_of, is_known_origin, request_id_of


def test_headers_that_come_several_times_are_joined() -> None:
    headers = [(b"accept", b"a/b"), (b"accept", b"c/d"), (b"cookie", b"a=1"), (b"cookie", b"b=2"), (b"x", b"\xe9")]
    assert headers_of({"headers": headers}) == {"accept": "a/b, c/d", "cookie": "a=1; b=2", "x": "é"}


def test_an_id_that_a_proxy_gives_is_kept_if_it_is_one() -> None:
    assert request_id_of({"x-request-id": "a-B_9.z"}) == "a-B_9.z"
    for bad in ("", "a" * 65, "a b", "a\nb", "é"):
        made = request_id_of({"x-request-id": bad})
        assert made != bad
        assert request_id_of({"x-request-id": made}) == made


@pytest.mark.parametrize(
    ("origin", "known"),
    [
        ("http://lab.example:9950", True),
        ("https://lab.example:9950", True),
        ("https://trusted.example", True),
        ("http://trusted.example", False),
        ("http://lab.example", False),
        ("http://evil.example:9950", False),
        ("null", False),
        ("", False),
    ],
)
def test_a_page_is_known_by_our_host_or_the_operators_list(origin: str, known: bool) -> None:
    headers = {"host": "lab.example:9950", "origin": origin}
    assert is_known_origin(headers, frozenset({"https://trusted.example"})) is known


def test_without_host_and_origin_nothing_is_known() -> None:
    assert not is_known_origin({}, frozenset())
