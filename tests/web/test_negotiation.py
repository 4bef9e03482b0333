"""The form of an answer."""

import pytest

from virtool_gql.web.negotiation import Form, form_of


@pytest.mark.parametrize(
    ("accept", "form"),
    [
        (None, Form.JSON),
        ("", Form.JSON),
        ("*/*", Form.JSON),
        ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", Form.HTML),
        ("application/json", Form.JSON),
        ("application/json, text/html;q=0.5", Form.JSON),
        ("application/graphql-response+json;charset=utf-8, application/json;charset=utf-8", Form.GRAPHQL),
        ("text/event-stream", Form.EVENTS),
        ("image/png", None),
        ("application/json;q=0", None),
        ("application/json;q=nonsense, text/event-stream;q=0.1", Form.EVENTS),
    ],
)
def test_the_client_gets_what_it_prefers(accept: str | None, form: Form | None) -> None:
    assert form_of(accept, pages=True) is form


def test_pages_are_for_those_who_get() -> None:
    assert form_of("text/html", pages=False) is None
    assert form_of("text/html, application/json;q=0.1", pages=False) is Form.JSON
