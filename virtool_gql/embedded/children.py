"""Child processes that run as long as the server does, and not longer."""

import asyncio
import logging
import os
import signal
from asyncio.subprocess import DEVNULL, STDOUT, Process
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from virtool_gql.cancellation import cancelled
from virtool_gql.embedded.accounts import Account
from virtool_gql.embedded.leftovers import end_leftover
from virtool_gql.errors import ConfigError

log = logging.getLogger(__name__)

START_SECONDS = 60.0
STOP_SECONDS = 20.0
POLL_SECONDS = 0.01
LONGEST_PAUSE_SECONDS = 5.0
LONGEST_LOG_BYTES = 10_000_000
ENVIRONMENT = {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}


@dataclass(frozen=True, slots=True)
class Program:
    """A service that can be started."""

    name: str
    command: tuple[str, ...]
    log: Path
    stop_signal: signal.Signals
    pid_files: tuple[Path, ...]
    mark: str
    """What the command line of its process holds, and that of no other."""
    answers: Callable[[], Awaitable[bool]]


class Child:
    """A service's process: started, kept alive and stopped."""

    def __init__(self, program: Program, account: Account) -> None:
        self.program = program
        self.account = account
        self.process: Process | None = None

    @asynccontextmanager
    async def running(self) -> AsyncIterator["Child"]:
        """Have the service running while the block lasts; one that dies is started again."""
        try:
            await self.start()
            keeper = asyncio.create_task(self._keep())
            try:
                yield self
            finally:
                await cancelled(keeper)
        finally:
            await self.stop()

    async def start(self) -> None:
        """Start the service and wait until it answers."""
        program = self.program
        await end_leftover(program.pid_files, program.mark, program.stop_signal)
        self.process = await spawn(self.account, program.command, program.log, program.stop_signal)
        try:
            async with asyncio.timeout(START_SECONDS):
                while not await program.answers():
                    self._check()
                    await asyncio.sleep(POLL_SECONDS)
        except TimeoutError:
            raise ConfigError(f"{program.name} does not answer; see {program.log}.") from None

    def _check(self) -> None:
        if self.process is None or self.process.returncode is not None:
            raise ConfigError(f"{self.program.name} did not start: {last_line(self.program.log)}")

    async def stop(self) -> None:
        """Stop the service; kill it if it takes too long."""
        if self.process is not None:
            await end(self.process, self.program.stop_signal)

    async def _keep(self) -> None:
        while True:
            if self.process is not None:
                await self.process.wait()
            log.error("%s ended by itself and is started again; see %s.", self.program.name, self.program.log)
            await self._start_again()

    async def _start_again(self) -> None:
        pause = 0.1
        while True:
            try:
                return await self.start()
            except ConfigError as error:
                log.error("%s", error)  # noqa: TRY400 - the sentence says it all
                await self.stop()
            await asyncio.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE_SECONDS)


async def spawn(account: Account, command: tuple[str, ...], output: Path, death_signal: signal.Signals) -> Process:
    """Start a process in a session of its own, so that Ctrl-C in a terminal reaches only the server."""
    _keep_short(output)
    with output.open("ab") as stream:
        return await asyncio.create_subprocess_exec(
            *account.command(*command, death_signal=death_signal.name),
            stdin=DEVNULL,
            stdout=stream,
            stderr=STDOUT,
            env=ENVIRONMENT,
            cwd="/",
            start_new_session=True,
        )


def _keep_short(output: Path) -> None:
    """Begin a new log when the old one is long; keep one old one."""
    if output.exists() and output.stat().st_size > LONGEST_LOG_BYTES:
        output.replace(output.with_suffix(".old.log"))


async def end(process: Process, stop_signal: signal.Signals) -> None:
    """Signal a process and wait for its end; kill it if it takes too long."""
    with suppress(ProcessLookupError):
        process.send_signal(stop_signal)
    try:
        async with asyncio.timeout(STOP_SECONDS):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()


def last_line(path: Path) -> str:
    lines = path.read_text(errors="replace").splitlines()
    return lines[-1] if lines else f"see {path}"
