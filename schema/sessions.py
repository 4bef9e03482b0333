"""Where somebody is signed in by a cookie."""

from typing import Self

import strawberry

from schema.ids import global_id
from virtool_gql.models.documents import Timestamp
from virtool_gql.stores import sessions


@strawberry.type(description="Somebody's signing in with a cookie. Only they themselves may read it.")
class Session:
    """Somebody's signing in with a cookie."""

    id: strawberry.ID = strawberry.field(description="By what `endSession` knows it. It signs nobody in.")
    created_at: Timestamp = strawberry.field(description="When they signed in.")
    last_used_at: Timestamp = strawberry.field(description="When it was last used.")
    expires_at: Timestamp = strawberry.field(description="When it ends if it is not used again.")
    address: str = strawberry.field(description="The address from which they signed in.")
    agent: str = strawberry.field(description="What the program calls itself with which they signed in.")
    remember: bool = strawberry.field(
        description="Whether it lasts 30 days from signing in, instead of 60 minutes from the last use."
    )
    current: bool = strawberry.field(description="Whether this request comes with it.")

    @classmethod
    def of(cls, session: sessions.Session, *, current: bool) -> Self:
        return cls(
            id=global_id("session", session.id),
            created_at=session.created_at,
            last_used_at=session.last_used_at,
            expires_at=session.expires_at,
            address=session.address,
            agent=session.agent,
            remember=session.remember,
            current=current,
        )
