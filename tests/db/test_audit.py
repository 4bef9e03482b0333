"""The audit log's rights, on one store and on two."""

import pytest
from msgspec import structs

from tests.factories.users import stored_user, viewer_named
from virtool_gql.access import Viewer
from virtool_gql.actors import Actor, acting
from virtool_gql.db.database import Database
from virtool_gql.errors import Forbidden, NotFound
from virtool_gql.models.audit import AuditEntry, Deed
from virtool_gql.models.files import FileType
from virtool_gql.models.users import Permission
from virtool_gql.query import Order, Page

OTHERS = [
    viewer_named("stranger"),
    viewer_named("all permissions", *Permission),
    structs.replace(viewer_named("administrator", administrator=True), key_id="key1", administrator=False),
]
ADMINISTRATOR = viewer_named("administrator", administrator=True)


@pytest.fixture(params=["db", "split_db"])
def database(request: pytest.FixtureRequest) -> Database:
    """Give everything in PostgreSQL, then documents in MongoDB."""
    chosen: Database = request.getfixturevalue(request.param)
    return chosen


async def noted(database: Database) -> AuditEntry:
    with acting(Actor(user_id="ada", handle="Ada", action="login")):
        await database.audit.note(Deed.LOGIN, "ada")
    (entry,) = (await database.store.find(AuditEntry)).documents
    return entry


@pytest.mark.parametrize("viewer", OTHERS, ids=lambda viewer: viewer.handle)
async def test_others_read_nothing(db: Database, viewer: Viewer) -> None:
    entry = await noted(db)
    with pytest.raises(Forbidden, match="administrator"):
        await db.audit.find(viewer)
    with pytest.raises(Forbidden, match="administrator"):
        await db.audit.count(viewer)
    with pytest.raises(Forbidden, match="administrator"):
        db.audit.changes(lambda: viewer)
    with pytest.raises(NotFound):
        await db.audit.get(viewer, entry.id)
    assert await db.audit.get_many(viewer, [entry.id]) == {}


async def test_administrators_read_all(database: Database) -> None:
    entry = await noted(database)
    assert (entry.deed, entry.collection, entry.document_id, entry.user_id) == (Deed.LOGIN, "users", "ada", "ada")
    assert (await database.audit.find(ADMINISTRATOR)).documents == [entry]
    assert await database.audit.count(ADMINISTRATOR) == 1
    assert await database.audit.get(ADMINISTRATOR, entry.id) == entry
    assert len(entry.id) == 16


async def test_nothing_is_noted_of_nobody(db: Database) -> None:
    await db.audit.note(Deed.LOGIN, "ada")
    assert await db.store.count(AuditEntry) == 0


async def test_writes_to_documents_and_rows_are_told(database: Database) -> None:
    user, viewer = await stored_user(database, "ada")
    uploader = structs.replace(viewer, permissions=frozenset(Permission))
    with acting(Actor(user_id=user.id, handle="ada", action="test")):
        await database.store.replace(structs.replace(user, email="ada@example.org"))
        file = await database.files.begin(uploader, "reads.fq", FileType.READS)
        await database.files.delete(uploader, file.id)
    found = await database.audit.find(ADMINISTRATOR, order=(Order("at"),), page=Page(first=None))
    assert [(entry.deed, entry.collection, entry.document_id, entry.fields) for entry in found.documents] == [
        (Deed.UPDATE, "users", user.id, ("email",)),
        (Deed.INSERT, "files", file.id, ()),
        (Deed.DELETE, "files", file.id, ()),
    ]


async def test_it_is_only_added_to(database: Database) -> None:
    entry = await noted(database)
    with pytest.raises(Forbidden, match="only added to"):
        await database.store.delete(entry)
    with pytest.raises(Forbidden, match="only added to"):
        await database.store.replace(structs.replace(entry, handle="Bob"))
