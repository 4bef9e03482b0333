"""Indexes at the root of the API."""

from typing import Annotated

import strawberry

from resolvers.listings import OF_REFERENCE, Argument, listed
from resolvers.subscriptions import watched
from schema.arguments import Id, described
from schema.changes import IndexChange
from schema.context import Info
from schema.ids import stored_id
from schema.indexes import BuildIndexInput, BuildIndexPayload, Index, IndexFilter, IndexOrder
from schema.inputs import given
from schema.jobs import Job
from schema.payloads import mutation
from virtool_gql.query import EVERYTHING, Eq, Filter


def _that_can_be_used(value: bool | None) -> Filter:  # the value of the argument
    """Match the latest finished index of each reference, or those that are not finished."""
    ready = given(value)
    if ready is None:
        return EVERYTHING
    return Eq("latest", value=True) if ready else Eq("ready", value=False)


READY = Argument(
    bool,
    "`true`: only the latest finished index of each reference, against which samples are analysed; `false`: only those "
    "that are not finished.",
    _that_can_be_used,
)


@strawberry.type
class IndexQuery:
    """The indexes of the references that one may read."""

    indexes = listed(
        lambda db: db.indexes,
        Index,
        IndexFilter,
        IndexOrder,
        arguments={"reference_id": OF_REFERENCE, "ready": READY},
        description="The indexes of the references that you may read, or of one of these; newest first by default.",
    )

    @strawberry.field(description="One index. Needs to be a member of its reference.")
    async def index(self, info: Info, id: Id) -> Index | None:
        index: Index | None = await info.context.loaders.fetch("index", id)
        return index


@strawberry.type
class IndexMutation:
    """Building references."""

    @mutation(
        "Take all unbuilt changes of a reference into a new index, and ask for the job that builds it. Until that has "
        "ended no other build of the reference can be begun. A job that no runner of the instance can do waits until "
        "one can; `cancelJob` takes the index away again, and its changes are unbuilt as before. Needs the right "
        "`build` on the reference, all of whose OTUs must be verified."
    )
    async def build_index(
        self, info: Info, input: Annotated[BuildIndexInput, described("The reference.")]
    ) -> BuildIndexPayload:
        viewer, key = info.context.viewer, given(input.idempotency_key)
        reference_id = stored_id("reference", input.reference_id, "reference_id")
        index, job = await info.context.db.indexes.build(viewer, reference_id, idempotency_key=key)
        return BuildIndexPayload(index=Index.from_document(index), job=Job.from_document(job))


@strawberry.type
class IndexSubscription:
    """Changes of indexes."""

    indexes = watched(
        lambda db: db.indexes,
        "index",
        IndexFilter,
        IndexChange,
        description="Changes of indexes of references that you may read.",
    )
