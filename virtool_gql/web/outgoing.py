"""What waits to be written to one connection, bounded, so that a slow client holds up nobody but itself."""

import asyncio
from collections import deque
from collections.abc import Coroutine, Generator
from types import coroutine
from typing import Any

from starlette.types import Message, Send

from virtool_gql.limits import Limits

PATIENCE_SECONDS = 1.0
"""How long a connection may take nothing before nobody waits for it any more."""


class Outgoing:
    """The messages to one connection, in order.

    A message is handed to the server at once while the connection takes it, without a task; only a connection
    that does not gets a task, and what comes meanwhile waits. Who has many messages waits while it is `pressed`; it is
    `stuck` when that was of no use.
    """

    __slots__ = (
        "_bytes",
        "_has_room",
        "_is_relieved",
        "_limits",
        "_send",
        "_taken",
        "_waiting",
        "_writing",
        "closed",
        "stuck",
    )

    def __init__(self, send: Send, limits: Limits) -> None:
        self._send = send
        self._limits = limits
        self._waiting: deque[tuple[Message, int]] = deque()
        self._bytes = 0
        self._taken = 0
        self._writing: asyncio.Task[None] | None = None
        self._has_room: asyncio.Event | None = None
        self._is_relieved: asyncio.Event | None = None
        self.closed = False
        self.stuck = False

    def offer(self, message: Message, size: int) -> bool:
        """Write or keep a message; refuse it when too much waits already."""
        if self._writing is not None and not self.has_room(size):
            return False
        self.put(message, size)
        return True

    def has_room(self, size: int = 0) -> bool:
        limits = self._limits
        return len(self._waiting) < limits.waiting_frames and self._bytes + size <= limits.waiting_bytes

    def put(self, message: Message, size: int = 0) -> None:
        """Write or keep a message that must not be refused: the small one that ends something."""
        if self.closed:
            return
        if self._writing is None:
            self._write(message)
        else:
            self._waiting.append((message, size))
            self._bytes += size

    def drop(self) -> None:
        """Forget what waits."""
        self._waiting.clear()
        self._bytes = 0

    async def room(self) -> None:
        """Wait until the connection takes more."""
        while not self.closed and not self.has_room():
            self._has_room = self._has_room or asyncio.Event()
            await self._has_room.wait()

    @property
    def pressed(self) -> bool:
        """Tell whether half of what may wait does wait, at a connection that takes something now and then."""
        if self.closed or self.stuck or not self._waiting:
            return False
        return 2 * len(self._waiting) > self._limits.waiting_frames or 2 * self._bytes > self._limits.waiting_bytes

    async def relieved(self) -> None:
        """Wait until less than half of what may wait does, or the connection has taken nothing for a while."""
        while self.pressed:
            self._is_relieved = self._is_relieved or asyncio.Event()
            taken = self._taken
            try:
                async with asyncio.timeout(PATIENCE_SECONDS):
                    await self._is_relieved.wait()
            except TimeoutError:
                self.stuck = self._taken == taken

    async def flushed(self) -> None:
        """Wait until all is handed over."""
        if self._writing is not None:
            await asyncio.wait([self._writing])

    def stop(self) -> None:
        """Let go of the connection, which is gone."""
        self.closed = True
        self.drop()
        if self._writing is not None:
            self._writing.cancel()

    def _write(self, message: Message) -> None:
        writing: Any = self._send(message)
        try:
            waits_for = writing.send(None)
        except StopIteration:
            return
        except Exception:  # noqa: BLE001  # the server tells in its own ways that the client is gone
            self.closed = True
            return
        self._writing = asyncio.get_running_loop().create_task(self._write_rest(writing, waits_for))

    async def _write_rest(self, writing: Coroutine[Any, Any, None], waits_for: Any) -> None:
        try:
            await _continued(writing, waits_for)
            while self._waiting:
                message, size = self._waiting.popleft()
                self._bytes -= size
                self._taken += 1
                self.stuck = False
                self._tell_of_room()
                await self._send(message)
        except Exception:  # noqa: BLE001  # as above
            self.closed = True
        finally:
            self._writing = None
            self._tell_of_room()

    def _tell_of_room(self) -> None:
        if self._has_room is not None and (self.closed or self.has_room()):
            self._has_room.set()
            self._has_room = None
        if self._is_relieved is not None and not self.pressed:
            self._is_relieved.set()
            self._is_relieved = None


@coroutine
def _continued(writing: Coroutine[Any, Any, None], waits_for: Any) -> Generator[Any, Any, None]:
    """Go on with a coroutine that was begun outside of a task and gave what it waits for."""
    try:
        while True:
            try:
                sent = yield waits_for
            except BaseException as error:  # noqa: BLE001  # a cancellation too is the coroutine's to see
                waits_for = writing.throw(error)
            else:
                waits_for = writing.send(sent)
    except StopIteration:
        return
