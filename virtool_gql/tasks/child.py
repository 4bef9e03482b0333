"""The process that does the tasks of a server.

`python -m virtool_gql.tasks.child` reads its settings from stdin, a line of JSON, and does tasks until SIGTERM or the
end of stdin. It dies with its server.
"""

import asyncio
import faulthandler
import logging
import os
import signal
import sys
from asyncio import StreamReader, StreamReaderProtocol
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import uvloop

from virtool_gql import logs
from virtool_gql.db.instance import Instance
from virtool_gql.db.outside import Outside
from virtool_gql.events import Hub
from virtool_gql.files import Places
from virtool_gql.models.documents import new_id, now
from virtool_gql.processes import be_killed_first, die_with_parent
from virtool_gql.stores.audited import AuditedStore
from virtool_gql.stores.opening import open_store
from virtool_gql.stores.redis import JobQueues, Signals, connect
from virtool_gql.stores.wakening import Wakening
from virtool_gql.tasks.bodies import WORKS
from virtool_gql.tasks.settings import Settings, decoded
from virtool_gql.tasks.worker import Worker


def main() -> None:
    with os.fdopen(0, "rb", buffering=0, closefd=False) as stdin:
        settings = decoded(stdin.readline())
    die_with_parent(settings.server_pid)
    be_killed_first()
    faulthandler.enable()
    logs.configure(settings.config.log_level)
    os._exit(_status_of(settings))  # a thread that still computes for a task that was stopped must not hold this up


def _status_of(settings: Settings) -> int:
    """Work, and give the exit status."""
    status = 0
    try:
        asyncio.Runner(loop_factory=uvloop.new_event_loop).run(_work(settings))
    except Exception:
        logging.getLogger(__name__).exception("The task process fails")
        status = 1
    logging.shutdown()
    return status


async def _work(settings: Settings) -> None:
    stopped = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopped.set)
    ending = asyncio.create_task(_end_with_stdin(stopped))
    async with opened(settings) as instance:
        await Worker(instance, settings.config, WORKS).run(stopped)
    ending.cancel()


async def _end_with_stdin(stopped: asyncio.Event) -> None:
    reader = StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: StreamReaderProtocol(reader), sys.stdin)
    await reader.read()
    stopped.set()


@asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[Instance]:
    """Have the stores while the block lasts; the relays of servers are woken when something is written."""
    async with connect(settings.redis) as redis:
        signals = Signals(redis)
        outside = Outside.of(settings.config)
        async with (
            open_store(settings.stores, on_announced=Wakening(signals).wake) as store,
            outside.client,
        ):
            yield Instance(
                store=AuditedStore(store, now, new_id),
                hub=Hub(settings.redis),
                places=Places(settings.config.data_path),
                queues=JobQueues(redis),
                signals=signals,
                clock=now,
                new_id=new_id,
                outside=outside,
            )


if __name__ == "__main__":
    main()
