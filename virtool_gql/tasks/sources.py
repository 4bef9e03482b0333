"""The files of the watch directory, as they lie there: seen, looked into, copied, removed and rejected.

Everything here blocks, and runs in threads. No link is followed, and nothing is removed or moved but the very file
that was looked at: it is set aside under a name of its own first, looked at again, and put back if it is another one.
"""

import errno
import fcntl
import hashlib
import os
import re
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from virtool_gql.db.names import file_name
from virtool_gql.tasks.reads import CutOff, NotReads, check_reads
from virtool_gql.tasks.writers import Writers

READS = re.compile(r".+\.(fq|fastq)(\.gz)?", re.IGNORECASE | re.DOTALL)
UNFINISHED = re.compile(
    r".*(\.(part|partial|filepart|tmp|temp|crdownload|download|opdownload|swp)|~)", re.IGNORECASE | re.DOTALL
)
REJECTED = "rejected"
ASIDE = ".virtool"
BLOCK_BYTES = 1 << 20
NAME_BYTES = 200
"""As much of a name is kept in the folder of rejected files, so that it can be added to."""


class Gone(Exception):
    """The file is no longer there."""


class Changed(Exception):
    """The file is another one by now, or is being written."""


class LeftAlone(Exception):
    """Nothing can be done with the file where it is; the message says why."""


class PerhapsUnfinished(Exception):
    """The file is cut off, and somebody may write to it of whom nothing can be known."""


class Stopped(Exception):
    """The server ends."""


@dataclass(frozen=True, slots=True)
class Source:
    """A file as it was seen. Two that are equal are the same file with the same content."""

    name: str
    inode: int
    size: int
    mtime_ns: int
    ctime_ns: int

    @classmethod
    def of(cls, name: str, status: os.stat_result) -> "Source":
        return cls(name, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)

    @property
    def key(self) -> str:
        """Give what names the file in the database. The device is no part: it differs from machine to machine."""
        parts = f"{self.inode} {self.size} {self.mtime_ns} {self.ctime_ns} ".encode() + os.fsencode(self.name)
        return hashlib.sha256(parts).hexdigest()

    @property
    def content(self) -> str:
        """Give what stays the same when the file is moved."""
        return f"{self.inode}-{self.size}-{self.mtime_ns}"

    @property
    def is_reads(self) -> bool:
        return READS.fullmatch(self.name) is not None

    @property
    def shown(self) -> str:
        return ascii(self.name)


def seen_in(folder: Path) -> tuple[list[Source], list[str]]:
    """Give the files of the folder that may be imported, and the names of what else lies there."""
    sources, others = [], []
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.startswith(".") or entry.name == REJECTED or UNFINISHED.fullmatch(entry.name):
                continue
            with suppress(FileNotFoundError):
                if entry.is_file(follow_symlinks=False):
                    sources.append(Source.of(entry.name, entry.stat(follow_symlinks=False)))
                else:
                    others.append(entry.name)
    return sources, others


@contextmanager
def opened(folder: Path, source: Source) -> Iterator[int]:
    """Open the very file that was seen."""
    try:
        handle = os.open(folder / source.name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError as error:
        raise Gone from error
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise Changed from error
        raise LeftAlone(f"it cannot be read ({error.strerror})") from error
    try:
        check_same(source, os.fstat(handle))
        yield handle
    finally:
        os.close(handle)


def check_same(source: Source, status: os.stat_result) -> None:
    if not stat.S_ISREG(status.st_mode) or Source.of(source.name, status) != source:
        raise Changed


def inspect(folder: Path, source: Source, writers: Writers) -> None:
    """See that nobody writes to a file, that it can be removed when it is imported, and that it holds reads."""
    with opened(folder, source) as handle:
        known = writers.has_one(handle)
        if known:
            raise Changed
        _check_removable(folder, os.fstat(handle))
        if not source.is_reads:
            raise NotReads("Its name does not end in .fq, .fastq, .fq.gz or .fastq.gz.")
        file_name(source.name)
        try:
            check_reads(handle, source.name, source.size)
        except CutOff as error:
            raise error if known is False else PerhapsUnfinished(error.message) from error


def _check_removable(folder: Path, status: os.stat_result) -> None:
    """Refuse what could never be removed: other people's files in a folder where only they may remove them."""
    around, user = folder.stat(), os.geteuid()
    if around.st_mode & stat.S_ISVTX and user not in {0, status.st_uid, around.st_uid}:
        raise LeftAlone("it belongs to another user, and in this folder (sticky bit) only that user may remove it")


def copy(folder: Path, source: Source, target: Path, writers: Writers, is_stopped: Callable[[], bool]) -> int:
    """Copy the file onto the disk; give the open copy, whose lock tells others that somebody is at work.

    Raises Changed or Gone when the source is not the same at the end as at the beginning.
    """
    made = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
    try:
        with suppress(OSError):  # on a file system without locks
            fcntl.flock(made, fcntl.LOCK_EX | fcntl.LOCK_NB)
        with opened(folder, source) as handle:
            _copy_bytes(handle, made, source.size, is_stopped)
            os.fsync(made)
            _check_whole(source, handle, made, writers)
        _check_still_there(folder, source)
        _sync_folder(target.parent)
    except BaseException:
        os.close(made)
        raise
    return made


def _check_whole(source: Source, handle: int, made: int, writers: Writers) -> None:
    check_same(source, os.fstat(handle))
    if writers.has_one(handle) or os.fstat(made).st_size != source.size:
        raise Changed


def _copy_bytes(handle: int, made: int, size: int, is_stopped: Callable[[], bool]) -> None:
    block = memoryview(bytearray(BLOCK_BYTES))
    left = size
    while length := os.readv(handle, [block]):
        if is_stopped():
            raise Stopped
        left -= length
        if left < 0:
            raise Changed  # it grows, perhaps as fast as it is copied
        written = 0
        while written < length:
            written += os.write(made, block[written:length])


def _check_still_there(folder: Path, source: Source) -> None:
    try:
        check_same(source, (folder / source.name).lstat())
    except FileNotFoundError as error:
        raise Gone from error


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def check_room(folder: Path, source: Source) -> None:
    """Raise OSError when the folder has no room for a copy."""
    room = os.statvfs(folder)
    if room.f_bavail * room.f_frsize < source.size:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def is_abandoned(target: Path) -> bool | None:
    """Tell whether nobody is at work on a copy any more; None when there is none."""
    try:
        handle = os.open(target, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    else:
        return True
    finally:
        os.close(handle)
