"""A runner in a process of its own, for tests that stop and kill it: `python -m tests.jobs.runner_process`."""

import asyncio
import sys
from pathlib import Path

import msgspec

from jobs.manager import JobManager, Limits
from jobs.runner import Timing
from jobs.workflow import ServiceUrls
from virtool_gql.db.instance import Instance
from virtool_gql.events import Hub
from virtool_gql.files import Places
from virtool_gql.models.documents import new_id, now
from virtool_gql.stores.opening import open_store
from virtool_gql.stores.redis import JobQueues, Signals, connect


class Start(msgspec.Struct):
    urls: ServiceUrls
    data_path: str
    lease_seconds: float


async def run(start: Start) -> None:
    async with connect(start.urls.redis) as redis, open_store(start.urls.stores) as store:
        instance = Instance(
            store=store,
            hub=Hub(start.urls.redis),
            places=Places(Path(start.data_path)),
            queues=JobQueues(redis),
            signals=Signals(redis),
            clock=now,
            new_id=new_id,
        )
        timing = Timing(lease=start.lease_seconds, heartbeat=start.lease_seconds / 6, sweep=1)
        async with JobManager(instance, start.urls, Limits(proc=2, mem=4), timing=timing).running():
            await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(run(msgspec.json.decode(sys.stdin.readline(), type=Start)))
