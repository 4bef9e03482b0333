"""Services that a killed server left behind."""

import asyncio
import os
import signal
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

END_SECONDS = 15.0


async def end_leftover(pid_files: Iterable[Path], mark: str, stop_signal: signal.Signals) -> None:
    """End the process that the pid files name if its command line holds the mark.

    A pid may have passed to a stranger since, who is let alone; then the file must go, for PostgreSQL would take the
    stranger for its other self. A file whose process is gone stays: PostgreSQL learns from it which memory to look at.
    """
    for path in pid_files:
        pid = _pid(path)
        if pid is not None:
            await _end(pid, mark, stop_signal)
            _forget(path, pid)


def _forget(path: Path, pid: int) -> None:
    if Path(f"/proc/{pid}").exists():
        path.unlink(missing_ok=True)


async def _end(pid: int, mark: str, stop_signal: signal.Signals) -> None:
    with suppress(ProcessLookupError), _descriptor(pid) as process:
        if not _is_ours(pid, mark):
            return
        try:
            signal.pidfd_send_signal(process, stop_signal)
            await _ended(process)
        except TimeoutError:
            signal.pidfd_send_signal(process, signal.SIGKILL)
            await _ended(process)


@contextmanager
def _descriptor(pid: int) -> Iterator[int]:
    """Hold on to a process, so that its pid cannot pass to another between a look and a signal."""
    process = os.pidfd_open(pid)
    try:
        yield process
    finally:
        os.close(process)


async def _ended(process: int) -> None:
    loop, ended = asyncio.get_running_loop(), asyncio.Event()
    loop.add_reader(process, ended.set)
    try:
        async with asyncio.timeout(END_SECONDS):
            await ended.wait()
    finally:
        loop.remove_reader(process)


def _pid(path: Path) -> int | None:
    try:
        pid = int(path.read_text().split("\n", 1)[0])
    except (OSError, ValueError):
        return None
    return pid if pid > 1 else None


def _is_ours(pid: int, mark: str) -> bool:
    """Compare the command line, which is empty for a process that is dead and waits for its parent."""
    try:
        return os.fsencode(mark) in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False
