"""The logs of jobs, line by line: `<timestamp> <text>`, numbered from 1."""

import asyncio
import logging
import re
from collections.abc import Iterator
from contextlib import aclosing, contextmanager
from itertools import islice
from pathlib import Path
from typing import BinaryIO

import msgspec

from virtool_gql.cancellation import Endings
from virtool_gql.errors import UpstreamUnavailable
from virtool_gql.models.documents import Timestamp
from virtool_gql.stores.redis import Signals
from virtool_gql.workflows import LOG_CHANNEL

logger = logging.getLogger(__name__)

BLOCK_BYTES = 1 << 20
LONGEST_LINE = 10_000
STAMP = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z)(?: |$)")


class LogLine(msgspec.Struct, frozen=True, kw_only=True):
    """One line of a job's log."""

    number: int
    at: Timestamp
    text: str


class LogReader:
    """Reads one log forwards, each byte once. A line without a timestamp has that of the line before it, or `at`."""

    def __init__(self, path: Path, after: int, at: Timestamp) -> None:
        self._path = path
        self._after = after
        self._at = at
        self._number = 0
        self._offset = 0

    def read(self, first: int, *, ended: bool) -> list[LogLine]:
        """Give the next lines; one that has no end yet only when nobody writes any more."""
        try:
            file = self._path.open("rb")
        except FileNotFoundError:
            return []
        with file:
            file.seek(self._offset)
            self._skip(file)
            file.seek(self._offset)
            return list(islice(self._lines(file, ended=ended), first)) if self._number >= self._after else []

    def _skip(self, file: BinaryIO) -> None:
        while self._number < self._after and (block := file.read(BLOCK_BYTES)):
            lines = block.split(b"\n", self._after - self._number)
            self._number += len(lines) - 1
            self._offset += len(block) - (len(lines[-1]) if self._number == self._after else 0)

    def _lines(self, file: BinaryIO, *, ended: bool) -> Iterator[LogLine]:
        for line in file:
            if not ended and not line.endswith(b"\n"):
                return
            self._offset += len(line)
            self._number += 1
            yield self._line(line.rstrip(b"\r\n").decode(errors="replace"))

    def _line(self, line: str) -> LogLine:
        stamp = STAMP.match(line)
        if stamp:
            self._at = Timestamp(stamp[1])
        text = line[stamp.end() :] if stamp else line
        return LogLine(number=self._number, at=self._at, text=text[:LONGEST_LINE])


class LogSignals:
    """Tells those who follow logs that one has grown. All of a process share one connection to Redis."""

    def __init__(self, signals: Signals) -> None:
        self._signals = signals
        self._followers: dict[str, set[asyncio.Event]] = {}
        self._listening: asyncio.Task[None] | None = None
        self._endings = Endings()

    @contextmanager
    def of(self, job_id: str) -> Iterator[asyncio.Event]:
        """Give an event that is set whenever the job's log has grown."""
        grown = asyncio.Event()
        self._followers.setdefault(job_id, set()).add(grown)
        if self._listening is None or self._listening.done():
            self._listening = asyncio.create_task(self._listen())
        try:
            yield grown
        finally:
            self._forget(job_id, grown)

    def _forget(self, job_id: str, grown: asyncio.Event) -> None:
        self._followers[job_id].discard(grown)
        if not self._followers[job_id]:
            del self._followers[job_id]
        if not self._followers:
            self._hear_no_more()

    def _hear_no_more(self) -> None:
        if self._listening is not None:
            self._endings.end(self._listening)
            self._listening = None

    async def close(self) -> None:
        """Listen no more, and wait until that is so."""
        self._hear_no_more()
        await self._endings.all_over()

    async def _listen(self) -> None:
        try:
            async with aclosing(self._signals.listen(LOG_CHANNEL)) as messages:
                async for job_id in messages:
                    for grown in self._followers.get(job_id, ()):
                        grown.set()
        except UpstreamUnavailable as error:
            logger.warning("%s Logs are looked at each second instead.", error.message)
