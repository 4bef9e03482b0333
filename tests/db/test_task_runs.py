"""Leases of tasks: one worker holds one, and nobody writes for a task that they do not hold."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from msgspec import structs
from sqlalchemy import text

from tests.factories.database import SteppingClock
from tests.factories.tasks import runs_of, stored_task, task_now
from virtool_gql.db.database import Database
from virtool_gql.db.task_runs import KEPT, LeaseLost, Remarks, TaskRuns, nothing
from virtool_gql.errors import NotFound, StaleDocument, UpstreamUnavailable
from virtool_gql.models.documents import moment_of, timestamp
from virtool_gql.models.labels import Label
from virtool_gql.models.samples import Sample
from virtool_gql.models.tasks import DeleteReference, Problem, Refresh, Task, TaskState, TaskType
from virtool_gql.query import Eq, Page
from virtool_gql.stores.documents import Documents
from virtool_gql.stores.postgres import PostgresStore
from virtool_gql.stores.routed import RoutedStore

DELETE, CLONE = TaskType.DELETE_REFERENCE, TaskType.CLONE_REFERENCE
REFRESH = TaskType.REFRESH_SOFTWARE
HOUR = 3600.0


def label(id: str) -> Label:
    return Label(id=id, name=id, name_key=id, user_id="bob", created_at=timestamp(SteppingClock().moment))


def sample(id: str) -> Sample:
    at = timestamp(SteppingClock().moment)
    return Sample(id=id, name=id, unique_key=id, user_id="bob", created_at=at, updated_at=at)


async def acquired(db: Database, **values: Any) -> Task:
    await stored_task(db, **values)
    task = await runs_of(db).acquire("worker", [DELETE])
    assert task is not None
    return task


async def test_a_waiting_task_is_leased_to_one_worker(db: Database) -> None:
    await stored_task(db)
    both = await asyncio.gather(*(runs_of(db).acquire(f"worker {number}", [DELETE]) for number in range(10)))
    (task,) = [task for task in both if task]
    assert (task.state, task.attempts) == (TaskState.RUNNING, 1)
    assert task.lease_token
    assert await runs_of(db).acquire("another", [DELETE]) is None


async def test_two_workers_share_the_tasks(db: Database) -> None:
    tasks = {(await stored_task(db)).id for _ in range(20)}
    taken: list[str] = []

    async def take(name: str) -> None:
        while len(taken) < 20:
            if task := await runs_of(db).acquire(name, [DELETE]):
                taken.append(task.id)

    async with asyncio.timeout(20):
        await asyncio.gather(take("one"), take("two"), take("three"))
    assert len(taken) == 20
    assert set(taken) == tasks


async def test_the_task_that_is_due_first_comes_first_and_only_those_of_the_types(db: Database) -> None:
    at = moment_of(db.instance.clock())
    later, sooner = [
        await stored_task(db, due_at=timestamp(at - timedelta(seconds=seconds)), created_at=timestamp(at))
        for seconds in (10, 20)
    ]
    await stored_task(db, due_at=timestamp(at + timedelta(hours=1)))
    await stored_task(db, type=CLONE, due_at=timestamp(at - timedelta(hours=1)))
    runs = runs_of(db)
    taken = [await runs.acquire("worker", [DELETE]) for _ in range(3)]
    assert [task and task.id for task in taken] == [sooner.id, later.id, None]


async def test_a_lease_that_has_run_out_is_taken_over_and_the_first_worker_writes_nothing_more(
    each_db: Database, clock: SteppingClock
) -> None:
    lost = await acquired(each_db)
    runs = runs_of(each_db)
    clock.moment += timedelta(seconds=29)
    assert await runs.acquire("another", [DELETE]) is None
    clock.moment += timedelta(seconds=2)
    held = await runs.acquire("another", [DELETE])
    assert held is not None
    assert (held.id, held.attempts) == (lost.id, 2)

    async def write(documents: Documents) -> None:
        await documents.insert(label("late0000"))
        await documents.insert(sample("late0000"))

    for attempt in (
        lambda: runs.renew(lost),
        lambda: runs.report(lost, "step", 0.9),
        lambda: runs.fenced(lost, write),
        lambda: runs.finish(lost, write, Remarks()),
        lambda: runs.fail(lost, "Too late.", write, Remarks()),
        lambda: runs.retry(lost, 1),
        lambda: runs.release(lost),
    ):
        with pytest.raises(LeaseLost):
            await attempt()
    assert await each_db.store.get(Label, "late0000") is None
    assert await each_db.store.get(Sample, "late0000") is None
    assert await task_now(each_db, held) == held


async def test_a_lease_that_is_renewed_stays(db: Database, clock: SteppingClock) -> None:
    task = await acquired(db)
    for _ in range(5):
        clock.moment += timedelta(seconds=25)
        await runs_of(db).renew(task)
        assert await runs_of(db).acquire("another", [DELETE]) is None


async def test_progress_never_goes_back_also_over_attempts(db: Database) -> None:
    runs, task = runs_of(db), await acquired(db)
    for told, known in ((0.2, 0.2), (0.6, 0.6), (0.4, 0.6), (7.0, 1.0)):
        assert (await runs.report(task, "step", told)).progress == known
    await runs.retry(task, 0)
    again = await runs.acquire("worker", [DELETE])
    assert again is not None
    assert (await runs.report(again, "first", 0.0)).progress == 1.0


async def test_a_report_is_one_write(db: Database) -> None:
    task = await acquired(db)
    assert (await runs_of(db).report(task, "step", 0.5)).version == task.version + 1


async def test_a_task_ends_together_with_its_last_writes(each_db: Database) -> None:
    runs, task = runs_of(each_db), await acquired(each_db)

    async def write(documents: Documents) -> None:
        await documents.insert(label("made0000"))
        await documents.insert(sample("made0000"))

    remarks = Remarks(warnings=(Problem(message="Odd."),))
    ended = await runs.finish(task, write, remarks)
    assert (ended.state, ended.progress, ended.warnings) == (TaskState.COMPLETE, 1.0, remarks.warnings)
    assert (ended.lease_token, ended.lease_runner, ended.lease_expires_at) == (None, None, None)
    assert await each_db.store.get(Label, "made0000") is not None
    assert await each_db.store.get(Sample, "made0000") is not None


async def test_a_task_whose_last_writes_fail_has_not_ended(each_db: Database) -> None:
    runs, task = runs_of(each_db), await acquired(each_db)

    async def write(documents: Documents) -> None:
        await documents.insert(label("made0000"))
        await documents.insert(sample("made0000"))
        raise NotFound("Something is missing.")

    with pytest.raises(NotFound):
        await runs.finish(task, write, Remarks())
    assert await each_db.store.get(Label, "made0000") is None
    assert await each_db.store.get(Sample, "made0000") is None
    assert (await task_now(each_db, task)).state is TaskState.RUNNING


FUNCTION = """CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION USING ERRCODE = '57014'; END $$"""
TRIGGER = """CREATE CONSTRAINT TRIGGER refused AFTER INSERT ON documents.samples
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION refuse()"""


async def test_a_task_is_not_complete_when_its_documents_are_lost_at_the_very_commit(
    store: PostgresStore, rows: PostgresStore
) -> None:
    """Rows and documents in two stores, of which the one of documents dies between the two commits."""
    async with store.engine.begin() as connection:
        for statement in (FUNCTION, TRIGGER):
            await connection.execute(text(statement))
    clock, ids = SteppingClock(), iter(f"id{number:06}" for number in range(100))
    both = RoutedStore(store, rows)
    runs = TaskRuns(both, clock=clock, new_id=lambda: next(ids))
    at = clock()
    task = Task(id="task0000", type=DELETE, due_at=at, created_at=at, updated_at=at)
    await both.insert(task)
    held = await runs.acquire("worker", [DELETE])
    assert held is not None
    with pytest.raises(UpstreamUnavailable):
        await runs.finish(held, lambda documents: documents.insert(sample("lost0000")), Remarks())
    assert await both.get(Sample, "lost0000") is None
    found = await both.get(Task, "task0000")
    assert found is not None
    assert (found.state, found.lease_token) == (TaskState.RUNNING, held.lease_token)


async def test_renewals_do_not_disturb_the_end(db: Database) -> None:
    runs, task = runs_of(db), await acquired(db)

    async def write(documents: Documents) -> None:
        for number in range(30):
            await documents.insert(label(f"label{number:03}"))
            await runs.renew(task)

    await runs.report(task, "load_file", 0.2)
    ended = await runs.finish(task, write, Remarks())
    assert (ended.state, ended.step) == (TaskState.COMPLETE, "load_file")


async def test_a_failure_tells_all_that_is_wrong_and_undoes_in_the_same_transaction(each_db: Database) -> None:
    (made,) = await each_db.store.insert(sample("made0000"))
    runs, task = runs_of(each_db), await acquired(each_db)
    problems = (Problem(message="Bad.", otu_id="o1", otu_name="Virus"), Problem(message="Worse."))
    remarks = Remarks(step="insert", problems=problems)
    ended = await runs.fail(task, "The file is broken.", lambda d: d.delete(made), remarks)
    assert ended.step == "insert"
    assert (ended.state, ended.error, ended.problems) == (TaskState.FAILED, "The file is broken.", problems)
    assert await each_db.store.get(Sample, "made0000") is None


async def test_a_task_waits_before_it_is_tried_again(db: Database, clock: SteppingClock) -> None:
    runs, task = runs_of(db), await acquired(db)
    waiting = await runs.retry(task, 60)
    assert (waiting.state, waiting.attempts, waiting.lease_token) == (TaskState.WAITING, 1, None)
    assert await runs.acquire("worker", [DELETE]) is None
    clock.moment += timedelta(seconds=61)
    again = await runs.acquire("worker", [DELETE])
    assert again is not None
    assert again.attempts == 2


async def test_a_stop_does_not_count_as_an_attempt(db: Database) -> None:
    runs, task = runs_of(db), await acquired(db)
    await runs.release(task)
    again = await runs.acquire("worker", [DELETE])
    assert again is not None
    assert again.attempts == 1


async def test_the_tasks_of_the_dead_can_be_taken_over_at_once(db: Database) -> None:
    runs, task = runs_of(db), await acquired(db)
    await runs.abandon_all()
    with pytest.raises(LeaseLost):
        await runs.renew(task)
    again = await runs.acquire("another", [DELETE])
    assert again is not None
    assert (again.id, again.attempts) == (task.id, 2)
    assert not await runs.abandon(task), "somebody has done so"


async def of_type(db: Database, type: TaskType = REFRESH) -> list[Task]:
    return (await db.store.find(Task, Eq("type", type), page=Page(first=None))).documents


async def test_one_periodic_task_of_a_type_is_outstanding_however_many_workers_want_it(db: Database) -> None:
    wanted = (runs_of(db).have_periodic(REFRESH, Refresh(), HOUR) for _ in range(10))
    await asyncio.gather(*wanted)
    (task,) = await of_type(db)
    assert (task.periodic_key, task.state, task.user_id) == (REFRESH, TaskState.WAITING, None)


async def test_periodic_tasks_do_not_pile_up_while_no_worker_runs(db: Database, clock: SteppingClock) -> None:
    runs = runs_of(db)
    for _ in range(50):
        await runs.have_periodic(REFRESH, Refresh(), HOUR)
        clock.moment += timedelta(hours=1)
    assert len(await of_type(db)) == 1
    task = await runs.acquire("worker", [REFRESH])
    assert task is not None
    await runs.finish(task, nothing, Remarks(next_seconds=HOUR))
    assert await runs.acquire("worker", [REFRESH]) is None, "it is not made up for"


async def test_the_next_periodic_task_is_due_after_its_interval(each_db: Database, clock: SteppingClock) -> None:
    runs = runs_of(each_db)
    await runs.have_periodic(REFRESH, Refresh(), HOUR)
    first = await runs.acquire("worker", [REFRESH])
    assert first is not None
    await runs.fail(first, "GitHub cannot be reached.", nothing, Remarks(next_seconds=HOUR))
    assert await runs.acquire("worker", [REFRESH]) is None
    clock.moment += timedelta(hours=1)
    second = await runs.acquire("worker", [REFRESH])
    assert second is not None
    assert second.id != first.id


async def test_the_latest_few_ended_periodic_tasks_stay(db: Database, clock: SteppingClock) -> None:
    runs = runs_of(db)
    await runs.have_periodic(REFRESH, Refresh(), HOUR)
    ids = []
    for _ in range(8):
        task = await runs.acquire("worker", [REFRESH])
        assert task is not None
        ids.append((await runs.finish(task, nothing, Remarks(next_seconds=HOUR))).id)
        clock.moment += timedelta(hours=1)
    kept = [task for task in await of_type(db) if task.ended]
    assert {task.id for task in kept} == set(ids[-KEPT:])
    assert len(await of_type(db)) == KEPT + 1


async def test_a_shorter_interval_brings_the_outstanding_task_forward(db: Database, clock: SteppingClock) -> None:
    runs = runs_of(db)
    await runs.have_periodic(REFRESH, Refresh(), HOUR)
    task = await runs.acquire("worker", [REFRESH])
    assert task is not None
    await runs.finish(task, nothing, Remarks(next_seconds=100 * HOUR))
    await runs.have_periodic(REFRESH, Refresh(), HOUR)
    clock.moment += timedelta(hours=1, seconds=1)
    assert await runs.acquire("worker", [REFRESH]) is not None


async def test_a_task_that_others_change_all_the_time_is_given_up(db: Database) -> None:
    task = await acquired(db)
    await db.store.delete(await task_now(db, task))
    with pytest.raises(LeaseLost):
        await runs_of(db).renew(task)


async def test_fenced_writes_are_committed_while_the_task_is_held(each_db: Database) -> None:
    runs, task = runs_of(each_db), await acquired(each_db)
    (written,) = await runs.fenced(task, lambda documents: documents.insert(sample("made0000")))
    assert await each_db.store.get(Sample, "made0000") == written
    assert (await task_now(each_db, task)).state is TaskState.RUNNING


async def test_a_stale_document_is_told_and_nothing_is_written(db: Database) -> None:
    (stored,) = await db.store.insert(sample("made0000"))
    await db.store.replace(structs.replace(stored, notes="Changed."))
    runs, task = runs_of(db), await acquired(db)
    with pytest.raises(StaleDocument):
        await runs.finish(task, lambda documents: documents.replace(stored), Remarks())
    assert (await task_now(db, task)).state is TaskState.RUNNING
    assert DeleteReference(**task.args)
