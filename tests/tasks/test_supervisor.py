"""The process that does tasks is kept alive, and ends with its server."""

import asyncio
import logging
import os
import signal
import sys
from pathlib import Path

import psutil
import pytest
from msgspec import structs

from tests.factories.conditions import until
from tests.factories.references import stored_reference
from tests.factories.tasks import stored_task, task_now
from virtool_gql.config import Config
from virtool_gql.db.database import Database
from virtool_gql.embedded import ServiceUrls
from virtool_gql.models.tasks import DeleteReference, TaskState
from virtool_gql.stores.opening import StoreUrls
from virtool_gql.tasks.settings import Settings, encoded
from virtool_gql.tasks.supervisor import Supervisor

ROOT = Path(__file__).parents[2]


@pytest.fixture
def settings(services: ServiceUrls, postgres_url: str, db: Database) -> Settings:
    config = Config(data_path=db.places.data_path, no_refreshing=True)
    return Settings(stores=StoreUrls(postgres_url), redis=services.redis, server_pid=os.getpid(), config=config)


async def deleted(db: Database) -> None:
    """Have a reference's parts deleted, by whoever does tasks."""
    reference = await stored_reference(db)
    await db.store.delete(reference)
    args = DeleteReference(reference_id=reference.id, name="R")
    task = await stored_task(db, args=args, reference_id=reference.id)
    await db.tasks.wake()

    async def is_complete() -> bool:
        return (await task_now(db, task)).state is TaskState.COMPLETE

    await until(is_complete, 60)


async def test_tasks_are_done_while_it_runs(db: Database, settings: Settings) -> None:
    supervisor = Supervisor(settings)
    async with supervisor.running():
        await deleted(db)
        assert supervisor.pid is not None
        pid = supervisor.pid
    assert supervisor.pid is None
    assert not psutil.pid_exists(pid)


@pytest.mark.parametrize(
    ("number", "told"),
    [
        pytest.param(signal.SIGKILL, "The task process ended (signal 9) and is started again", id="killed"),
        pytest.param(signal.SIGTERM, "", id="asks to be replaced"),
    ],
)
async def test_a_process_that_ends_is_started_again(
    db: Database, settings: Settings, caplog: pytest.LogCaptureFixture, number: signal.Signals, told: str
) -> None:
    supervisor = Supervisor(settings)
    async with supervisor.running():
        await deleted(db)
        first = supervisor.pid
        assert first is not None
        os.kill(first, number)
        await until(lambda: supervisor.pid not in {None, first})
        await deleted(db)
    assert told in caplog.text
    assert ("ended" in caplog.text) == bool(told)


async def test_a_process_that_cannot_work_is_started_less_and_less_often(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.ERROR)
    supervisor = Supervisor(settings, module="virtool_gql.nothing")
    async with supervisor.running():
        await until(lambda: caplog.text.count("started again") >= 2, 30)
    assert supervisor.pid is None


async def test_it_can_be_ended_at_once(settings: Settings) -> None:
    for _ in range(3):
        async with asyncio.timeout(10), Supervisor(settings).running():
            pass


async def test_secrets_are_neither_in_arguments_nor_in_the_environment(db: Database, settings: Settings) -> None:
    config = Config(data_path=db.places.data_path, no_refreshing=True, redis_url="redis://:very-secret@localhost")
    supervisor = Supervisor(structs.replace(settings, config=config))
    async with supervisor.running():
        await deleted(db)
        process = psutil.Process(supervisor.pid)
        assert "very-secret" not in str(process.cmdline()) + str(process.environ())
        assert settings.stores.postgres not in str(process.cmdline()) + str(process.environ())


SERVER = """
import asyncio, os, sys
from virtool_gql.tasks.settings import decoded
from virtool_gql.tasks.supervisor import Supervisor
from msgspec import structs

async def run():
    settings = structs.replace(decoded(sys.stdin.buffer.readline()), server_pid=os.getpid())
    supervisor = Supervisor(settings)
    async with supervisor.running():
        while supervisor.pid is None:
            await asyncio.sleep(0.01)
        print(supervisor.pid, flush=True)
        await asyncio.Event().wait()

asyncio.run(run())
"""


async def test_it_dies_with_a_server_that_is_killed(db: Database, settings: Settings) -> None:
    server = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", SERVER), stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, cwd=ROOT
    )
    assert server.stdin is not None
    assert server.stdout is not None
    server.stdin.write(encoded(settings))
    await server.stdin.drain()
    child = psutil.Process(int(await server.stdout.readline()))
    await deleted(db)
    server.kill()
    await server.wait()
    await until(lambda: not child.is_running() or child.status() == psutil.STATUS_ZOMBIE, 10)
