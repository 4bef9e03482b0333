"""Groups."""

from tests.factories.users import viewer_named
from virtool_gql.db.database import Database
from virtool_gql.models.users import Group, Permission

ROOT = viewer_named("root", administrator=True)


async def stored_group(db: Database, name: str = "Virologists", *permissions: Permission) -> Group:
    return await db.groups.create(ROOT, name, permissions)
