"""How the run of a job can end, and the sentences for it."""

import errno
import signal
import traceback
from collections.abc import Sequence

import msgspec

from virtool_gql.errors import UpstreamUnavailable, VirtoolError
from virtool_gql.models.jobs import JobError

FAULT = "The job failed because of a fault in the program."
DISK_FULL = "The disk is full. Ask an administrator to make room, then try again."
MEMORY_FULL = "The job needed more memory than there is. Ask an administrator to give it more, then try again."


class Completed(msgspec.Struct, frozen=True, tag=True):
    """The job is done, and stored as such."""


class Failed(msgspec.Struct, frozen=True, tag=True):
    """The job cannot be done."""

    error: JobError


class Interrupted(msgspec.Struct, frozen=True, tag=True):
    """A service did not answer; the job is to begin again, for it may do better then."""

    error: JobError


class Cancelled(msgspec.Struct, frozen=True, tag=True):
    """Somebody asked for the job's end, or deleted what it was about."""


class Lost(msgspec.Struct, frozen=True, tag=True):
    """The job belongs to somebody else now."""


class Stopped(msgspec.Struct, frozen=True, tag=True):
    """The runner shuts down; the job is to be done later."""


class Abandoned(msgspec.Struct, frozen=True, tag=True):
    """The job's runner is gone."""


class Silent(msgspec.Struct, frozen=True, tag=True):
    """The job's runner was not heard of until its lease ran out."""


Outcome = Completed | Failed | Interrupted | Cancelled | Lost | Stopped | Abandoned | Silent
Answer = Completed | Failed | Interrupted | Cancelled | Lost
"""The outcomes that a child process can tell."""


def failure(error: BaseException) -> Failed | Interrupted:
    """Say why a step failed: to its owner if they can mend it, else to those who look after the program."""
    told = _told(error)
    return Interrupted(told) if isinstance(error, UpstreamUnavailable) else Failed(told)


def _told(error: BaseException) -> JobError:
    message = _sentence(error)
    told = () if message else traceback.format_exception(error)
    return JobError(
        type=type(error).__name__,
        message=message or FAULT,
        details=tuple(getattr(error, "details", ())),
        traceback=tuple("".join(told).splitlines()),
    )


def _sentence(error: BaseException) -> str | None:
    if isinstance(error, VirtoolError):
        return error.message
    if isinstance(error, OSError) and error.errno in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}:
        return DISK_FULL
    return MEMORY_FULL if isinstance(error, MemoryError) else None


def death(returncode: int, last_lines: Sequence[str]) -> Failed:
    """Say that the process of a job ended before it could answer."""
    how = f"signal {-returncode}" if returncode < 0 else f"exit status {returncode}"
    hint = "The machine may have run out of memory" if returncode == -signal.SIGKILL else "This is not your fault"
    message = f"The process that ran this job died ({how}). {hint}: try again, and tell an administrator if it recurs."
    return Failed(JobError(type="ProcessDied", message=message, details=tuple(last_lines)))


def abandonment(outcome: Abandoned | Silent, attempts: int) -> JobError:
    times = f"{attempts} times" if attempts > 1 else "once"
    kind, what = ("RunnerSilent", "fell silent") if isinstance(outcome, Silent) else ("RunnerStopped", "stopped")
    message = f"The runner of this job {what} {times} before the job was done; it is not tried again."
    return JobError(type=kind, message=message)
