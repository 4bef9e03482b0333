"""What waits for a connection: in order, bounded, and without a task while nothing waits."""

import asyncio
from typing import Any

import pytest

from virtool_gql.limits import Limits
from virtool_gql.web.outgoing import PATIENCE_SECONDS, Outgoing

SMALL = Limits(waiting_frames=3, waiting_bytes=100)


class Connection:
    """A connection that takes messages while it is open, as uvicorn's does."""

    def __init__(self) -> None:
        self.taken: list[Any] = []
        self.writable = asyncio.Event()
        self.lost = False

    async def send(self, message: Any) -> None:
        await self.writable.wait()
        if self.lost:
            raise OSError
        self.taken.append(message["number"])


def message(number: int) -> dict[str, Any]:
    return {"type": "some", "number": number}


@pytest.fixture
def connection() -> Connection:
    return Connection()


@pytest.fixture
def outgoing(connection: Connection) -> Outgoing:
    return Outgoing(connection.send, SMALL)


async def test_a_connection_that_takes_is_given_at_once(connection: Connection, outgoing: Outgoing) -> None:
    connection.writable.set()
    assert all(outgoing.offer(message(number), 90) for number in range(10))
    assert connection.taken == list(range(10))
    assert outgoing._writing is None


async def test_what_waits_comes_in_order_when_the_connection_takes_again(
    connection: Connection, outgoing: Outgoing
) -> None:
    assert [outgoing.offer(message(number), 10) for number in range(6)] == [True] * 4 + [False] * 2
    connection.writable.set()
    await outgoing.flushed()
    assert connection.taken == [0, 1, 2, 3]
    assert outgoing.offer(message(4), 10)
    assert connection.taken == [0, 1, 2, 3, 4]


async def test_bytes_are_bounded_too(outgoing: Outgoing) -> None:
    assert [outgoing.offer(message(number), 60) for number in range(3)] == [True, True, False]
    assert outgoing.offer(message(3), 40)


async def test_an_end_is_never_refused(connection: Connection, outgoing: Outgoing) -> None:
    for number in range(4):
        outgoing.offer(message(number), 10)
    outgoing.put(message(9))
    connection.writable.set()
    await outgoing.flushed()
    assert connection.taken == [0, 1, 2, 3, 9]


async def test_one_can_wait_for_room(connection: Connection, outgoing: Outgoing) -> None:
    for number in range(4):
        outgoing.offer(message(number), 10)
    waiting = asyncio.create_task(outgoing.room())
    await asyncio.sleep(0)
    assert not waiting.done()
    connection.writable.set()
    async with asyncio.timeout(5):
        await waiting


@pytest.mark.parametrize("ends", ["lost", "stopped"])
async def test_the_end_of_a_connection_frees_who_waits(connection: Connection, outgoing: Outgoing, ends: str) -> None:
    for number in range(4):
        outgoing.offer(message(number), 10)
    waiting = asyncio.gather(outgoing.room(), outgoing.relieved())
    await asyncio.sleep(0)
    if ends == "lost":
        connection.lost = True
        connection.writable.set()
    else:
        outgoing.stop()
    async with asyncio.timeout(5):
        await waiting
    assert outgoing.closed
    outgoing.put(message(5))
    assert connection.taken == []


async def test_who_has_much_to_send_waits_while_half_of_what_may_wait_does(
    connection: Connection, outgoing: Outgoing
) -> None:
    pressed = []
    for number in range(4):
        outgoing.offer(message(number), 10)
        pressed.append(outgoing.pressed)
    assert pressed == [False, False, True, True]
    waiting = asyncio.create_task(outgoing.relieved())
    await asyncio.sleep(0)
    assert not waiting.done()
    connection.writable.set()
    async with asyncio.timeout(5):
        await waiting
    assert not outgoing.pressed
    assert not outgoing.stuck


async def test_a_few_large_messages_press_too(outgoing: Outgoing) -> None:
    assert outgoing.offer(message(0), 60)
    assert outgoing.offer(message(1), 60)
    assert outgoing.pressed


async def test_nobody_waits_long_for_a_connection_that_takes_nothing(
    connection: Connection, outgoing: Outgoing
) -> None:
    for number in range(4):
        outgoing.offer(message(number), 10)
    async with asyncio.timeout(5 * PATIENCE_SECONDS):
        await outgoing.relieved()
    assert (outgoing.stuck, outgoing.pressed) == (True, False)
    await outgoing.relieved()
    connection.writable.set()
    await outgoing.flushed()
    assert (outgoing.stuck, connection.taken) == (False, [0, 1, 2, 3])
