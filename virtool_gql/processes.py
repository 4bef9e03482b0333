"""Processes of ours: how they are named, and how none of them outlives the one that started it."""

import ctypes
import os
import secrets
import signal
import socket
from collections.abc import Mapping
from pathlib import Path

PROC = Path("/proc")
PR_SET_PDEATHSIG = 1
NAME_PARTS = 5  # host, machine, process, its start, and a random one


def runner_name() -> str:
    """Name this process as one that does work, so that others on the same machine can tell when it is gone."""
    return "/".join((socket.gethostname(), _machine(), str(os.getpid()), _start_of(os.getpid()), secrets.token_hex(4)))


def has_died(runner: str) -> bool:
    """Tell whether a process is known to be gone; one on another machine, or in another container, never is."""
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


def finding_our_packages(environment: Mapping[str, str]) -> dict[str, str]:
    """Give the environment of a child, in which it finds the packages that this process has found."""
    paths = [str(Path(__file__).parents[1]), *environment.get("PYTHONPATH", "").split(os.pathsep)]
    return {**environment, "PYTHONPATH": os.pathsep.join(filter(None, paths))}


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


def kill_group(leader: int) -> None:
    """Kill the process group of a leader that nobody has waited for yet."""
    try:
        os.killpg(leader, signal.SIGKILL)
    except ProcessLookupError:
        return
