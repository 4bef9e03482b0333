import asyncio

import pytest

from tests.factories.files import begun_file, ready_file
from tests.factories.users import viewer_named
from virtool_gql.db.database import Database
from virtool_gql.db.reference_imports import NewImport
from virtool_gql.errors import BadUserInput, Conflict, Forbidden, NotFound
from virtool_gql.models.files import File, FileType
from virtool_gql.models.references import ImportedFrom, Reference
from virtool_gql.models.tasks import Task, TaskState, TaskType
from virtool_gql.models.users import Permission

STRANGER = viewer_named("stranger")
CURATOR = viewer_named("curator", Permission.CREATE_REF)
ADMINISTRATOR = viewer_named("admin", administrator=True)


async def reference_file(db: Database) -> File:
    return await ready_file(db, "plants.json.gz", FileType.REFERENCE)


async def test_who_may_import(db: Database) -> None:
    new = NewImport(file_id=(await reference_file(db)).id)
    with pytest.raises(Forbidden, match="CREATE_REF"):
        await db.reference_imports.create(STRANGER, new)
    assert await db.store.count(Reference) == 0
    for viewer in (CURATOR, ADMINISTRATOR):
        reference, _ = await db.reference_imports.create(viewer, NewImport(file_id=(await reference_file(db)).id))
        assert reference.user_id == viewer.user_id


async def test_reference_task_and_reservation_are_made_together(each_db: Database) -> None:
    db = each_db
    file = await reference_file(db)
    new = NewImport(file_id=file.id, name=" Plants ", description="Of all", organism="virus")
    reference, task = await db.reference_imports.create(CURATOR, new)
    assert (reference.name, reference.description, reference.organism) == ("Plants", "Of all", "virus")
    assert (reference.ready, reference.task_id) == (False, task.id)
    assert reference.imported_from == ImportedFrom(
        file_id=file.id,
        file_name="plants.json.gz",
        size=file.size or 0,
        uploaded_at=file.uploaded_at,
        user_id="uploader",
    )
    assert (task.type, task.state, task.reference_id) == (TaskType.IMPORT_REFERENCE, TaskState.WAITING, reference.id)
    assert task.args == {"reference_id": reference.id, "file_id": file.id}
    assert await db.store.get(Task, task.id) == task
    reserved = await db.store.get(File, file.id)
    assert reserved is not None
    assert reserved.reserved_by == reference.id


async def test_an_import_has_a_name_of_its_own(db: Database) -> None:
    reference, _ = await db.reference_imports.create(CURATOR, NewImport(file_id=(await reference_file(db)).id))
    assert reference.name == "Unnamed Import"
    with pytest.raises(BadUserInput) as error:
        await db.reference_imports.create(CURATOR, NewImport(file_id=(await reference_file(db)).id, name=" "))
    assert error.value.path == ("name",)


async def test_only_a_ready_file_of_a_reference_that_nobody_uses_is_imported(db: Database) -> None:
    reads, begun = await ready_file(db), await begun_file(db, "plants.json.gz", FileType.REFERENCE)
    taken = await reference_file(db)
    await db.reference_imports.create(CURATOR, NewImport(file_id=taken.id))
    for id, kind, sentence in (
        ("none0000", NotFound, "File not found."),
        ("../etc", NotFound, "File not found."),
        (reads.id, BadUserInput, "was not uploaded as a reference"),
        (begun.id, Conflict, "still being uploaded"),
        (taken.id, Conflict, "already being used by a reference"),
    ):
        with pytest.raises(kind, match=sentence) as error:
            await db.reference_imports.create(CURATOR, NewImport(file_id=id))
        assert error.value.path == ("file_id",)
    assert (await db.store.count(Reference), await db.store.count(Task)) == (1, 1)


async def test_the_same_key_gives_the_same_reference_and_task(db: Database) -> None:
    new = NewImport(file_id=(await reference_file(db)).id)
    made = await asyncio.gather(*(db.reference_imports.create(CURATOR, new, idempotency_key="once") for _ in range(4)))
    assert len({reference.id for reference, _ in made}) == len({task.id for _, task in made}) == 1
    await db.store.delete(made[0][1])
    with pytest.raises(Conflict, match="its task is gone"):
        await db.reference_imports.create(CURATOR, new, idempotency_key="once")


async def test_of_many_who_want_one_file_one_gets_it(each_db: Database) -> None:
    new = NewImport(file_id=(await reference_file(each_db)).id)
    asked = (each_db.reference_imports.create(CURATOR, new) for _ in range(5))
    answers = await asyncio.gather(*asked, return_exceptions=True)
    refused = [answer for answer in answers if isinstance(answer, BaseException)]
    assert len(refused) == 4
    assert all(isinstance(answer, Conflict) for answer in refused)
    assert await each_db.store.count(Reference) == 1
