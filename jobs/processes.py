"""Processes of jobs: which runner they belong to, and how none of them outlives its job."""

import ctypes
import os
import secrets
import signal
import socket
import time
from pathlib import Path

PROC = Path("/proc")
MARK = "VT_JOB_PROCESS"
PR_SET_PDEATHSIG = 1
KILL_SECONDS = 1.0
NAME_PARTS = 5  # host, machine, process, its start, and a random one


def runner_name() -> str:
    """Name this process as a runner, so that others on the same machine can tell when it is gone."""
    return "/".join((socket.gethostname(), _machine(), str(os.getpid()), _start_of(os.getpid()), secrets.token_hex(4)))


def has_died(runner: str) -> bool:
    """Tell whether a runner is known to be gone; one on another machine, or in another container, never is."""
    parts = runner.split("/")
    if len(parts) != NAME_PARTS or parts[1] != _machine() or not PROC.is_dir():
        return False
    return _start_of(int(parts[2])) != parts[3]


def _machine() -> str:
    """Identify the space in which a process id means something: this boot, this PID namespace."""
    try:
        boot = (PROC / "sys/kernel/random/boot_id").read_text().split("-")[0]
        return boot + (PROC / "self/ns/pid").readlink().name.strip("pid:[]")
    except OSError:
        return secrets.token_hex(8)


def _start_of(pid: int) -> str:
    """Give the start time of a process as the kernel counts it; a dead one, even unburied, has none."""
    try:
        state, *fields = (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return ""
    return "" if state in {"Z", "X"} else fields[18]


def die_with_parent(parent: int) -> None:
    """Let the kernel kill this process when its parent ends, however it ends."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


def be_killed_first() -> None:
    """Ask the kernel to kill this process rather than a server when memory runs out."""
    try:
        (PROC / "self/oom_score_adj").write_text("500")
    except OSError:
        return


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


def kill_group(leader: int) -> None:
    """Kill the process group of a leader that nobody has waited for yet."""
    try:
        os.killpg(leader, signal.SIGKILL)
    except ProcessLookupError:
        return


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
