"""Long computations on the event loop, in slices."""

import asyncio
from collections.abc import Callable, Sequence
from typing import TypeVar

A = TypeVar("A")
B = TypeVar("B")

SLICE = 50


async def in_slices(convert: Callable[[A], B], values: Sequence[A]) -> list[B]:
    """Convert many values, and let others have their turn between."""
    converted: list[B] = []
    for start in range(0, len(values), SLICE):
        if start:
            await asyncio.sleep(0)
        converted.extend(map(convert, values[start : start + SLICE]))
    return converted
