"""Changes of several collections at once."""

from collections.abc import AsyncIterator
from typing import Annotated

import strawberry

from schema.arguments import AfterChange, described
from schema.changes import Change, Collection, told
from schema.context import Info
from schema.inputs import given


@strawberry.type
class ChangeSubscription:
    """Changes of several collections at once."""

    @strawberry.subscription(description="Changes of what you may read at the moment of the change, in one order.")
    async def changes(
        self,
        info: Info,
        collections: Annotated[list[Collection] | None, described("Of which; of all when left out.")] = (
            strawberry.UNSET
        ),
        after: AfterChange = strawberry.UNSET,
    ) -> AsyncIterator[Change]:
        caller = info.context.caller
        info.context.refuse_strangers()
        names = [collection.value for collection in given(collections) or Collection]
        return told(info.context.db.changes(lambda: caller.viewer, names, given(after)))
