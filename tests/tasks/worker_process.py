"""A worker in a process of its own, for tests that stop and kill it: `python -m tests.tasks.worker_process`.

Its work does as the name in the arguments says, and writes into the data path where it is.
"""

import asyncio
import os
import signal
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar

import msgspec

from virtool_gql import logs
from virtool_gql.executors import run_in_thread
from virtool_gql.models.labels import Label
from virtool_gql.models.tasks import DeleteReference, Refresh, TaskType
from virtool_gql.stores.documents import Documents
from virtool_gql.tasks.child import opened
from virtool_gql.tasks.settings import Settings, decoded
from virtool_gql.tasks.work import AnyWork, Step, Work
from virtool_gql.tasks.worker import Timing, Worker


class Noting(Work[DeleteReference]):
    """Makes one label with the id in its arguments, and stands still on the way where its name says."""

    type = TaskType.DELETE_REFERENCE
    arguments = DeleteReference

    @property
    def steps(self) -> Sequence[Step]:
        return (self.first, self.second)

    async def first(self) -> None:
        await self._stand_still("first")

    async def second(self) -> None:
        self.held.within(0.5)
        await self._stand_still("second")
        if self.args.name == "thread":
            await run_in_thread(self._compute)

    async def finish(self, documents: Documents) -> None:
        id = self.args.reference_id
        await documents.insert(Label(id=id, name=id, name_key=id, user_id="bob", created_at=self.held.instance.clock()))
        await self._stand_still("finish")

    def _compute(self) -> None:
        self._reached("thread")
        while not (self._folder / "go").exists():
            time.sleep(0.01)

    async def _stand_still(self, where: str) -> None:
        if self.args.name == where:
            self._reached(where)
            while not (self._folder / "go").exists():  # noqa: ASYNC110 - another process makes it
                await asyncio.sleep(0.01)

    def _reached(self, where: str) -> None:
        reached = self._folder / f"{where}.{self.held.task.id}.{os.getpid()}"
        reached.touch()

    @property
    def _folder(self) -> Path:
        return self.held.instance.places.data_path


class Light(Noting):
    type = TaskType.CLONE_REFERENCE
    heavy = False


class Ticking(Work[Refresh]):
    """A periodic task that is over at once."""

    type = TaskType.REFRESH_SOFTWARE
    arguments = Refresh
    heavy = False
    every_seconds = 0.2

    @property
    def steps(self) -> Sequence[Step]:
        return ()


class SwitchedOff(Work[Refresh]):
    """A periodic task that this worker is not to do."""

    type = TaskType.REFRESH_HMMS
    arguments = Refresh

    @property
    def steps(self) -> Sequence[Step]:
        return ()


class Large(Noting):
    """Leaves a lot of memory taken."""

    type = TaskType.IMPORT_REFERENCE
    kept: ClassVar[list[bytes]] = []

    async def second(self) -> None:
        self.kept.append(b"x" * 300_000_000)


WORKS: Mapping[TaskType, type[AnyWork]] = {work.type: work for work in (Noting, Light, Ticking, SwitchedOff, Large)}


async def run(settings: Settings, timing: Timing) -> None:
    stopped = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopped.set)
    async with opened(settings) as instance:
        await Worker(instance, settings.config, WORKS, timing=timing).run(stopped)
    sys.stderr.flush()
    os._exit(0)


if __name__ == "__main__":
    line = sys.stdin.buffer.readline()
    logs.configure("info")
    asyncio.run(run(decoded(line), Timing(**msgspec.json.decode(sys.argv[1]))))
