import pytest

from tests.factories.labels import stored_subtraction
from tests.factories.users import viewer_named
from virtool_gql.db.database import Database
from virtool_gql.errors import NotFound
from virtool_gql.query import Eq, Order, Page

STRANGER = viewer_named("stranger")


async def test_everybody_who_is_signed_in_reads_subtractions(db: Database) -> None:
    subtraction = await stored_subtraction(db)
    assert await db.subtractions.get(STRANGER, subtraction.id) == subtraction
    with pytest.raises(NotFound, match="no subtraction of that id"):
        await db.subtractions.get(STRANGER, "nothing0")


async def test_a_deleted_one_is_found_by_its_id_alone(db: Database) -> None:
    kept = await stored_subtraction(db, "Kept")
    deleted = await stored_subtraction(db, "Deleted", deleted=True)
    assert await db.subtractions.get(STRANGER, deleted.id) == deleted
    assert await db.subtractions.get_many(STRANGER, [kept.id, deleted.id]) == {kept.id: kept, deleted.id: deleted}
    assert (await db.subtractions.find(STRANGER)).documents == [kept]
    assert (await db.subtractions.find(STRANGER, Eq("name", "Deleted"))).documents == []
    found = await db.subtractions.find(STRANGER, order=[Order("name")], page=Page(last=1))
    assert (found.documents, found.has_previous) == ([kept], False)
    assert (
        await db.subtractions.count(STRANGER),
        await db.subtractions.count(STRANGER, Eq("deleted", value=True)),
    ) == (1, 0)
