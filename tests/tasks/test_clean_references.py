"""What references and tasks that are gone have left behind is found."""

import pytest
from msgspec import structs

from tests.factories.files import ready_file
from tests.factories.otus import stored_otu
from tests.factories.references import stored_reference
from tests.factories.tasks import performed, stored_task
from virtool_gql.db.database import Database
from virtool_gql.models.files import File, FileType
from virtool_gql.models.otus import OTU
from virtool_gql.models.references import Reference, Update
from virtool_gql.models.tasks import DeleteReference, Refresh, Task, TaskState, TaskType
from virtool_gql.query import Eq
from virtool_gql.tasks.bodies import WORKS
from virtool_gql.tasks.clean_references import ReferenceCleaning


class HastyCleaning(ReferenceCleaning):
    patience_seconds = 0.01


async def cleaned(db: Database) -> Task:
    task = await stored_task(db, None, TaskType.CLEAN_REFERENCES, Refresh())
    ended = await performed(db, task, works=WORKS | {TaskType.CLEAN_REFERENCES: HastyCleaning})
    assert ended.state is TaskState.COMPLETE
    return ended


async def otus_of(db: Database, reference: Reference) -> int:
    return await db.store.count(OTU, Eq("reference_id", reference.id))


async def test_parts_of_no_reference_are_deleted(each_db: Database) -> None:
    there, gone, deleting = [await stored_reference(each_db, name) for name in ("There", "Gone", "Deleting")]
    for reference in (there, gone, deleting):
        await stored_otu(each_db, reference.id)
    await each_db.store.delete(gone)
    await each_db.store.delete(deleting)
    args = DeleteReference(reference_id=deleting.id, name="Deleting")
    await stored_task(each_db, args=args, reference_id=deleting.id)
    await cleaned(each_db)
    assert [await otus_of(each_db, reference) for reference in (there, gone, deleting)] == [1, 0, 1]


async def test_nothing_is_done_where_all_is_well(db: Database) -> None:
    reference = await stored_reference(db)
    await stored_otu(db, reference.id)
    making = await stored_reference(db, "Making", ready=False)
    task = await stored_task(db, type=TaskType.IMPORT_REFERENCE, reference_id=making.id)
    making = (await db.store.replace(structs.replace(making, task_id=task.id)))[0]
    file = await ready_file(db, "reference.json.gz", FileType.REFERENCE)
    (file,) = await db.store.replace(structs.replace(file, reserved_by=making.id))
    reads = await ready_file(db)
    (reads,) = await db.store.replace(structs.replace(reads, reserved_by="sample00"))
    await cleaned(db)
    assert await otus_of(db, reference) == 1
    assert await db.store.get(Reference, making.id) == making
    assert await db.store.get_many(File, [file.id, reads.id]) == {file.id: file, reads.id: reads}


@pytest.mark.parametrize("user", ["gone", "ready"])
async def test_files_of_no_import_are_released(each_db: Database, user: str) -> None:
    file = await ready_file(each_db, "reference.json.gz", FileType.REFERENCE)
    reference = await stored_reference(each_db)
    await each_db.store.replace(structs.replace(file, reserved_by="gone0000" if user == "gone" else reference.id))
    await cleaned(each_db)
    released = await each_db.store.get(File, file.id)
    assert released is not None
    assert released.reserved_by is None


async def test_a_reference_that_will_never_be_ready_goes(db: Database) -> None:
    task = await stored_task(db, type=TaskType.CLONE_REFERENCE, state=TaskState.FAILED)
    lost = await stored_reference(db, "Lost", ready=False, task_id=task.id)
    await stored_otu(db, lost.id)
    await cleaned(db)
    assert await db.store.get(Reference, lost.id) is None
    assert await otus_of(db, lost) == 0


async def test_an_update_that_has_ended_unheard_is_taken_back(db: Database) -> None:
    """Upstream's hourly `clean_references`."""
    at = db.instance.clock()
    first, second = [
        Update(id=id, name=id, ready=ready, user_id="owner", created_at=at) for id, ready in (("a", True), ("b", False))
    ]
    running = await stored_task(db, type=TaskType.UPDATE_REMOTE_REFERENCE, state=TaskState.RUNNING)
    ended = await stored_task(db, type=TaskType.UPDATE_REMOTE_REFERENCE, state=TaskState.FAILED)
    updates = {"updating": True, "updates": (first, second)}
    stuck = await stored_reference(db, "Stuck", task_id=ended.id, **updates)
    under_way = await stored_reference(db, "Under way", task_id=running.id, **updates)
    await cleaned(db)
    found = await db.store.get_many(Reference, [stuck.id, under_way.id])
    assert (found[stuck.id].updating, found[stuck.id].updates) == (False, (first,))
    assert found[under_way.id] == under_way
