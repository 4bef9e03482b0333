"""Tasks end although something in them swallows cancellations."""

import asyncio

from virtool_gql.cancellation import Endings, cancelled


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


async def test_tasks_end_in_the_background_and_can_be_waited_for() -> None:
    swallowed = asyncio.Event()

    async def stubborn() -> None:
        while True:
            try:
                await asyncio.get_running_loop().create_future()
            except asyncio.CancelledError:
                if swallowed.is_set():
                    raise
                swallowed.set()

    tasks = [asyncio.create_task(stubborn()) for _ in range(2)]
    await asyncio.sleep(0)
    endings = Endings()
    for task in tasks:
        endings.end(task)
    await swallowed.wait()
    await endings.all_over()
    assert all(task.cancelled() for task in tasks)
    await endings.all_over()


async def test_a_task_that_cleans_up_is_not_cancelled_again_at_once() -> None:
    cleaned = False

    async def careful() -> None:
        nonlocal cleaned
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            for _ in range(10):
                await asyncio.sleep(0)
            cleaned = True

    task = asyncio.create_task(careful())
    await asyncio.sleep(0)
    endings = Endings()
    endings.end(task)
    await endings.all_over()
    assert cleaned
