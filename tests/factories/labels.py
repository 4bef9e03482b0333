"""Labels and subtractions."""

from typing import Any

from virtool_gql.db.database import Database
from virtool_gql.db.names import name_key
from virtool_gql.models.labels import Label
from virtool_gql.models.subtractions import NucleotideComposition, Subtraction

ARABIDOPSIS = NucleotideComposition(a=0.319, t=0.319, g=0.18, c=0.18, n=0.002)


async def stored_label(db: Database, name: str = "Virus found", user_id: str = "owner", **values: Any) -> Label:
    label = Label(
        id=db.instance.new_id(),
        name=name,
        name_key=name_key(name),
        user_id=user_id,
        created_at=db.instance.clock(),
        **values,
    )
    return (await db.store.insert(label))[0]


async def stored_subtraction(
    db: Database, name: str = "Arabidopsis thaliana", user_id: str = "owner", **values: Any
) -> Subtraction:
    """Make a subtraction that is ready, as a later job will make it."""
    made: dict[str, Any] = {"count": 7, "gc": ARABIDOPSIS, "ready": True, "file_name": "thaliana.fa.gz"}
    subtraction = Subtraction(
        id=db.instance.new_id(), name=name, user_id=user_id, created_at=db.instance.clock(), **made | values
    )
    return (await db.store.insert(subtraction))[0]
