"""The history of OTUs at the root of the API."""

from typing import Annotated

import strawberry

from resolvers.listings import OF_REFERENCE, Argument, listed, of_one
from resolvers.subscriptions import watched
from schema.arguments import Id, described
from schema.changes import HistoryChange
from schema.context import Info
from schema.history import (
    HistoryEntry,
    HistoryFilter,
    HistoryOrder,
    RevertChangeInput,
    RevertChangePayload,
    unbuilt_or_not,
)
from schema.ids import global_id, stored_id
from schema.inputs import given
from schema.otus import OTU
from schema.payloads import mutation
from virtool_gql.query import Order

# Who imports an OTU writes all of its changes in one moment.
NEWEST_FIRST = (Order("created_at", descending=True), Order("place", descending=True))


@strawberry.type
class HistoryQuery:
    """The changes of the OTUs of the references that one may read."""

    history = listed(
        lambda db: db.history,
        HistoryEntry,
        HistoryFilter,
        HistoryOrder,
        default_order=NEWEST_FIRST,
        arguments={
            "reference_id": OF_REFERENCE,
            "otu_id": of_one("otu", "Only changes of this OTU, also when it is gone."),
            "index_id": of_one("index", "Only what was first built into this index."),
            "unbuilt": Argument(
                bool,
                "Only changes that are in no index yet, or only the others.",
                lambda value: unbuilt_or_not(given(value)),
            ),
        },
        description="The changes of OTUs of the references that you may read, newest first by default.",
    )

    @strawberry.field(description="One change of an OTU. Needs to be a member of its reference.")
    async def history_entry(self, info: Info, id: Id) -> HistoryEntry | None:
        entry: HistoryEntry | None = await info.context.loaders.fetch("history", id)
        return entry


@strawberry.type
class HistoryMutation:
    """Taking changes of OTUs back."""

    @mutation(
        "Revert a change that is in no index yet, with all later ones of its OTU: this is then as it was before, and "
        "they are gone. Needs the right `modifyOtu` on its reference."
    )
    async def revert_change(
        self, info: Info, input: Annotated[RevertChangeInput, described("The change.")]
    ) -> RevertChangePayload:
        result = await info.context.db.history.revert(info.context.viewer, stored_id("history", input.id))
        return RevertChangePayload(
            otu=OTU.from_document(result.otu) if result.otu else None,
            reverted_ids=[global_id("history", entry.id) for entry in result.entries],
        )


@strawberry.type
class HistorySubscription:
    """Changes of the history."""

    history = watched(
        lambda db: db.history,
        "history",
        HistoryFilter,
        HistoryChange,
        description="Entries of the history of OTUs of the references that you may read: new ones, those that were "
        "built, and those that were reverted.",
    )
