"""Tasks done in the test's own process: their steps, their progress, and all ways to end."""

import asyncio
import errno
import logging
import threading
from collections.abc import Awaitable, Callable, Sequence
from contextlib import aclosing
from typing import Any

import pytest
from msgspec import structs

from tests.factories.conditions import until
from tests.factories.references import stored_reference
from tests.factories.tasks import performed, performer_of, runs_of, stored_task, task_now
from tests.factories.users import viewer_named
from virtool_gql.config import Config
from virtool_gql.db.database import Database
from virtool_gql.errors import BadUserInput, StaleDocument, UpstreamUnavailable
from virtool_gql.executors import run_in_thread
from virtool_gql.models.documents import now
from virtool_gql.models.references import Reference
from virtool_gql.models.tasks import DeleteReference, Problem, Task, TaskState, TaskType
from virtool_gql.stores.documents import Documents
from virtool_gql.tasks.performer import DISK_FULL, FAULT, GONE, MEMORY_FULL, Timing
from virtool_gql.tasks.work import AnyWork, Step, SubjectGone, TaskFailed, Work

ADMINISTRATOR = viewer_named("admin", administrator=True)
FAST = Timing(report=0.05, look=0.01, renew=0.2, retry=0.1, patience=1)
Does = Callable[[AnyWork], Awaitable[None]]


async def nothing(_: AnyWork) -> None:
    return


def work_of(*does: Does, finish: Any = None, give_up: Any = None, **attributes: Any) -> dict[TaskType, type[AnyWork]]:
    """Give works of which one does, in its steps, what the test says."""

    class Tested(Work[DeleteReference]):
        type = TaskType.DELETE_REFERENCE
        arguments = DeleteReference

        @property
        def steps(self) -> Sequence[Step]:
            return [getattr(self, f"step_{number}") for number in range(len(does))]

        async def finish(self, documents: Documents) -> None:
            if finish is not None:
                await finish(self, documents)

        async def give_up(self, documents: Documents) -> None:
            if give_up is not None:
                await give_up(self, documents)

    def step(does: Does) -> Any:
        async def taken(self: AnyWork) -> None:
            await does(self)

        return taken

    for number, each in enumerate(does):
        method = step(each)
        method.__name__ = f"step_{number}"
        setattr(Tested, f"step_{number}", method)
    for name, value in attributes.items():
        setattr(Tested, name, value)
    return {TaskType.DELETE_REFERENCE: Tested}


def raising(error: BaseException) -> Does:
    async def fail(_: AnyWork) -> None:
        raise error

    return fail


async def test_a_task_goes_through_its_steps_to_its_completion(each_db: Database) -> None:
    taken: list[str] = []

    async def note(work: AnyWork) -> None:
        taken.append(f"{work.args.name} {len(taken)}")

    async def finish(work: AnyWork, documents: Documents) -> None:
        assert work.held.config.port == 4711
        taken.append("finish")
        await documents.delete(*(await documents.find(Reference)).documents)

    await stored_reference(each_db)
    ended = await performed(each_db, await stored_task(each_db), Config(port=4711), work_of(note, note, finish=finish))
    assert taken == ["Gone 0", "Gone 1", "finish"]
    assert (ended.state, ended.progress, ended.attempts, ended.error) == (TaskState.COMPLETE, 1.0, 1, None)
    assert (ended.lease_token, ended.lease_runner) == (None, None)
    assert ended.step == "finish"  # which nobody had the time to report
    assert await each_db.store.count(Reference) == 0


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (TaskFailed("The file is broken."), "The file is broken."),
        (BadUserInput("The name is taken."), "The name is taken."),
        (SubjectGone(), GONE),
        (OSError(errno.ENOSPC, "no space"), DISK_FULL),
        (MemoryError(), MEMORY_FULL),
        (ZeroDivisionError("secret"), FAULT),
    ],
    ids=lambda value: type(value).__name__,
)
async def test_a_step_that_fails_fails_the_task_with_a_sentence(
    each_db: Database, error: Exception, sentence: str
) -> None:
    """Upstream's `Process.error()` did not stop the steps that follow, and the task was complete (9.1, 29)."""
    taken: list[str] = []

    async def later(_: AnyWork) -> None:
        taken.append("later")

    async def give_up(work: AnyWork, documents: Documents) -> None:
        taken.append(f"give up {work.args.reference_id}")
        await documents.delete(*(await documents.find(Reference)).documents)

    async def finish(_: AnyWork, __: Documents) -> None:
        taken.append("finish")

    await stored_reference(each_db)
    works = work_of(raising(error), later, finish=finish, give_up=give_up)
    ended = await performed(each_db, await stored_task(each_db), works=works)
    assert (ended.state, ended.error, ended.step) == (TaskState.FAILED, sentence, "step_0")
    assert taken == ["give up gone0000"]
    assert await each_db.store.count(Reference) == 0


