"""The child process of a slot: does one job after the other, as its runner tells it.

`python -m jobs.child` reads its settings and then orders from stdin, a line of JSON each, and answers each order with
an outcome on stdout. It ends when stdin does, and dies with its runner.
"""

import asyncio
import faulthandler
import os
import sys
from asyncio import StreamReader, StreamReaderProtocol
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import BinaryIO

import msgspec

from jobs.outcomes import Lost
from jobs.performance import Performer
from jobs.workflow import Settings
from virtool_gql.db.job_runs import JobRuns
from virtool_gql.files import Places
from virtool_gql.models.documents import new_id, now
from virtool_gql.models.jobs import Job
from virtool_gql.processes import be_killed_first, die_with_parent, kill_group
from virtool_gql.stores.opening import open_store
from virtool_gql.stores.redis import JobQueues, Signals, connect
from virtool_gql.stores.wakening import Wakening

LONGEST_ORDER = 64 << 20


def main() -> None:
    with os.fdopen(0, "rb", buffering=0, closefd=False) as stdin:
        settings = msgspec.json.decode(stdin.readline(), type=Settings)
    die_with_parent(settings.runner_pid)
    be_killed_first()
    faulthandler.enable()
    asyncio.run(_serve(settings, _answers()))


def _answers() -> BinaryIO:
    """Keep stdout for answers alone: what libraries print goes to stderr."""
    answers = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)
    return answers


async def _serve(settings: Settings, answers: BinaryIO) -> None:
    orders = await _orders()
    async with _performer(settings) as performer:
        next_order = asyncio.create_task(orders.readline())
        while order := await next_order:
            next_order = asyncio.create_task(orders.readline())
            work = asyncio.create_task(performer.perform(msgspec.json.decode(order, type=Job)))
            await asyncio.wait({work, next_order}, return_when=asyncio.FIRST_COMPLETED)
            if not work.done():
                # Nobody gives a second order: stdin was closed under a running job, and its tools must end with us.
                kill_group(os.getpid())
            answers.write(msgspec.json.encode(work.result()) + b"\n")
            if isinstance(work.result(), Lost):
                # A step that holds a thread may still be at work on what is no longer ours.
                kill_group(os.getpid())


async def _orders() -> StreamReader:
    reader = StreamReader(limit=LONGEST_ORDER)
    await asyncio.get_running_loop().connect_read_pipe(lambda: StreamReaderProtocol(reader), sys.stdin)
    return reader


@asynccontextmanager
async def _performer(settings: Settings) -> AsyncIterator[Performer]:
    async with connect(settings.urls.redis) as redis:
        signals = Signals(redis)
        async with open_store(settings.urls.stores, on_announced=Wakening(signals).wake) as store:
            runs = JobRuns(store, JobQueues(redis), clock=now, new_id=new_id)
            yield Performer(store, runs, signals, Places(Path(settings.data_path)), now)


if __name__ == "__main__":
    main()
