import asyncio
import time
from collections.abc import AsyncGenerator
from pathlib import Path

from redis.asyncio import Redis

from tests.factories.conditions import until
from virtool_gql.db.job_logs import LogReader, LogSignals
from virtool_gql.models.documents import Timestamp
from virtool_gql.stores.redis import Signals

CREATED = Timestamp("2026-03-01T00:00:00.000Z")
LATER = Timestamp("2026-03-01T00:00:01.000Z")


def reader(path: Path, after: int = 0) -> LogReader:
    return LogReader(path, after, CREATED)


def test_lines_have_numbers_times_and_texts(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(f"from the tool\n{LATER} said: {LATER}\n  continued\r\n\n{LATER}\n\xff".encode("latin-1"))
    lines = reader(path).read(10, ended=True)
    assert [(line.number, line.at, line.text) for line in lines] == [
        (1, CREATED, "from the tool"),
        (2, LATER, f"said: {LATER}"),
        (3, LATER, "  continued"),
        (4, LATER, ""),
        (5, LATER, ""),
        (6, LATER, "\ufffd"),
    ]


def test_a_reader_goes_on_where_it_was(tmp_path: Path) -> None:
    path = tmp_path / "log"
    following = reader(path, after=2)
    assert following.read(10, ended=False) == []
    with path.open("ab", buffering=0) as log:
        log.write(b"1\n")
        assert following.read(10, ended=False) == []
        log.write(b"2\n3\n4\n5")
        assert [line.number for line in following.read(1, ended=False)] == [3]
        assert [line.text for line in following.read(10, ended=False)] == ["4"]
        assert following.read(10, ended=False) == []
        assert [(line.number, line.text) for line in following.read(10, ended=True)] == [(5, "5")]


def test_a_very_long_line_is_cut_and_counts_once(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(b"x" * 3_000_000 + b"\nnext\n")
    first, second = reader(path).read(10, ended=False)
    assert len(first.text) == 10_000
    assert (second.number, second.text) == (2, "next")
    assert [line.text for line in reader(path, after=1).read(10, ended=False)] == ["next"]


def test_the_end_of_a_long_log_is_found_without_reading_it_line_by_line(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(b"".join(b"%s line %d\n" % (LATER.encode(), number) for number in range(1, 300_001)))
    started = time.perf_counter()
    lines = reader(path, after=299_990).read(100, ended=True)
    assert time.perf_counter() - started < 1
    assert [line.text for line in lines] == [f"line {number}" for number in range(299_991, 300_001)]


class Stubborn(Signals):
    """Listens on after its first cancellation, as redis-py on Python 3.11 may."""

    def __init__(self, redis: Redis) -> None:
        super().__init__(redis)
        self.listeners: list[asyncio.Task[object] | None] = []

    async def listen(self, channel: str) -> AsyncGenerator[str, None]:
        self.listeners.append(asyncio.current_task())
        try:
            async for message in super().listen(channel):
                yield message
        except asyncio.CancelledError:
            async for message in super().listen(channel):
                yield message


async def test_the_last_follower_ends_the_listening_although_the_cancellation_is_swallowed(redis: Redis) -> None:
    signals = Stubborn(redis)
    logs = LogSignals(signals)
    with logs.of("job"):
        await until(lambda: signals.listeners)
    [listener] = signals.listeners
    assert listener is not None
    await until(listener.done)
    with logs.of("job"), logs.of("other"):
        await until(lambda: len(signals.listeners) == 2)
    await logs.close()
    assert all(listener is not None and listener.done() for listener in signals.listeners)


async def test_closing_ends_the_listening_of_those_who_still_follow(redis: Redis) -> None:
    signals = Stubborn(redis)
    logs = LogSignals(signals)
    with logs.of("job"):
        await until(lambda: signals.listeners)
        await logs.close()
        assert all(listener is not None and listener.done() for listener in signals.listeners)