async def test_a_failure_in_the_last_writes_leaves_none_of_them(each_db: Database) -> None:
    async def finish(_: AnyWork, documents: Documents) -> None:
        await documents.delete(*(await documents.find(Reference)).documents)
        raise TaskFailed("One OTU of two thousand is wrong.", [Problem(message="It is wrong.", otu_name="Virus")])

    await stored_reference(each_db)
    ended = await performed(each_db, await stored_task(each_db), works=work_of(finish=finish))
    assert (ended.state, ended.error) == (TaskState.FAILED, "One OTU of two thousand is wrong.")
    assert [problem.otu_name for problem in ended.problems] == ["Virus"]
    assert await each_db.store.count(Reference) == 1


async def test_what_cannot_be_undone_does_not_keep_a_task_from_its_end(
    db: Database, caplog: pytest.LogCaptureFixture
) -> None:
    async def give_up(_: AnyWork, __: Documents) -> None:
        raise ZeroDivisionError

    works = work_of(raising(TaskFailed("Broken.")), give_up=give_up)
    ended = await performed(db, await stored_task(db), works=works)
    assert (ended.state, ended.error) == (TaskState.FAILED, "Broken.")
    assert "cannot be undone" in caplog.text


async def test_arguments_that_cannot_be_read_fail_the_task(db: Database, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL, "virtool_gql.tasks.performer")
    task = await stored_task(db)
    await db.store.replace(structs.replace(task, args={"unknown": 1}))
    assert (await performed(db, task, works=work_of(nothing))).error == FAULT


async def test_warnings_are_told_with_the_end(db: Database) -> None:
    async def warn(work: AnyWork) -> None:
        work.held.warn([Problem(message="Odd.")])
        work.held.warn([Problem(message="Odder.", otu_id="o1")])

    ended = await performed(db, await stored_task(db), works=work_of(warn))
    assert [warning.message for warning in ended.warnings] == ["Odd.", "Odder."]


async def test_the_last_writes_are_done_again_when_somebody_was_faster(each_db: Database) -> None:
    tries: list[int] = []

    async def finish(_: AnyWork, documents: Documents) -> None:
        found = await documents.get(Reference, reference.id)
        assert found is not None
        tries.append(found.version)
        if len(tries) < 3:
            raise StaleDocument("Somebody else was faster.")
        await documents.replace(structs.replace(found, ready=True))

    reference = await stored_reference(each_db, ready=False)
    performer = performer_of(each_db, works=work_of(finish=finish), timing=FAST)
    task = await stored_task(each_db)
    leased = await runs_of(each_db).lease(task, "test")
    assert leased is not None
    ended = await performer.perform(leased)
    assert ended is not None
    assert ended.state is TaskState.COMPLETE
    assert len(tries) == 3


async def test_a_service_that_does_not_answer_has_the_task_tried_again_later_but_not_for_ever(db: Database) -> None:
    down = work_of(raising(UpstreamUnavailable("GitHub cannot be reached.")), most_attempts=3)
    task = await stored_task(db)
    due: list[str] = []
    for attempt in (1, 2):
        waiting = await performed(db, task, works=down)
        assert (waiting.state, waiting.attempts, waiting.error) == (TaskState.WAITING, attempt, None)
        due.append(waiting.due_at)
        assert waiting.due_at > waiting.updated_at
    assert due == sorted(due)
    ended = await performed(db, task, works=down)
    assert (ended.state, ended.attempts, ended.error) == (TaskState.FAILED, 3, "GitHub cannot be reached.")


async def test_a_task_whose_process_was_killed_too_often_fails_with_a_sentence(db: Database) -> None:
    undone: list[str] = []

    async def give_up(work: AnyWork, _: Documents) -> None:
        undone.append(work.args.reference_id)

    task = await stored_task(db, attempts=3)
    ended = await performed(db, task, works=work_of(nothing, give_up=give_up))
    assert ended.state is TaskState.FAILED
    assert ended.error is not None
    assert ended.error.startswith("The process that did this was stopped 3 times")
    assert undone == ["gone0000"]


