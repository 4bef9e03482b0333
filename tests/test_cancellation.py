"""Tasks end although something in them swallows cancellations."""

import asyncio

from virtool_gql.cancellation import cancelled


async def test_a_task_that_swallows_its_first_cancellation_ends_with_the_next() -> None:
    swallowed = 0

    async def stubborn() -> None:
        nonlocal swallowed
        while True:
            try:
                await asyncio.get_running_loop().create_future()
            except asyncio.CancelledError:
                swallowed += 1
                if swallowed == 2:
                    raise

    task = asyncio.create_task(stubborn())
    await asyncio.sleep(0)
    await cancelled(task)
    assert task.cancelled()
    assert swallowed == 2


async def test_tasks_that_are_over_are_left_alone() -> None:
    async def over() -> int:
        return 7

    task = asyncio.create_task(over())
    await task
    await cancelled(task)
    assert task.result() == 7
