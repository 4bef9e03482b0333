"""Services that a killed server left behind."""

import asyncio
import os
import signal
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

POLL_SECONDS = 0.01
END_SECONDS = 15.0


async def end_leftover(pid_files: Iterable[Path], mark: str, stop_signal: signal.Signals) -> None:
    """End the process that the pid files name if its command line holds the mark, and remove the files.

    A pid may have passed to a stranger since; a stranger is let alone.
    """
    for path in pid_files:
        pid = _pid(path)
        if pid is not None and _is_ours(pid, mark):
            await _end(pid, mark, stop_signal)
        path.unlink(missing_ok=True)


async def _end(pid: int, mark: str, stop_signal: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, stop_signal)
    try:
        await _gone(pid, mark)
    except TimeoutError:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        await _gone(pid, mark)


async def _gone(pid: int, mark: str) -> None:
    async with asyncio.timeout(END_SECONDS):
        while _is_ours(pid, mark):
            await asyncio.sleep(POLL_SECONDS)


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
