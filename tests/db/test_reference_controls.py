import asyncio

from msgspec import structs

from tests.factories.otus import stored_otu
from tests.factories.references import stored_reference
from tests.factories.users import viewer_named
from virtool_gql.db.database import Database
from virtool_gql.db.otus import OTUs
from virtool_gql.db.reference_controls import control_of, without_deleted_control
from virtool_gql.db.references import ReferenceChanges
from virtool_gql.models.references import Reference

OWNER = viewer_named("owner")


async def test_a_control_is_an_otu_of_the_reference_itself(each_db: Database) -> None:
    reference, other = await stored_reference(each_db), await stored_reference(each_db, "Other")
    otu = (await stored_otu(each_db, reference.id)).otu
    assert await control_of(each_db.store, reference.id, otu.id) == otu.id
    for reference_id, otu_id in ((other.id, otu.id), (reference.id, "nothing0"), (reference.id, None), (other.id, "")):
        assert await control_of(each_db.store, reference_id, otu_id) is None


async def test_a_control_that_is_gone_is_taken_away_and_another_one_stays(each_db: Database) -> None:
    db = each_db
    reference = await stored_reference(db, internal_control_id="gone0000")
    assert (await without_deleted_control(db.store, reference)).internal_control_id is None
    otu = (await stored_otu(db, reference.id)).otu
    now = await db.references.get(OWNER, reference.id)
    set_since = (await db.store.replace(structs.replace(now, internal_control_id=otu.id)))[0]
    assert await without_deleted_control(db.store, set_since) == set_since
    assert await without_deleted_control(db.store, reference) == set_since
    await db.store.delete(set_since)
    assert await without_deleted_control(db.store, reference) == reference


async def test_a_control_that_is_deleted_while_it_is_set_does_not_stay(each_db: Database) -> None:
    db = each_db
    for number in range(10):
        reference = await stored_reference(db, f"Reference {number}")
        otu = (await stored_otu(db, reference.id)).otu
        changes = ReferenceChanges(internal_control_id=otu.id)
        answers = await asyncio.gather(
            *(db.references.update(OWNER, reference.id, changes) for _ in range(3)),
            OTUs(db.instance).delete(OWNER, otu.id),
            return_exceptions=True,
        )
        assert not [answer for answer in answers if isinstance(answer, BaseException)], answers
        now = await db.store.get(Reference, reference.id)
        assert now is not None
        assert now.internal_control_id is None
