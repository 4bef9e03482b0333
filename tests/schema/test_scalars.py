from typing import Any

import pytest
from graphql import GraphQLError, GraphQLScalarType

from resolvers.root import schema


def scalar(name: str) -> GraphQLScalarType:
    kind = schema._schema.get_type(name)
    assert isinstance(kind, GraphQLScalarType)
    return kind


@pytest.mark.parametrize(
    ("value", "stored"),
    [
        ("2026-01-31T12:00:00.000Z", "2026-01-31T12:00:00.000Z"),
        ("2026-01-31T12:00:00Z", "2026-01-31T12:00:00.000Z"),
        ("2026-01-31T14:00:00.123456+02:00", "2026-01-31T12:00:00.123Z"),
    ],
)
def test_moments_are_taken_as_they_are_stored(value: str, stored: str) -> None:
    assert scalar("DateTime").coerce_input_value(value) == stored


@pytest.mark.parametrize(
    "value", ["", "yesterday", "2026-01-31", "2026-01-31T12:00:00", 5, None, True, "0001-01-01T00:00:00+14:00"]
)
def test_what_is_no_moment_is_refused(value: Any) -> None:
    with pytest.raises(GraphQLError, match="DateTime must be"):
        scalar("DateTime").coerce_input_value(value)


def test_long_numbers_are_taken_below_2_to_the_53() -> None:
    long = scalar("Long")
    assert long.coerce_input_value(2**53 - 1) == 2**53 - 1
    assert long.coerce_output_value(5_000_000_000) == 5_000_000_000
    for value in (2**53, -(2**53), 1.5, "1", True, None):
        with pytest.raises(GraphQLError, match="Long must be"):
            long.coerce_input_value(value)


def test_a_cursor_is_text() -> None:
    assert scalar("Cursor").coerce_input_value("7-0") == "7-0"
    with pytest.raises(GraphQLError, match="Cursor must be"):
        scalar("Cursor").coerce_input_value(7)
