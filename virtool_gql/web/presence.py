"""The connections that stay open, looked at again every second: who may still be here, and what they may do now."""

import asyncio
import logging
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Protocol

from schema.context import Caller
from virtool_gql.access import Viewer
from virtool_gql.cancellation import cancelled
from virtool_gql.errors import ErrorCode, VirtoolError
from virtool_gql.web.cohorts import Callers, Cohorts
from virtool_gql.web.errors import refuse
from virtool_gql.web.identity import Credential, Identifier

log = logging.getLogger(__name__)


class Connection(Protocol):
    """A WebSocket or an event stream."""

    kind: str
    caller: Caller
    credential: Credential | None

    def revoke(self) -> None:
        """Close: whoever opened this may not be here any more."""

    def hang_up(self) -> None:
        """Close if the HTTP server, which ends, does not do so by itself."""


class Presence:
    """The open connections of this process."""

    def __init__(self, identifier: Identifier, cohorts: Cohorts, recheck_seconds: float) -> None:
        self._identifier = identifier
        self._cohorts = cohorts
        self._recheck_seconds = recheck_seconds
        self._connections: dict[Connection, tuple[str, str]] = {}
        self._counts: Counter[tuple[str, str]] = Counter()

    def enter(self, connection: Connection, limit: int) -> None:
        """Count a connection; raise RequestError when its user has too many of its kind."""
        viewer = connection.caller.viewer
        whose = (connection.kind, viewer.user_id if viewer else f"stranger at {connection.caller.address}")
        if self._counts[whose] >= limit:
            raise refuse(ErrorCode.RATE_LIMITED, f"There are {limit} open {connection.kind}s already; close one.")
        self._counts[whose] += 1
        self._connections[connection] = whose

    def leave(self, connection: Connection) -> None:
        whose = self._connections.pop(connection, None)
        if whose is not None:
            self._counts[whose] -= 1
            if not self._counts[whose]:
                del self._counts[whose]

    def hang_up(self) -> None:
        """End what the HTTP server, which ends, cannot tell from answers that are soon complete."""
        for connection in tuple(self._connections):
            connection.hang_up()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Look at the connections again and again while the block lasts."""
        task = asyncio.get_running_loop().create_task(self._recheck_for_ever())
        try:
            yield
        finally:
            await cancelled(task)

    async def _recheck_for_ever(self) -> None:
        while True:
            await asyncio.sleep(self._recheck_seconds)
            try:
                await self.recheck()
            except VirtoolError as error:
                log.warning("Open connections could not be checked: %s", error.message)
            except Exception:
                log.exception("Open connections could not be checked")

    async def recheck(self, *only: Connection) -> None:
        """Look up each credential that has connections once; close and refresh what it decides."""
        connections = only or tuple(self._connections)
        credentials = {connection.credential for connection in connections if connection.credential is not None}
        viewers = await self._identifier.still(credentials)
        callers: Callers = {}
        for connection in only or tuple(self._connections):
            if connection.credential in viewers and connection in self._connections:
                _apply(connection, viewers[connection.credential], callers)
        self._cohorts.refresh(callers)


def _apply(connection: Connection, viewer: Viewer | None, callers: Callers) -> None:
    if viewer is None:
        connection.caller.viewer = None
        connection.revoke()
    else:
        if viewer != connection.caller.viewer:
            connection.caller.viewer = viewer
        callers[(viewer.user_id, viewer.key_id)] = viewer
