"""Work that is done again and again while the server runs."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from virtool_gql.cancellation import cancelled
from virtool_gql.errors import VirtoolError

log = logging.getLogger(__name__)


@asynccontextmanager
async def repeated(name: str, work: Callable[[], Awaitable[object]], every_seconds: float) -> AsyncIterator[None]:
    """Do the work at once and then again and again while the block lasts; a failure is logged, and tried again."""
    task = asyncio.create_task(_repeat(name, work, every_seconds))
    try:
        yield
    finally:
        await cancelled(task)


async def _repeat(name: str, work: Callable[[], Awaitable[object]], every_seconds: float) -> None:
    while True:
        try:
            await work()
        except VirtoolError as error:
            log.warning("%s will be tried again: %s", name, error.message)
        except Exception:
            log.exception("%s will be tried again", name)
        await asyncio.sleep(every_seconds)
