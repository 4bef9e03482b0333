"""How a process without a relay has the changes told that it makes."""

import asyncio

from virtool_gql.errors import UpstreamUnavailable
from virtool_gql.events import OUTBOX_CHANNEL
from virtool_gql.stores.redis import Signals


class Wakening:
    """Wakes the relays of other processes; one signal is enough for what is announced while it is under way."""

    def __init__(self, signals: Signals) -> None:
        self._signals = signals
        self._again = False
        self._sending: asyncio.Task[None] | None = None

    def wake(self) -> None:
        self._again = True
        if self._sending is None or self._sending.done():
            self._sending = asyncio.create_task(self._send())

    async def _send(self) -> None:
        while self._again:
            self._again = False
            try:
                await self._signals.send(OUTBOX_CHANNEL, "")
            except UpstreamUnavailable:
                return
