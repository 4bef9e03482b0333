"""Who reads which tasks, and who is told of them."""

import asyncio
from contextlib import aclosing

import pytest

from tests.factories.references import member, stored_reference
from tests.factories.tasks import changed_task, stored_task
from tests.factories.users import viewer_named
from virtool_gql.access import Viewer
from virtool_gql.db.database import Database
from virtool_gql.db.tasks import TASKS_CHANNEL
from virtool_gql.errors import NotFound
from virtool_gql.models.references import Right
from virtool_gql.models.tasks import DeleteReference, Task, TaskType

STRANGER = viewer_named("stranger", groups=["others"])
READER = viewer_named("reader")
GROUPED = viewer_named("grouped", groups=["readers"])
WRITER = viewer_named("writer")
ASKER = viewer_named("asker")
OWNER = viewer_named("owner")
ADMINISTRATOR = viewer_named("admin", administrator=True)

OF_REFERENCE = [READER, GROUPED, WRITER, OWNER, ADMINISTRATOR]


async def task_of_reference(db: Database) -> Task:
    users, groups = (member("reader"), member("writer", *Right)), (member("readers"),)
    reference = await stored_reference(db, users=users, groups=groups)
    return await stored_task(db, "asker", TaskType.DELETE_REFERENCE, reference_id=reference.id)


async def readable(db: Database, viewer: Viewer, task: Task) -> bool:
    found = (await db.tasks.find(viewer)).documents
    assert await db.tasks.count(viewer) == len(found) == len(await db.tasks.get_many(viewer, [task.id]))
    try:
        return await db.tasks.get(viewer, task.id) == task and found == [task]
    except NotFound:
        assert found == []
        return False


@pytest.mark.parametrize("viewer", [STRANGER, ASKER, *OF_REFERENCE], ids=lambda viewer: viewer.handle)
async def test_a_task_is_read_by_who_asked_for_it_and_by_readers_of_its_reference(
    each_db: Database, viewer: Viewer
) -> None:
    task = await task_of_reference(each_db)
    assert await readable(each_db, viewer, task) == (viewer is not STRANGER)


@pytest.mark.parametrize("viewer", [STRANGER, OWNER, ADMINISTRATOR], ids=lambda viewer: viewer.handle)
async def test_what_the_server_does_by_itself_is_for_administrators(each_db: Database, viewer: Viewer) -> None:
    task = await stored_task(each_db, None)
    assert await readable(each_db, viewer, task) == (viewer is ADMINISTRATOR)


async def test_a_task_outlives_its_reference_for_who_asked_for_it(db: Database) -> None:
    task = await stored_task(db, "asker", reference_id="gone0000")
    assert await readable(db, ASKER, task)
    assert not await readable(db, OWNER, task)


@pytest.mark.parametrize("viewer", [READER, ASKER, ADMINISTRATOR], ids=lambda viewer: viewer.handle)
async def test_changes_are_told_to_readers_and_to_nobody_else(each_db: Database, viewer: Viewer) -> None:
    told, untold = each_db.tasks.changes(lambda: viewer), each_db.tasks.changes(lambda: STRANGER)
    first, never = asyncio.ensure_future(anext(told)), asyncio.ensure_future(anext(untold))
    await asyncio.wait({first}, timeout=0.2)  # both subscribe
    task = await task_of_reference(each_db)
    own = await stored_task(each_db, "stranger")
    async with aclosing(told), aclosing(untold), asyncio.timeout(20):
        assert (await first).ids == (task.id,)
        await changed_task(each_db, task, progress=0.5)
        change = await anext(told)
        while change.ids != (task.id,):  # the other task, for administrators
            change = await anext(told)
        assert change.document["progress"] == 0.5
        assert (await never).ids == (own.id,), "the stranger heard of their own task alone"


async def test_arguments_and_leases_are_told_to_nobody(db: Database) -> None:
    changes = db.tasks.changes(lambda: ADMINISTRATOR)
    first = asyncio.ensure_future(anext(changes))
    await asyncio.wait({first}, timeout=0.2)
    await stored_task(db, lease_token="secret", args=DeleteReference(reference_id="r", name="secret"))
    change = await asyncio.wait_for(first, 20)
    await changes.aclose()
    assert not {"args", "lease_token", "lease_runner", "lease_expires_at", "periodic_key"} & change.document.keys()
    assert "secret" not in str(change.document)


async def test_a_new_task_waits_and_is_due_at_once(db: Database) -> None:
    args = DeleteReference(reference_id="r1", name="Plant Viruses")
    task = db.tasks.new(TaskType.DELETE_REFERENCE, args, user_id="bob", reference_id="r1")
    (task,) = await db.store.insert(task)
    assert task.args == {"reference_id": "r1", "name": "Plant Viruses"}
    assert task.due_at == task.created_at
    assert not task.ended


async def test_workers_hear_of_new_tasks(db: Database) -> None:
    async with db.signals.listening(TASKS_CHANNEL) as signals:
        await db.tasks.wake()
        assert await anext(signals) == ""
