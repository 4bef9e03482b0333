"""Keeps the process alive that does the tasks of this server."""

import asyncio
import logging
import os
import random
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from virtool_gql.processes import finding_our_packages
from virtool_gql.tasks.settings import Settings, encoded

logger = logging.getLogger(__name__)

SHORTEST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 30.0
WELL_SECONDS = 60.0
"""A process that lived for so long was well: the next one is started after the shortest pause."""
STOP_SECONDS = 8.0


class Supervisor:
    """Starts the process, again when it has ended, and ends it with the server."""

    def __init__(self, settings: Settings, *, module: str = "virtool_gql.tasks.child") -> None:
        self._settings = settings
        self._module = module
        self._stopping = asyncio.Event()
        self._process: asyncio.subprocess.Process | None = None

    @property
    def pid(self) -> int | None:
        """The process that does tasks now."""
        process = self._process
        return process.pid if process is not None and process.returncode is None else None

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Have tasks done while the block lasts; those that are being done at its end wait again."""
        keeping = asyncio.create_task(self._keep())
        try:
            yield
        finally:
            self._stopping.set()
            self._send(signal.SIGTERM)
            _, late = await asyncio.wait({keeping}, timeout=STOP_SECONDS)
            if late:
                logger.warning("The task process does not end by itself and is killed")
                self._send(signal.SIGKILL)
            await keeping

    async def _keep(self) -> None:
        clock = asyncio.get_running_loop().time
        pause = SHORTEST_PAUSE_SECONDS
        while not self._stopping.is_set():
            began = clock()
            status = await self._live()
            if self._stopping.is_set():
                return
            if status == 0:  # it asked to be replaced
                continue
            pause = SHORTEST_PAUSE_SECONDS if clock() - began > WELL_SECONDS else pause
            logger.error("The task process ended (%s) and is started again", _ending(status))
            await self._rest(pause * random.uniform(0.8, 1.2))  # noqa: S311 - jitter, no secret
            pause = min(2 * pause, LONGEST_PAUSE_SECONDS)

    async def _live(self) -> int:
        """Have one process from its start to its end; give its exit status."""
        try:
            self._process = process = await self._started()
        except OSError as error:
            logger.error("The task process cannot be started: %s", error)  # noqa: TRY400 - it is no fault of ours
            return 1
        if self._stopping.is_set():
            self._send(signal.SIGTERM)
        if process.stdin is not None:
            with suppress(ConnectionError):
                process.stdin.write(encoded(self._settings))
                await process.stdin.drain()
        return await process.wait()

    async def _started(self) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            *(sys.executable, "-P", "-m", self._module),
            stdin=asyncio.subprocess.PIPE,  # which stays open: its end tells the process that the server is gone
            stdout=asyncio.subprocess.DEVNULL,
            start_new_session=True,
            env=finding_our_packages(os.environ),
        )

    def _send(self, number: signal.Signals) -> None:
        if self._process is not None and self._process.returncode is None:
            with suppress(ProcessLookupError):
                self._process.send_signal(number)

    async def _rest(self, seconds: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._stopping.wait()


def _ending(status: int) -> str:
    return f"signal {-status}" if status < 0 else f"exit status {status}"
