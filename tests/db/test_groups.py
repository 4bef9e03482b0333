import pytest

from virtool_gql.db.database import Database
from virtool_gql.errors import Conflict


async def test_a_group_is_there_once(db: Database) -> None:
    group = await db.groups.create("  Virologists ")
    assert (group.name, group.version) == ("Virologists", 1)
    with pytest.raises(Conflict, match=r"Group already exists\."):
        await db.groups.create("VIROLOGISTS")
