"""Who has made the changes that are in something."""

from collections.abc import Iterable
from typing import Self

import strawberry

from schema.relations import related
from schema.users import User
from virtool_gql.db.reference_counts import Contribution


@strawberry.type(description="Somebody who has changed OTUs.")
class Contributor:
    """Somebody who has changed OTUs."""

    count: int = strawberry.field(description="How many changes they have made.")
    user_id: strawberry.Private[str]

    user = related("user", "user_id", User, "Who.")

    @classmethod
    def of(cls, contributions: Iterable[Contribution]) -> list[Self]:
        return [cls(count=contribution.count, user_id=contribution.user_id) for contribution in contributions]
