"""References and their members."""

from typing import Any

from virtool_gql.db.database import Database
from virtool_gql.db.names import name_key
from virtool_gql.models.documents import Timestamp
from virtool_gql.models.references import Member, Reference, Right

LONG_AGO = Timestamp("2026-01-01T00:00:00.000Z")


def member(id: str, *rights: Right) -> Member:
    """Give a user or group of that id as a member with just these rights."""
    return Member(id=id, created_at=LONG_AGO, **{right.value: True for right in rights})


async def stored_reference(
    db: Database, name: str = "Plant Viruses", user_id: str = "owner", **values: Any
) -> Reference:
    """Make a reference that is ready, and whose creator has all rights on it."""
    at = db.instance.clock()
    made: dict[str, Any] = {"source_types": ("isolate", "strain"), "users": (member(user_id, *Right),)}
    reference = Reference(
        id=db.instance.new_id(),
        name=name,
        name_key=name_key(name),
        user_id=user_id,
        created_at=at,
        updated_at=at,
        **made | values,
    )
    return (await db.store.insert(reference))[0]
