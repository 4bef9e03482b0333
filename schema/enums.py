"""Enums of the models as GraphQL enums: the members' names are the API's, each with a description."""

from collections.abc import Mapping
from enum import StrEnum
from typing import TypeVar

import strawberry
from strawberry.types.enum import StrawberryEnumDefinition

E = TypeVar("E", bound=StrEnum)


def described(kind: type[E], description: str, values: Mapping[E, str], *, name: str | None = None) -> type[E]:
    """Make a GraphQL enum of an enum that knows nothing of GraphQL."""
    strawberry.enum(kind, name=name, description=description)
    definition: StrawberryEnumDefinition = kind.__strawberry_definition__  # type: ignore[attr-defined] # set above
    for value in definition.values:
        value.description = values[kind(value.value)]
    return kind
