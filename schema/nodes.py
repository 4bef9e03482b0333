"""The interface of everything that can be fetched again by its id."""

import strawberry


@strawberry.interface(description="Something that has an id, by which `node` and `nodes` give it again.")
class Node:
    """Something that has an id."""

    id: strawberry.ID = strawberry.field(description="Unique among all things of all types. Opaque.")
