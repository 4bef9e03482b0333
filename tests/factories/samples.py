"""Samples."""

from typing import Any

from msgspec import structs

from tests.factories.files import ready_file_ids
from tests.factories.users import viewer_named
from virtool_gql.db.database import Database
from virtool_gql.db.samples import NewSample
from virtool_gql.models.samples import Sample
from virtool_gql.models.users import Permission


async def stored_sample(db: Database, owner: str = "owner", name: str = "Leaf", **values: Any) -> Sample:
    """Make a sample as the API does; then give it other values, rights among them."""
    new = NewSample(name=name, file_ids=await ready_file_ids(db))
    sample, _ = await db.samples.create(viewer_named(owner, Permission.CREATE_SAMPLE), new)
    return (await db.store.replace(structs.replace(sample, **values)))[0] if values else sample
