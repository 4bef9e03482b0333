"""Slots on this machine: long-lived child processes, each of which does one job at a time."""

import asyncio
import logging
import sys
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import count
from typing import TypeVar

import msgspec

from jobs.outcomes import Answer, Failed, death
from jobs.processes import kill_marked, marked_with
from jobs.workflow import Settings
from virtool_gql.executors import run_in_thread
from virtool_gql.models.jobs import Job
from virtool_gql.processes import finding_our_packages, kill_group

P = TypeVar("P")

ANSWERS: msgspec.json.Decoder[Answer] = msgspec.json.Decoder(Answer)

logger = logging.getLogger(__name__)

LONGEST_ANSWER = 16 << 20
TAIL_LINES = 20
MOST_IDLE = 2
STOP_SECONDS = 1.0


class Slot:
    """One child process, in a process group of its own, and marked so that all its descendants can be found."""

    def __init__(self, process: asyncio.subprocess.Process, mark: str) -> None:
        self._process = process
        self._mark = mark
        self._last_lines: deque[str] = deque(maxlen=TAIL_LINES)
        self._errors = asyncio.create_task(self._read_errors())
        self.usable = True

    @property
    def alive(self) -> bool:
        return self.usable and self._process.returncode is None

    @property
    def pid(self) -> int:
        return self._process.pid

    async def run(self, job: Job) -> Answer:
        """Let the child do a job; give its answer, or say how it died."""
        self.usable = False
        try:
            await self._send(msgspec.json.encode(job))
            answer = await _of(self._process.stdout).readline()
        except ConnectionError:
            answer = b""
        if not answer.endswith(b"\n"):
            return await self._died()
        self.usable = True
        return ANSWERS.decode(answer)

    async def configure(self, settings: Settings) -> None:
        """Tell the child where the stores are."""
        await self._send(msgspec.json.encode(settings))

    async def kill(self) -> None:
        """Kill the child and all that it has started, whatever session it is in."""
        self.usable = False
        if self._process.returncode is None:
            kill_group(self._process.pid)
        await run_in_thread(kill_marked, self._mark)
        await self._process.wait()
        await asyncio.wait({self._errors})

    async def stop(self) -> None:
        """Let the child end by itself."""
        _of(self._process.stdin).close()
        try:
            async with asyncio.timeout(STOP_SECONDS):
                await self._process.wait()
        except TimeoutError:
            logger.info("The child process %d does not end by itself and is killed", self.pid)
        await self.kill()

    async def _died(self) -> Failed:
        status = await self._process.wait()
        await self.kill()
        return death(status, tuple(self._last_lines))

    async def _send(self, line: bytes) -> None:
        stdin = _of(self._process.stdin)
        stdin.write(line + b"\n")
        await stdin.drain()

    async def _read_errors(self) -> None:
        async for line in _of(self._process.stderr):
            text = line.decode(errors="replace").rstrip()
            self._last_lines.append(text)
            logger.warning("Job process %d: %s", self.pid, text)


class LocalEngine:
    """Starts slots, and keeps a few that have nothing to do for the next jobs."""

    def __init__(self, settings: Settings, runner: str) -> None:
        self._settings = settings
        self._runner = runner
        self._idle: list[Slot] = []
        self._numbers = count(1)

    @asynccontextmanager
    async def slot(self) -> AsyncIterator[Slot]:
        """Give a slot; one that is not usable behind the block is killed."""
        slot = await self._take()
        try:
            yield slot
        finally:
            if slot.alive and len(self._idle) < MOST_IDLE:
                self._idle.append(slot)
            else:
                await asyncio.shield(slot.kill())

    async def warm(self) -> None:
        """Have a slot ready before the first job asks for it."""
        if not self._idle:
            self._idle.append(await self._start())

    async def close(self) -> None:
        idle, self._idle = self._idle, []
        await asyncio.gather(*(slot.stop() for slot in idle))

    async def _take(self) -> Slot:
        while self._idle:
            slot = self._idle.pop()
            if slot.alive:
                return slot
            await slot.kill()
        return await self._start()

    async def _start(self) -> Slot:
        mark = f"{self._runner}#{next(self._numbers)}#"
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-P",
            "-m",
            "jobs.child",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            start_new_session=True,
            env=finding_our_packages(marked_with(mark)),
            limit=LONGEST_ANSWER,
        )
        slot = Slot(process, mark)
        await slot.configure(self._settings)
        return slot


def _of(pipe: P | None) -> P:
    """Give a pipe that the process was started with."""
    if pipe is None:
        raise ConnectionError
    return pipe
