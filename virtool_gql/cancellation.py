"""Ending tasks for certain.

`asyncio.wait_for` of Python 3.11, and with it redis-py, may swallow a cancellation.
"""

import asyncio
from typing import Any

AGAIN_SECONDS = 0.1


async def cancelled(*tasks: "asyncio.Task[Any]", again_seconds: float = AGAIN_SECONDS) -> None:
    """Cancel tasks and wait until they have ended; again where a library swallowed that.

    Those that have something to undo need time for it, before they are cancelled again in the middle of that.
    """
    pending: set[asyncio.Task[Any]] = {task for task in tasks if not task.done()}
    while pending:
        for task in pending:
            task.cancel()
        _, pending = await asyncio.wait(pending, timeout=again_seconds)


class Endings:
    """Ends tasks in the background, for those who cannot wait until a task has ended."""

    def __init__(self) -> None:
        self._under_way: set[asyncio.Task[None]] = set()

    def end(self, task: "asyncio.Task[Any]") -> None:
        """Cancel the task, again and again until it has ended."""
        ending = asyncio.create_task(cancelled(task))
        self._under_way.add(ending)
        ending.add_done_callback(self._under_way.discard)

    async def all_over(self) -> None:
        """Wait until every task that was to end has ended."""
        while self._under_way:
            await asyncio.wait(self._under_way)
