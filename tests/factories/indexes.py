"""Indexes, and references with something to build."""

from typing import Any

from tests.factories.otus import stored_otu
from tests.factories.references import stored_reference
from virtool_gql.access import Viewer
from virtool_gql.db.builds import finish
from virtool_gql.db.database import Database
from virtool_gql.db.otu_writes import Stored
from virtool_gql.models.indexes import Index
from virtool_gql.models.references import Reference


async def stored_index(db: Database, reference_id: str, number: int = 0, **values: Any) -> Index:
    """Insert a finished index that is the latest of its reference, if nothing else is said; no history is tagged."""
    made: dict[str, Any] = {"ready": True, "latest": True, "has_files": True, "has_json": True}
    index = Index(
        id=db.instance.new_id(),
        reference_id=reference_id,
        number=number,
        **{"user_id": "owner", "created_at": db.instance.clock()} | made | values,
    )
    return (await db.store.insert(index))[0]


async def buildable(db: Database, otus: int = 2, **values: Any) -> tuple[Reference, list[Stored]]:
    """Make a reference with verified OTUs that are in no index yet."""
    reference = await stored_reference(db, **values)
    return reference, [await stored_otu(db, reference.id) for _ in range(otus)]


async def built(db: Database, viewer: Viewer, reference_id: str) -> Index:
    """Build a reference and finish it, as its job will."""
    index, _ = await db.indexes.build(viewer, reference_id)
    return await finished(db, index)


async def finished(db: Database, index: Index) -> Index:
    """Do what the job of an index does in the end."""
    async with db.store.transaction() as documents:
        return await finish(documents, index.id)
