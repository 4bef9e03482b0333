"""Processes of jobs: none of them outlives its job, whatever session it is in."""

import os
import signal
import time

from virtool_gql.processes import PROC

MARK = "VT_JOB_PROCESS"
KILL_SECONDS = 1.0


def marked_with(mark: str) -> dict[str, str]:
    """Give the environment of a process of a job; its descendants inherit it, whatever session they are in."""
    return {**os.environ, MARK: mark}


def kill_marked(mark: str) -> None:
    """Kill every process whose mark begins so, and those that they start meanwhile."""
    wanted = f"\0{MARK}={mark}".encode()
    deadline = time.monotonic() + KILL_SECONDS
    while (found := [pid for pid in _pids() if wanted in _environment(pid)]) and time.monotonic() < deadline:
        for pid in found:
            _kill(pid)
        time.sleep(0.005)


def _kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return


def _pids() -> list[int]:
    return [int(entry.name) for entry in PROC.iterdir() if entry.name.isdecimal()] if PROC.is_dir() else []


def _environment(pid: int) -> bytes:
    try:
        return b"\0" + (PROC / str(pid) / "environ").read_bytes()
    except OSError:
        return b""
