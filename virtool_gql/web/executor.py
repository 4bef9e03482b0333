"""GraphQL's executor, with a short way to what answers are mostly made of: scalars that are attributes of an object."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from functools import cache
from operator import attrgetter
from typing import Any, cast

from graphql import GraphQLObjectType, get_nullable_type, is_leaf_type
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext
from strawberry.schema.schema_converter import GraphQLCoreConverter

from schema.context import Context

Attribute = Callable[[Any], Any]

AT_ONCE = 50
"""How many objects of a long list are completed before others have their turn."""

LONGEST_PAGE = 100
"""A list that is no longer is completed at once: what its objects load is then loaded in one statement."""


class AttributeExecutor(StrawberryGraphQLCoreExecutionContext):
    """Reads attributes directly; whatever is not as it should be goes GraphQL's way, with its errors."""

    def build_per_event_executor(self, payload: Any) -> "AttributeExecutor":
        """Give the executor of one event, with a memory of its own.

        GraphQL remembers by lists that it makes anew for each event: a memory for all events grows with each of them.
        """
        executor = cast("AttributeExecutor", super().build_per_event_executor(payload))
        executor._relevant_sub_fields = {}  # noqa: SLF001 - there is no other way to it
        return executor

    def execute_fields(
        self,
        parent_type: GraphQLObjectType,
        source_value: Any,
        path: Any,
        grouped_field_set: Any,
        position_context: Any,
    ) -> Any:
        if isinstance(self.context_value, Context):
            self.context_value.spend(len(grouped_field_set))
        return super().execute_fields(parent_type, source_value, path, grouped_field_set, position_context)

    def complete_iterable_value(  # noqa: PLR0913, PLR0917 - GraphQL's signature
        self,
        item_type: Any,
        field_details_list: Any,
        info: Any,
        path: Any,
        items: Any,
        position_context: Any,
    ) -> Any:
        if isinstance(items, list) and len(items) > LONGEST_PAGE and not is_leaf_type(get_nullable_type(item_type)):
            some = _some_at_once(items)
            return self.complete_async_iterator_value(item_type, field_details_list, info, path, some, position_context)
        return super().complete_iterable_value(item_type, field_details_list, info, path, items, position_context)

    def execute_field(
        self, parent_type: GraphQLObjectType, source: Any, field_details_list: Any, path: Any, position_context: Any
    ) -> Any:
        attribute = _attribute(parent_type, field_details_list[0].node.name.value)
        value = _read(attribute, source) if attribute else None
        if value is not None:
            return value
        return super().execute_field(parent_type, source, field_details_list, path, position_context)


async def _some_at_once(items: Sequence[Any]) -> AsyncGenerator[Any, None]:
    """Give all items, and let others have their turn between."""
    for number, item in enumerate(items):
        if number and number % AT_ONCE == 0:
            await asyncio.sleep(0)
        yield item


def _read(attribute: Attribute, source: Any) -> Any:
    try:
        return attribute(source)
    except Exception:  # noqa: BLE001 # GraphQL's way raises it again and tells where
        return None


@cache
def _attribute(parent: GraphQLObjectType, name: str) -> Attribute | None:
    """Give what reads a field and makes it what is sent; None for a field that is more than a scalar attribute."""
    field = parent.fields.get(name)
    definition = field.extensions.get(GraphQLCoreConverter.DEFINITION_BACKREF) if field else None
    leaf = get_nullable_type(field.type) if field else None
    if definition is None or not definition.is_basic_field or not is_leaf_type(leaf):
        return None
    read, coerce = attrgetter(definition.python_name), leaf.coerce_output_value
    return lambda source: coerce(read(source))
