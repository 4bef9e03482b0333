"""Room for a few at once, in which all parties have their turn, however many of one of them wait."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Room:
    """Lets so many in at once; of those who wait, one of each party in turn."""

    def __init__(self, size: int) -> None:
        self._free = size
        self._waiting: dict[str, deque[asyncio.Future[None]]] = {}

    @property
    def waiting(self) -> int:
        """How many wait."""
        return sum(map(len, self._waiting.values()))

    async def enter(self, party: str) -> None:
        """Wait for one's turn; whoever has entered must leave."""
        if self._free:
            self._free -= 1
            return
        turn = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(party, deque()).append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if not turn.cancelled():  # it was one's turn at that very moment
                self.leave()
            raise

    @asynccontextmanager
    async def of(self, party: str) -> AsyncIterator[None]:
        """Be in while the block lasts."""
        await self.enter(party)
        try:
            yield
        finally:
            self.leave()

    def leave(self) -> None:
        """Let in who is next."""
        while self._waiting:
            party = next(iter(self._waiting))
            turns = self._waiting.pop(party)
            turn = turns.popleft()
            if turns:
                self._waiting[party] = turns  # behind all others
            if not turn.done():
                turn.set_result(None)
                return
        self._free += 1
