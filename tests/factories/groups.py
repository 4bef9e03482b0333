"""Groups."""

from virtool_gql.db.database import Database
from virtool_gql.models.users import Group, Permission


async def stored_group(db: Database, name: str = "Virologists", *permissions: Permission) -> Group:
    return await db.groups.create(name, permissions)
