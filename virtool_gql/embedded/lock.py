"""The lock that keeps a second server off the same data path."""

import asyncio
import fcntl
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple

from virtool_gql.embedded.folders import ServiceFolders
from virtool_gql.errors import ConfigError

LEFTOVER_SECONDS = 5.0
BRIEF_SECONDS = 60.0
PAUSE_SECONDS = 0.1
NOTE_WIDTH = 20
BRIEF = "briefly"


class DataPathInUse(ConfigError):
    """Another process runs the services of the data path."""


class Owner(NamedTuple):
    """The process that holds the lock, and whether it says that it will be gone in a moment."""

    pid: str
    brief: bool


@asynccontextmanager
async def exclusive(folders: ServiceFolders, *, brief: bool = False) -> AsyncIterator[None]:
    """Hold the data path's lock, which the kernel takes back when this process ends, however it ends.

    For whoever holds it briefly others wait; to a server that holds it they give way.
    """
    descriptor = _opened(folders)
    try:
        await _take(descriptor, folders)
        note = f"{os.getpid()} {BRIEF}" if brief else str(os.getpid())
        # In one write of one length, so that whoever reads it never finds half a number.
        os.pwrite(descriptor, f"{note:<{NOTE_WIDTH}}\n".encode(), 0)
        yield
    finally:
        os.close(descriptor)


def _opened(folders: ServiceFolders) -> int:
    """Open the file of the lock, to be closed in every child, so that none holds the lock when the server is gone."""
    try:
        folders.root.mkdir(mode=0o700, parents=True, exist_ok=True)
        return os.open(folders.root / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise ConfigError(
            f"The data path {folders.root.parent} cannot be written ({error.strerror}); "
            "give it to the server's user, or choose another with --data-path."
        ) from error


async def _take(descriptor: int, folders: ServiceFolders) -> None:
    """Take the lock; when its owner was killed, wait a little for a child of it that was just being made."""
    time = asyncio.get_running_loop().time
    began = time()
    while True:
        try:
            return fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            owner = _owner(descriptor)
            patience = BRIEF_SECONDS if owner.brief else LEFTOVER_SECONDS
            if time() - began > patience or (_is_alive(owner.pid) and not owner.brief):
                raise DataPathInUse(
                    f"Another server (process {owner.pid or 'unknown'}) uses the data path {folders.root.parent}; "
                    "stop it, or choose another with --data-path."
                ) from error
        await asyncio.sleep(PAUSE_SECONDS)


def _owner(descriptor: int) -> Owner:
    pid, _, note = os.pread(descriptor, NOTE_WIDTH, 0).decode().strip().partition(" ")
    return Owner(pid, note == BRIEF)


def _is_alive(pid: str) -> bool:
    """Look at the command line, which is empty for a process that is dead and waits for its parent."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes() != b""
    except OSError:
        return False
