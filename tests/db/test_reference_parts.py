import asyncio

from msgspec import structs
from sqlalchemy import event

from tests.factories.otus import stored_otu
from tests.factories.references import member, stored_reference
from virtool_gql.access import Viewer
from virtool_gql.db.database import Database
from virtool_gql.db.reference_parts import one_reading
from virtool_gql.models.references import Right
from virtool_gql.stores.postgres import PostgresStore

READER = Viewer(user_id="reader", handle="reader")
OWNER = Viewer(user_id="owner", handle="owner")


async def counts(db: Database, viewer: Viewer) -> list[int]:
    """Count OTUs, sequences, changes and tasks of references, all at once."""
    return await asyncio.gather(*(each.count(viewer) for each in (db.otus, db.sequences, db.history, db.tasks)))


async def test_one_reading_looks_once_which_references_there_are_for_each_viewer(db: Database) -> None:
    store = db.store.store
    assert isinstance(store, PostgresStore)
    reference = await stored_reference(db, users=(member("owner", *Right),))
    await stored_otu(db, reference.id)
    executed: list[str] = []
    event.listen(store.engine.sync_engine, "before_cursor_execute", lambda *given: executed.append(given[2]))
    with one_reading():
        found = await counts(db, OWNER)
        assert len(executed) == 5
        assert (await counts(db, READER))[:3] == [0, 0, 0]
        assert len(executed) == 10
    assert found[0] == 1


async def test_nothing_is_remembered_after_the_reading(each_db: Database) -> None:
    reference = await stored_reference(each_db, users=(member("owner", *Right), member("reader")))
    await stored_otu(each_db, reference.id)
    with one_reading():
        assert await each_db.otus.count(READER) == 1
    await each_db.store.replace(structs.replace(reference, users=reference.users[:1]))
    assert await each_db.otus.count(READER) == 0
    with one_reading():
        assert await each_db.otus.count(READER) == 0
        assert await each_db.otus.count(OWNER) == 1
