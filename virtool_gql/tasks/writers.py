"""Whether a process holds a file open for writing."""

import errno
import fcntl
import os
import signal
import stat
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

PROCESSES = Path("/proc")
MOUNTS = Path("/proc/self/mountinfo")
REMOTE = frozenset({"nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "virtiofs", "ceph", "lustre", "afs", "glusterfs"})
LOOK_AGAIN_SECONDS = 1.0


class Writers:
    """Tells who writes what on this machine.

    A read lease is granted on a file that nobody at all has open for writing. It can be had on files of one's own, and
    on all by root; else what the open files of other processes say is looked at, of those whose files may be seen.
    `remote` says that other machines may write, too.
    """

    def __init__(self) -> None:
        self.remote = False
        self._seen: frozenset[tuple[int, int]] = frozenset()
        self._seen_at = float("-inf")

    def has_one(self, handle: int) -> bool | None:
        """Tell whether an open file is also open for writing; None when nobody is known, and others may be hidden."""
        leased = _lease(handle)
        if leased is not None:
            return None if leased and self.remote else not leased
        status = os.fstat(handle)
        return True if (status.st_dev, status.st_ino) in self._open_for_writing() else None

    def _open_for_writing(self) -> frozenset[tuple[int, int]]:
        if time.monotonic() - self._seen_at > LOOK_AGAIN_SECONDS:
            self._seen = frozenset(_open_for_writing())
            self._seen_at = time.monotonic()
        return self._seen


def _lease(handle: int) -> bool | None:
    """Tell whether a read lease is granted; None when the system gives none on this file."""
    try:
        # Should somebody open the file just now, the signal that tells of it is one that does nothing.
        fcntl.fcntl(handle, fcntl.F_SETSIG, signal.SIGURG)
        fcntl.fcntl(handle, fcntl.F_SETLEASE, fcntl.F_RDLCK)
    except OSError as error:
        return False if error.errno == errno.EAGAIN else None
    fcntl.fcntl(handle, fcntl.F_SETLEASE, fcntl.F_UNLCK)
    return True


def _open_for_writing() -> Iterator[tuple[int, int]]:
    """Give device and inode of what processes have open for writing."""
    for process in PROCESSES.iterdir():
        if process.name.isdecimal():
            with suppress(OSError), os.scandir(process / "fd") as handles:
                for handle in handles:
                    yield from _written(process, handle.name)


def _written(process: Path, handle: str) -> Iterator[tuple[int, int]]:
    with suppress(OSError):
        status = (process / "fd" / handle).stat()
        if stat.S_ISREG(status.st_mode) and _flags(process / "fdinfo" / handle) & os.O_ACCMODE != os.O_RDONLY:
            yield status.st_dev, status.st_ino


def _flags(info: Path) -> int:
    words = info.read_text().split()
    return int(words[words.index("flags:") + 1], 8)


def is_remote(folder: Path) -> bool:
    """Tell whether other machines may write to a folder of which this one would not hear."""
    device = folder.stat().st_dev
    number = f"{os.major(device)}:{os.minor(device)}"
    with suppress(OSError):
        for line in MOUNTS.read_text().splitlines():
            before, _, after = line.partition(" - ")
            kind = after.split(" ", 1)[0]
            if before.split(" ")[2] == number:
                return kind in REMOTE or kind.startswith("fuse")
    return False
