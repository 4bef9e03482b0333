"""Work that is done again and again."""

import asyncio
import logging

import pytest

from virtool_gql.errors import UpstreamUnavailable
from virtool_gql.tasks.periodic import repeated


class Work:
    """Work that fails in turn, and says when it was done often enough."""

    def __init__(self, *failures: Exception | None) -> None:
        self.failures = list(failures)
        self.done = asyncio.Event()

    async def __call__(self) -> None:
        if not self.failures:
            self.done.set()
        elif failure := self.failures.pop(0):
            raise failure


async def test_work_goes_on_after_whatever_fails(caplog: pytest.LogCaptureFixture) -> None:
    work = Work(None, UpstreamUnavailable("The store is away."), RuntimeError("A fault"), None)
    with caplog.at_level(logging.WARNING):
        async with repeated("Sweeping", work, 0), asyncio.timeout(5):
            await work.done.wait()
    told, fault = caplog.records
    assert told.getMessage() == "Sweeping will be tried again: The store is away."
    assert (told.exc_info, fault.levelname) == (None, "ERROR")
    assert fault.exc_info is not None


async def test_it_ends_with_the_block_even_in_the_middle_of_work() -> None:
    begun = asyncio.Event()
    ended = asyncio.Event()

    async def work() -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    async with asyncio.timeout(5), repeated("Waiting", work, 60):
        await begun.wait()
    assert ended.is_set()
