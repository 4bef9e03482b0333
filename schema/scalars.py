"""The scalars that GraphQL does not bring along."""

from datetime import datetime
from typing import Any, NewType

import strawberry
from graphql import GraphQLError
from strawberry.scalars import JSON
from strawberry.types.scalar import ScalarDefinition

from virtool_gql.models.documents import Timestamp, timestamp

Long = NewType("Long", int)
Cursor = NewType("Cursor", str)

LARGEST = 2**53 - 1


def _to_timestamp(value: Any) -> Timestamp:
    try:
        moment = datetime.fromisoformat(value)
        if moment.tzinfo is not None:
            return timestamp(moment)
    except (TypeError, ValueError, OverflowError):
        pass
    raise GraphQLError("DateTime must be an RFC 3339 text with its offset, like 2026-01-31T12:00:00.000Z.")


def _to_long(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or abs(value) > LARGEST:
        raise GraphQLError("Long must be a whole number between -(2^53 - 1) and 2^53 - 1.")
    return value


def _to_cursor(value: Any) -> str:
    if not isinstance(value, str):
        raise GraphQLError("Cursor must be a text that this API has given.")
    return value


def _as_is(value: Any) -> Any:
    return value


SCALARS: dict[object, ScalarDefinition] = {
    Timestamp: strawberry.scalar(
        name="DateTime",
        description="A moment as RFC 3339 text in UTC with milliseconds, like 2026-01-31T12:00:00.000Z.",
        specified_by_url="https://www.rfc-editor.org/rfc/rfc3339",
        serialize=_as_is,
        parse_value=_to_timestamp,
    ),
    Long: strawberry.scalar(
        name="Long",
        description="A whole number that may be beyond 2^31, sent as a JSON number below 2^53.",
        serialize=_as_is,
        parse_value=_to_long,
    ),
    Cursor: strawberry.scalar(
        name="Cursor",
        description="A place in the log of changes. Opaque: give back what you were given.",
        serialize=_as_is,
        parse_value=_to_cursor,
    ),
    JSON: strawberry.scalar(
        name="JSON",
        description="Any JSON value, where the content is free-form.",
        specified_by_url="https://www.rfc-editor.org/rfc/rfc8259",
        serialize=_as_is,
        parse_value=_as_is,
    ),
}
