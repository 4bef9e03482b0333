"""The lock that keeps a second server off the same data path."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager

from virtool_gql.embedded.folders import ServiceFolders
from virtool_gql.errors import ConfigError


@contextmanager
def exclusive(folders: ServiceFolders) -> Iterator[None]:
    """Hold the data path's lock, which the kernel takes back when this process ends, however it ends."""
    path = folders.root / "lock"
    try:
        folders.root.mkdir(mode=0o700, parents=True, exist_ok=True)
        # Close-on-exec, so that no child holds the lock when the server is gone.
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise ConfigError(
            f"The data path {folders.root.parent} cannot be written ({error.strerror}); "
            "give it to the server's user, or choose another with --data-path."
        ) from error
    try:
        _take(descriptor, folders)
        yield
    finally:
        os.close(descriptor)


def _take(descriptor: int, folders: ServiceFolders) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        owner = os.pread(descriptor, 32, 0).decode().strip() or "unknown"
        raise ConfigError(
            f"Another server (process {owner}) uses the data path {folders.root.parent}; "
            "stop it, or choose another with --data-path."
        ) from error
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