async def test_progress_is_told_to_subscribers_and_never_more_than_four_times_in_a_second(db: Database) -> None:
    async def work(task: AnyWork) -> None:
        for part in range(1, 151):
            task.held.within(part / 150)
            await asyncio.sleep(0.01)

    task = await stored_task(db)
    changes = db.tasks.changes(lambda: ADMINISTRATOR)
    first = asyncio.ensure_future(anext(changes))
    await asyncio.wait({first}, timeout=0.2)
    leased = await runs_of(db).lease(task, "test")
    assert leased is not None
    performer = performer_of(db, works=work_of(work, work))
    began = asyncio.get_running_loop().time()
    performing = asyncio.create_task(performer.perform(leased))
    told = [(await first).document]
    async with aclosing(changes), asyncio.timeout(20):
        while told[-1]["state"] != "complete":
            told.append((await anext(changes)).document)
    await performing
    seconds = asyncio.get_running_loop().time() - began
    progress = [document["progress"] for document in told]
    assert progress == sorted(progress)
    assert 5 <= len(told) <= 2 * seconds + 3, "two in each second, beside the beginning and the end"
    assert {document["step"] for document in told} >= {"step_0", "step_1"}


async def test_a_lease_is_renewed_while_a_thread_computes(db: Database) -> None:
    computing = threading.Event()

    async def compute(_: AnyWork) -> None:
        await run_in_thread(computing.wait, 20)

    task = await stored_task(db)
    leased = await runs_of(db).lease(task, "test")
    assert leased is not None
    performing = asyncio.create_task(performer_of(db, works=work_of(compute), timing=FAST).perform(leased))
    seen: set[Any] = set()

    async def renewed_again_and_again() -> bool:
        seen.add((await task_now(db, task)).lease_expires_at)
        return len(seen) > 3

    await until(renewed_again_and_again)
    computing.set()
    ended = await performing
    assert ended is not None
    assert ended.state is TaskState.COMPLETE


async def test_a_task_that_was_taken_over_is_left_alone(db: Database) -> None:
    going_on = asyncio.Event()
    performing, leased = await _begun(db, lambda _: going_on.wait())
    held = await task_now(db, leased)
    await db.store.replace(structs.replace(held, lease_token="another's", lease_runner="another"))
    assert await performing is None
    after = await task_now(db, leased)
    assert (after.lease_token, after.state) == ("another's", TaskState.RUNNING)


async def test_a_task_that_is_stopped_waits_again_uncounted(db: Database) -> None:
    performing, leased = await _begun(db, lambda _: asyncio.Event().wait())
    performing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await performing
    after = await task_now(db, leased)
    assert (after.state, after.attempts, after.lease_token) == (TaskState.WAITING, 0, None)
    assert (await performed(db, after, works=work_of(nothing))).state is TaskState.COMPLETE


async def test_a_stop_in_the_middle_of_the_last_writes_leaves_none_of_them(each_db: Database) -> None:
    reached = asyncio.Event()

    async def finish(_: AnyWork, documents: Documents) -> None:
        await documents.delete(*(await documents.find(Reference)).documents)
        reached.set()
        await asyncio.Event().wait()

    await stored_reference(each_db)
    task = await stored_task(each_db)
    leased = await runs_of(each_db).lease(task, "test")
    assert leased is not None
    performing = asyncio.create_task(performer_of(each_db, works=work_of(finish=finish)).perform(leased))
    await reached.wait()
    performing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await performing
    assert await each_db.store.count(Reference) == 1
    assert (await task_now(each_db, task)).state is TaskState.WAITING


async def test_fenced_writes_between(db: Database) -> None:
    async def write(work: AnyWork) -> None:
        await work.held.fenced(lambda documents: documents.replace(structs.replace(reference, ready=True)))

    reference = await stored_reference(db, ready=False)
    assert (await performed(db, await stored_task(db), works=work_of(write))).state is TaskState.COMPLETE
    found = await db.store.get(Reference, reference.id)
    assert found is not None
    assert found.ready


async def test_with_two_stores_a_task_waits_for_its_reference_which_is_committed_after_it(split_db: Database) -> None:
    seen: list[bool] = []

    async def look(_: AnyWork) -> None:
        seen.append(await split_db.store.get(Reference, "late0000") is not None)

    task = await stored_task(split_db, reference_id="late0000")
    leased = await runs_of(split_db).lease(task, "test")
    assert leased is not None
    performing = asyncio.create_task(performer_of(split_db, works=work_of(look)).perform(leased))
    await asyncio.wait({performing}, timeout=0.3)
    assert not performing.done()
    at = now()
    await split_db.store.insert(
        Reference(id="late0000", name="L", name_key="l", user_id="bob", created_at=at, updated_at=at)
    )
    await performing
    assert seen == [True]


async def _begun(db: Database, does: Callable[[AnyWork], Awaitable[object]]) -> tuple[asyncio.Task[Any], Task]:
    """Have a task that is being done, in its only step."""
    reached = asyncio.Event()

    async def step(work: AnyWork) -> None:
        reached.set()
        await does(work)

    leased = await runs_of(db).lease(await stored_task(db), "test")
    assert leased is not None
    performing = asyncio.create_task(performer_of(db, works=work_of(step), timing=FAST).perform(leased))
    await reached.wait()
    return performing, leased
