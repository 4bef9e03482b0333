"""Where calls run that would hold up the event loop; computations are jobs, in processes of their own."""

import asyncio
from collections.abc import Callable
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


async def run_in_thread(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run a blocking call in a thread."""
    return await asyncio.to_thread(function, *args, **kwargs)
