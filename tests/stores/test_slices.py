import asyncio
from itertools import count

from virtool_gql.stores.slices import SLICE_SECONDS, in_slices


async def turns_of_others(values: list[int], *, seconds_each: float) -> int:
    """Convert the values, each of which takes so long; give how often others had their turn meanwhile."""
    turns = 0

    async def others() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    clock = (number * seconds_each for number in count())
    other = asyncio.create_task(others())
    assert await in_slices(lambda value: 2 * value, values, seconds=lambda: next(clock)) == [2 * one for one in values]
    other.cancel()
    return turns


async def test_others_have_their_turn_when_a_slice_has_lasted_long_enough() -> None:
    assert await turns_of_others(list(range(10)), seconds_each=SLICE_SECONDS / 100) == 0
    assert await turns_of_others(list(range(10)), seconds_each=SLICE_SECONDS) == 9
    assert 9 < await turns_of_others(list(range(1_000)), seconds_each=SLICE_SECONDS / 50) < 30


async def test_there_may_be_nothing_to_convert() -> None:
    assert await in_slices(str, []) == []
