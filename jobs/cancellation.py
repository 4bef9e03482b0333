"""Ending tasks for certain."""

import asyncio
from typing import Any

AGAIN_SECONDS = 1.0


async def cancelled(*tasks: "asyncio.Task[Any]") -> None:
    """Cancel tasks and wait until they have ended; again, since a library may take a cancellation for a timeout."""
    pending = {task for task in tasks if not task.done()}
    while pending:
        for task in pending:
            task.cancel()
        _, pending = await asyncio.wait(pending, timeout=AGAIN_SECONDS)
