"""Workers in processes of their own: stopped, killed and paused at bad moments, and each task is done once."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest
from redis.asyncio import Redis

from tests.factories.conditions import until
from tests.factories.tasks import stored_task, task_now
from tests.redis_server import redis_server
from virtool_gql.config import Config
from virtool_gql.db.database import Database
from virtool_gql.db.task_runs import KEPT
from virtool_gql.embedded import ServiceUrls
from virtool_gql.models.labels import Label
from virtool_gql.models.tasks import DeleteReference, Refresh, Task, TaskState, TaskType
from virtool_gql.query import Eq, Page
from virtool_gql.stores.opening import StoreUrls
from virtool_gql.stores.redis import Signals
from virtool_gql.tasks.settings import Settings, encoded

ROOT = Path(__file__).parents[2]
FAST = {"lease": 3, "renew": 0.5, "poll": 0.2, "sweep": 0.2, "plan": 0.2, "retry": 0.1, "fault": 0.1}
SLOW = FAST | {"poll": 60}
"""A worker that finds a task within seconds has heard of it."""

Workers = Callable[..., AbstractAsyncContextManager[psutil.Process]]


@pytest.fixture
def workers(services: ServiceUrls, postgres_url: str, db: Database) -> Workers:
    """Give a function that runs a worker in a process of its own."""

    @asynccontextmanager
    async def run(*, redis_url: str = services.redis, **timing: float) -> AsyncIterator[psutil.Process]:
        config = Config(data_path=db.places.data_path)
        settings = Settings(stores=StoreUrls(postgres_url), redis=redis_url, server_pid=os.getpid(), config=config)
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.tasks.worker_process", json.dumps(FAST | timing)),
            stdin=asyncio.subprocess.PIPE,
            cwd=ROOT,
        )
        try:
            assert process.stdin is not None
            process.stdin.write(encoded(settings))
            await process.stdin.drain()
            yield psutil.Process(process.pid)
        finally:
            if process.returncode is None:
                process.kill()
            await process.wait()

    return run


async def task_of(db: Database, id: str, where: str = "", type: TaskType = TaskType.DELETE_REFERENCE) -> Task:
    return await stored_task(db, type=type, args=DeleteReference(reference_id=id, name=where))


def reached(db: Database, where: str) -> list[Path]:
    return sorted(db.places.data_path.glob(f"{where}.*"))


def go(db: Database) -> None:
    (db.places.data_path / "go").touch()


async def done_once(db: Database, task: Task, *, attempts: int) -> None:
    """Wait until the task is complete, and see that it was done once."""

    async def has_ended() -> bool:
        return (await task_now(db, task)).ended

    await until(has_ended, 120)
    ended = await task_now(db, task)
    assert (ended.state, ended.error, ended.attempts) == (TaskState.COMPLETE, None, attempts)
    label = await db.store.get(Label, task.args["reference_id"])
    assert label is not None
    assert label.version == 1


async def test_a_worker_hears_of_a_task_at_once(db: Database, workers: Workers) -> None:
    async with workers(**SLOW):
        first = await task_of(db, "label001")
        await done_once(db, first, attempts=1)  # the worker is up
        second = await task_of(db, "label002")
        await db.tasks.wake()
        await done_once(db, second, attempts=1)


async def test_a_task_of_which_nobody_was_told_is_found(db: Database, workers: Workers) -> None:
    async with workers():
        for id in ("label001", "label002"):
            await done_once(db, await task_of(db, id), attempts=1)


@pytest.mark.parametrize("where", ["first", "second", "finish", "thread"])
async def test_a_task_whose_worker_is_killed_is_done_by_the_next_and_once(
    db: Database, workers: Workers, where: str
) -> None:
    task = await task_of(db, "label001", where)
    async with workers(lease=600) as worker:
        await until(lambda: reached(db, where))
        worker.kill()
    go(db)
    assert await db.store.get(Label, "label001") is None
    async with workers(lease=600):
        await done_once(db, task, attempts=2)  # long before the lease has run out


async def test_a_task_that_kills_its_worker_each_time_fails_in_the_end(db: Database, workers: Workers) -> None:
    task = await task_of(db, "label001", "second")
    for times in range(1, 4):
        async with workers() as worker:
            await until(lambda times=times: len(reached(db, "second")) == times)  # type: ignore[misc] # of the loop
            worker.kill()
    async with workers():
        await until(lambda: _has_ended(db, task), 60)
    ended = await task_now(db, task)
    assert ended.state is TaskState.FAILED
    assert ended.error is not None
    assert "was stopped 3 times" in ended.error


async def _has_ended(db: Database, task: Task) -> bool:
    return (await task_now(db, task)).ended


@pytest.mark.parametrize("where", ["second", "finish", "thread"])
async def test_a_worker_that_is_told_to_stop_leaves_its_task_to_others_uncounted(
    db: Database, workers: Workers, where: str
) -> None:
    task = await task_of(db, "label001", where)
    async with workers() as worker:
        await until(lambda: reached(db, where))
        worker.send_signal(signal.SIGTERM)
        await until(lambda: not worker.is_running() or worker.status() == psutil.STATUS_ZOMBIE, 10)
    waiting = await task_now(db, task)
    assert (waiting.state, waiting.attempts) == (TaskState.WAITING, 0)
    go(db)
    async with workers():
        await done_once(db, task, attempts=1)


async def test_what_a_paused_worker_writes_late_is_refused(db: Database, workers: Workers) -> None:
    task = await task_of(db, "label001", "second")
    async with workers() as paused:
        await until(lambda: reached(db, "second"))
        paused.suspend()
        go(db)
        async with workers():
            await done_once(db, task, attempts=2)
            paused.resume()  # it goes on where it was, and finishes
            late = await task_of(db, "label002")
            await done_once(db, late, attempts=1)
        for id in ("label003", "label004"):  # by the one that was paused
            await done_once(db, await task_of(db, id), attempts=1)
    await done_once(db, task, attempts=2)


async def test_a_worker_that_is_paused_within_its_last_writes_holds_up_nobody_for_long(
    db: Database, workers: Workers
) -> None:
    task = await task_of(db, "label001", "finish")
    async with workers() as paused:
        await until(lambda: reached(db, "finish"))
        paused.suspend()
        go(db)
        async with workers():
            await done_once(db, task, attempts=2)
            paused.resume()
        await done_once(db, await task_of(db, "label002"), attempts=1)
    await done_once(db, task, attempts=2)


async def test_two_workers_race_for_tasks_and_each_is_done_once(db: Database, workers: Workers) -> None:
    async with workers(), workers():
        tasks = [await task_of(db, f"label{number:03}", type=TaskType.CLONE_REFERENCE) for number in range(30)]
        await db.tasks.wake()
        for task in tasks:
            await done_once(db, task, attempts=1)
    assert await db.store.count(Label) == 30


async def test_light_tasks_go_side_by_side_and_pass_a_heavy_one(db: Database, workers: Workers) -> None:
    heavy = [await task_of(db, f"heavy{number:03}", "first") for number in range(2)]
    light = [await task_of(db, f"light{number:03}", "second", TaskType.CLONE_REFERENCE) for number in range(3)]
    async with workers():
        await until(lambda: len(reached(db, "second")) == 3)
        await until(lambda: reached(db, "first"))
        after = await task_of(db, "light999", type=TaskType.CLONE_REFERENCE)
        await done_once(db, after, attempts=1)
        assert len(reached(db, "first")) == 1, "heavy ones go one after the other"
        go(db)
        for task in [*heavy, *light]:
            await done_once(db, task, attempts=1)


async def test_periodic_tasks_come_again_and_again_and_do_not_pile_up(db: Database, workers: Workers) -> None:
    of_type = Eq("type", TaskType.REFRESH_SOFTWARE)

    async def ticks() -> list[Task]:
        return (await db.store.find(Task, of_type, page=Page(first=None))).documents

    seen: set[str] = set()

    async def came_often() -> bool:
        seen.update(task.id for task in await ticks() if task.ended)
        return len(seen) > KEPT + 3

    async with workers(), workers():
        await until(came_often, 60)
        assert len(await ticks()) <= KEPT + 2
    outstanding = [task for task in await ticks() if not task.ended]
    assert len(outstanding) == 1


async def test_a_periodic_task_that_is_switched_off_is_left_to_others(db: Database, workers: Workers) -> None:
    left = await stored_task(db, None, TaskType.REFRESH_HMMS, Refresh(), periodic_key=TaskType.REFRESH_HMMS)
    async with workers():
        await done_once(db, await task_of(db, "label001"), attempts=1)
    assert await task_now(db, left) == left


async def test_a_worker_that_has_taken_much_memory_ends_to_be_replaced(db: Database, workers: Workers) -> None:
    task = await task_of(db, "label001", type=TaskType.IMPORT_REFERENCE)
    async with workers() as worker:
        await done_once(db, task, attempts=1)
        await until(lambda: worker.status() == psutil.STATUS_ZOMBIE or not worker.is_running(), 30)


async def test_a_worker_goes_on_when_redis_is_restarted(db: Database, workers: Workers) -> None:
    async with redis_server() as server, workers(redis_url=server.url):
        await done_once(db, await task_of(db, "label001"), attempts=1)
        await server.kill()
        await done_once(db, await task_of(db, "label002"), attempts=1)
        await server.start()
        async with Redis.from_url(server.url) as client:
            await done_once(db, await task_of(db, "label003"), attempts=1)
            await Signals(client).send("channel:tasks", "")


async def test_progress_is_seen_by_others_while_a_worker_computes(db: Database, workers: Workers) -> None:
    task = await task_of(db, "label001", "thread")
    async with workers():

        async def is_halfway() -> bool:
            now: Any = await task_now(db, task)
            return now.step == "second" and now.progress == 0.5

        await until(is_halfway)
        go(db)
        await done_once(db, task, attempts=1)
