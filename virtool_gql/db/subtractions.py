"""Subtractions, as they are read."""

from collections.abc import Sequence

from virtool_gql.access import Viewer, readable_subtractions
from virtool_gql.db.instance import Instance
from virtool_gql.db.listing import Listing
from virtool_gql.models.subtractions import Subtraction
from virtool_gql.query import EVERYTHING, FIRST_PAGE, And, Eq, Filter, Order, Page
from virtool_gql.stores.documents import Found

KEPT = Eq("deleted", value=False)


class Subtractions(Listing[Subtraction]):
    """The subtractions, which everybody may read. One that was deleted is found by its id and listed no more."""

    noun = "subtraction"

    def __init__(self, instance: Instance) -> None:
        super().__init__(instance, Subtraction, readable_subtractions)

    async def find(
        self,
        viewer: Viewer,
        where: Filter = EVERYTHING,
        order: Sequence[Order] = (),
        page: Page = FIRST_PAGE,
    ) -> Found[Subtraction]:
        return await super().find(viewer, And(KEPT, where), order, page)

    async def count(self, viewer: Viewer, where: Filter = EVERYTHING) -> int:
        return await super().count(viewer, And(KEPT, where))
