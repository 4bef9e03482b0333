"""Long computations on the event loop, in slices."""

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import TypeVar

A = TypeVar("A")
B = TypeVar("B")

SLICE_SECONDS = 0.002


async def in_slices(
    convert: Callable[[A], B], values: Sequence[A], *, seconds: Callable[[], float] = time.perf_counter
) -> list[B]:
    """Convert many values, however long each takes, and let others have their turn between."""
    converted: list[B] = []
    until = seconds() + SLICE_SECONDS
    for value in values:
        if seconds() >= until:
            await asyncio.sleep(0)
            until = seconds() + SLICE_SECONDS
        converted.append(convert(value))
    return converted
