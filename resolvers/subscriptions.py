"""Root fields that tell of changes: one resolver for all collections."""

from collections.abc import AsyncIterator, Callable
from typing import Annotated, Any

import strawberry

from schema.arguments import AfterChange, OfIds, described
from schema.changes import told
from schema.context import Info
from schema.ids import stored_ids
from schema.inputs import bounded, given
from virtool_gql.db.database import Database
from virtool_gql.db.listing import Listing
from virtool_gql.query import EVERYTHING

UNSET: Any = strawberry.UNSET


def watched(
    wrapper: Callable[[Database], Listing[Any]], prefix: str, filter_type: Any, change: Any, *, description: str
) -> Any:
    """Make the root field that tells of the changes of a collection."""

    async def resolve(info: Any, ids: Any = UNSET, filter: Any = UNSET, after: Any = UNSET) -> AsyncIterator[Any]:
        caller, of = info.context.caller, bounded(ids, "ids")
        info.context.refuse_strangers()
        changes = wrapper(info.context.db).changes(
            lambda: caller.viewer,
            filter.where() if given(filter) else EVERYTHING,
            None if of is None else stored_ids(prefix, of),
            given(after),
        )
        return told(changes)

    resolve.__annotations__ = {
        "info": Info,
        "ids": OfIds,
        "filter": Annotated[filter_type | None, described("Only changes of those to which all of this applies.")],
        "after": AfterChange,
        "return": AsyncIterator[change],
    }
    return strawberry.subscription(resolve, description=description)
