"""Waiting for something that tells nobody when it happens."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from inspect import isawaitable
from typing import TypeVar

T = TypeVar("T")

LOOK_AGAIN_SECONDS = 0.002


async def until(condition: Callable[[], object | Awaitable[object]], seconds: float = 20) -> None:
    """Wait until the condition holds; raise TimeoutError when it takes too long."""
    async with asyncio.timeout(seconds):
        while not await _seen(condition):  # noqa: ASYNC110 - what is waited for sets no event
            await asyncio.sleep(LOOK_AGAIN_SECONDS)


async def _seen(condition: Callable[[], object | Awaitable[object]]) -> object:
    seen = condition()
    return await seen if isawaitable(seen) else seen


def eventually(look: Callable[[], T], seconds: float = 90) -> T:
    """Give what is seen as soon as it is true, for those who look from a process without an event loop."""
    deadline = time.monotonic() + seconds
    while not (seen := look()):
        assert time.monotonic() < deadline, f"It did not come true in {seconds} s."
        time.sleep(0.02)
    return seen
