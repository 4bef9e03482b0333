"""Root fields that list a collection: one resolver for all of them."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from inspect import Parameter, signature
from types import MappingProxyType
from typing import Annotated, Any, NamedTuple

import strawberry

from schema.arguments import After, Before, First, Last, Search, described
from schema.connections import Connection, listing
from schema.context import Info
from schema.inputs import given, with_id
from schema.orders import NEWEST_FIRST
from schema.relations import fetch_ahead, selected
from virtool_gql.db.database import Database
from virtool_gql.db.listing import Listing
from virtool_gql.query import And, Filter, Order

UNSET: Any = strawberry.UNSET


class Argument(NamedTuple):
    """An argument that only some lists have, and which entries it leaves: all of them where it was left out."""

    type: Any
    description: str
    where: Callable[[Any], Filter]


NO_OTHERS: Mapping[str, Argument] = MappingProxyType({})


def of_one(prefix: str, description: str) -> Argument:
    """Make the argument that leaves what belongs to one entity of a type, whose id is in `<prefix>_id`."""
    return Argument(strawberry.ID, description, partial(with_id, f"{prefix}_id", prefix))


OF_REFERENCE = of_one("reference", "Only what belongs to this reference.")


def listed(  # noqa: PLR0913 # a list is of a collection, a type, its filter and its ordering
    wrapper: Callable[[Database], Listing[Any]],
    shown: Any,
    filter_type: Any,
    order_type: Any,
    *,
    default_order: Sequence[Order] = NEWEST_FIRST,
    arguments: Mapping[str, Argument] = NO_OTHERS,
    description: str,
) -> Any:
    """Make the root field that lists a collection: filtered, searched, ordered and in pages."""

    async def resolve(  # noqa: PLR0913, PLR0917 # the arguments of a Relay connection
        info: Any,
        first: Any = UNSET,
        after: Any = UNSET,
        last: Any = UNSET,
        before: Any = UNSET,
        filter: Any = UNSET,
        order_by: Any = UNSET,
        search: Any = UNSET,
        **others: Any,
    ) -> Any:
        viewer, documents = info.context.viewer, wrapper(info.context.db)
        parts = [part.where() for part in (given(filter), filter_type(search=search)) if part is not None]
        where = And(*parts, *(arguments[name].where(value) for name, value in others.items()))
        places = listing(documents.kind, [by.order() for by in given(order_by) or ()] or default_order)
        page = places.page(given(first), given(after), given(last), given(before), info.context.limits)
        found = await documents.find(viewer, where, places.order, page)
        entries = [shown.from_document(document) for document in found.documents]
        raw = info._raw_info  # noqa: SLF001 # what Strawberry makes of the selection takes longer than the list itself
        below = selected(raw, raw.field_nodes)
        await fetch_ahead(raw, entries, [*below["nodes"], *selected(raw, below["edges"])["node"]])
        return Connection(entries=entries, found=found, listing=places, count=lambda: documents.count(viewer, where))

    resolve.__annotations__ = {
        "info": Info,
        "first": First,
        "after": After,
        "last": Last,
        "before": Before,
        "filter": Annotated[filter_type | None, described("Only those to which all of this applies.")],
        "order_by": Annotated[list[order_type] | None, described("The ordering, the first key first.")],
        "search": Search,
        "return": Connection[shown],
    }
    _add(resolve, arguments)
    return strawberry.field(resolve, description=description)


def _add(resolve: Callable[..., Any], arguments: Mapping[str, Argument]) -> None:
    """Have a resolver that takes any others show just these."""
    as_written = signature(resolve)
    own = [each for each in as_written.parameters.values() if each.kind is not Parameter.VAR_KEYWORD]
    added = [
        Parameter(
            name,
            Parameter.KEYWORD_ONLY,
            default=UNSET,
            annotation=Annotated[argument.type | None, described(argument.description)],
        )
        for name, argument in arguments.items()
    ]
    resolve.__signature__ = as_written.replace(parameters=[*own, *added])  # type: ignore[attr-defined] # where it is looked for
