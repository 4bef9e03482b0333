"""Ending tasks for certain.

`asyncio.wait_for` of Python 3.11, and with it redis-py, may swallow a cancellation.
"""

import asyncio
from typing import Any

AGAIN_SECONDS = 0.1


async def cancelled(*tasks: "asyncio.Task[Any]") -> None:
    """Cancel tasks and wait until they have ended; again where a library swallowed that."""
    pending: set[asyncio.Task[Any]] = {task for task in tasks if not task.done()}
    while pending:
        for task in pending:
            task.cancel()
        _, pending = await asyncio.wait(pending, timeout=AGAIN_SECONDS)
