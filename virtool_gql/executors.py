"""Where work runs that would hold up the event loop."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


async def run_in_thread(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run a blocking call in a thread."""
    return await asyncio.to_thread(function, *args, **kwargs)


async def run_in_process(function: Callable[..., T], *args: object) -> T:
    """Run a computation in a fresh process, so that a crash of it harms nothing else."""
    loop = asyncio.get_running_loop()
    with ProcessPoolExecutor(max_workers=1, mp_context=get_context("spawn")) as pool:
        return await loop.run_in_executor(pool, function, *args)
