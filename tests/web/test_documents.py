"""What is remembered of documents."""

import pytest
from graphql import print_ast

from tests.web.probe import probe
from virtool_gql.limits import Limits
from virtool_gql.web import documents
from virtool_gql.web.documents import Documents, resumed
from virtool_gql.web.errors import RequestError

SCHEMA = probe._schema


@pytest.fixture
def known() -> Documents:
    return Documents(SCHEMA, Limits())


def test_a_document_is_prepared_once(known: Documents) -> None:
    first = known.operation("{ name }", None, stranger=False)
    assert known.operation("{ name }", None, stranger=False) is first
    assert known.operation("{ name }", None, stranger=True) is not first


def test_a_bad_document_is_refused_again_without_being_read_again(known: Documents) -> None:
    for _ in range(2):
        with pytest.raises(RequestError) as caught:
            known.operation("{ nothing }", None, stranger=False)
        assert caught.value.refusal.formatted("id")[0]["locations"] == [{"line": 1, "column": 3}]
    assert len(known._known) == 1


def test_what_is_remembered_is_bounded_by_tokens(known: Documents) -> None:
    body = " ".join(["name"] * 200)
    for number in range(500):
        known.operation(f"query Q{number} {{ node {{ {body} }} }}", None, stranger=False)
    assert known._tokens <= documents.REMEMBERED_TOKENS
    assert len(known._known) < 400
    known.operation("{ name }" + " " * 500_000, None, stranger=False)
    assert known._tokens <= documents.REMEMBERED_TOKENS
    assert all(len(text) < 100_000 for text, _ in known._known)


@pytest.mark.parametrize(
    ("query", "after"),
    [
        ("subscription { files { ids } }", 'subscription {\n  files(after: "7-1") {\n    ids\n  }\n}'),
        ('subscription { files(after: "1-1") { ids } }', 'subscription {\n  files(after: "7-1") {\n    ids\n  }\n}'),
        ("subscription { failing { text } }", "subscription {\n  failing {\n    text\n  }\n}"),
    ],
)
def test_a_subscription_is_resumed_after_a_place(known: Documents, query: str, after: str) -> None:
    operation = resumed(SCHEMA, known.operation(query, None, stranger=False), "7-1")
    assert print_ast(operation.document) == after


def test_a_place_is_a_number_where_a_number_is_taken(known: Documents) -> None:
    operation = known.operation("subscription { lines { text } }", None, stranger=False)
    assert "after: 7)" in print_ast(resumed(SCHEMA, operation, "7").document)
    query = known.operation("{ name }", None, stranger=False)
    assert resumed(SCHEMA, query, "7") is query


def test_cursors_are_asked_for_through_fragments_too(known: Documents) -> None:
    for query, asks in (
        ("{ cursor }", True),
        ("{ ... { c: cursor } }", True),
        ("{ ...F } fragment F on Query { cursor }", True),
        ("{ name }", False),
    ):
        assert known.operation(query, None, stranger=False).asks_cursor is asks
