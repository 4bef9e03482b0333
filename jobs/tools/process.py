"""Running an external program for a job, within the process group of the job's child process."""

import asyncio
import shutil
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path

from virtool_gql.errors import VirtoolError

TAIL_LINES = 50
LONGEST_LINE = 1 << 16


class ToolMissing(VirtoolError):
    """An external program is not installed."""


class ToolFailed(VirtoolError):
    """An external program ended with an error; `details` are the last lines that it wrote."""

    def __init__(self, message: str, details: Sequence[str]) -> None:
        super().__init__(message)
        self.details = tuple(details)


def require_tools(*names: str) -> None:
    """Raise ToolMissing unless all the programs are installed."""
    missing = [name for name in names if shutil.which(name) is None]
    if missing:
        raise ToolMissing(
            f"The job needs the program {' and '.join(missing)}, which the machine that runs it does not have. "
            "Ask an administrator to install it."
        )


async def run_tool(
    *command: str,
    log: Callable[[str], None],
    folder: Path | None = None,
    on_output: Callable[[bytes], None] | None = None,
) -> None:
    """Run a program to its end; what it writes to stderr goes to the log, line by line.

    `on_output` gets what it writes to stdout, in blocks. The program is killed when the task is cancelled, and with
    the process that runs the job. Raises ToolMissing, or ToolFailed with the last lines of stderr.
    """
    require_tools(command[0])
    log(f"$ {' '.join(command)}")
    process = await asyncio.create_subprocess_exec(
        *_tethered(command),
        cwd=folder,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE if on_output else asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
        limit=LONGEST_LINE,
    )
    tail: deque[str] = deque(maxlen=TAIL_LINES)
    try:
        async with asyncio.TaskGroup() as readers:
            readers.create_task(_log_lines(process.stderr, log, tail))
            if on_output:
                readers.create_task(_hand_over(process.stdout, on_output))
        status = await process.wait()
    except BaseException:
        if process.returncode is None:
            process.kill()
            await process.wait()
        raise
    if status:
        raise ToolFailed(f"The program {command[0]} failed ({_ending(status)}).", tail)


def _tethered(command: Sequence[str]) -> tuple[str, ...]:
    """Let the kernel kill the program when the process that started it dies, where the machine can."""
    setpriv = shutil.which("setpriv")
    return (setpriv, "--pdeathsig", "KILL", "--", *command) if setpriv else tuple(command)


def _ending(status: int) -> str:
    return f"signal {-status}" if status < 0 else f"exit status {status}"


async def _log_lines(stream: asyncio.StreamReader | None, log: Callable[[str], None], tail: deque[str]) -> None:
    while stream is not None and (line := await _next_line(stream)):
        text = line.decode(errors="replace").rstrip()
        tail.append(text)
        log(text)


async def _next_line(stream: asyncio.StreamReader) -> bytes:
    """Read a line; of one that is too long, the part that fits."""
    try:
        return await stream.readuntil(b"\n")
    except asyncio.IncompleteReadError as error:
        return error.partial
    except asyncio.LimitOverrunError as error:
        return await stream.readexactly(error.consumed)


async def _hand_over(stream: asyncio.StreamReader | None, on_output: Callable[[bytes], None]) -> None:
    while stream is not None and (block := await stream.read(1 << 20)):
        on_output(block)
