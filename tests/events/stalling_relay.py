"""A relay in a process of its own that stops between the stream and the outbox: `python stalling_relay.py PG REDIS N`.

After N batches it says so on its standard output and waits to be killed.
"""

import asyncio
import sys
from collections.abc import Sequence

from virtool_gql.events import Relay
from virtool_gql.stores.postgres import PostgresStore
from virtool_gql.stores.redis import connect


class StallingOutbox:
    def __init__(self, store: PostgresStore, batches: int) -> None:
        self._store = store
        self._batches = batches

    async def waiting(self, limit: int) -> list[tuple[str, bytes]]:
        return await self._store.waiting(min(limit, 20))

    async def remove(self, ids: Sequence[str]) -> None:
        self._batches -= 1
        if not self._batches:
            sys.stdout.write("stalled\n")
            sys.stdout.flush()
            await asyncio.Event().wait()
        await self._store.remove(ids)


async def main(postgres: str, redis: str, batches: str) -> None:
    async with PostgresStore.open(postgres) as store, connect(redis) as client:
        relay = Relay(client, [StallingOutbox(store, int(batches))])
        async with relay.running():
            while True:
                relay.wake()
                await asyncio.sleep(0.01)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
