"""The program as people start it: its commands, and a server of it."""

import asyncio
import os
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

ROOT = Path(__file__).resolve().parents[1]
ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith("VT_")}


async def start(*arguments: str, piped: bool = False, **variables: str) -> Process:
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "virtool_gql", *arguments),
        cwd=ROOT,
        env={**ENVIRONMENT, **variables},
        stdin=PIPE if piped else DEVNULL,
        stdout=PIPE,
        stderr=PIPE,
    )


async def run(*arguments: str, input: str | None = None, **variables: str) -> tuple[int | None, str, str]:
    """Run the program to its end; give its exit code, output and errors."""
    process = await start(*arguments, piped=input is not None, **variables)
    output, errors = await process.communicate(None if input is None else input.encode())
    return process.returncode, output.decode(), errors.decode()


@asynccontextmanager
async def started(*arguments: str, **variables: str) -> AsyncIterator[Process]:
    """A process that does not outlive the block: one that did would slow down every test after it."""
    process = await start(*arguments, **variables)
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


@asynccontextmanager
async def server(data_path: Path, *arguments: str) -> AsyncIterator[tuple[Process, int]]:
    """A server that is ready, and its port."""
    async with started("serve", "--port", "0", "--data-path", str(data_path), *arguments) as process:
        yield process, await port_of(process)


async def port_of(process: Process) -> int:
    """Wait until the server is ready; give its port."""
    assert process.stdout is not None
    line = (await process.stdout.readline()).decode()
    assert " is ready: http://127.0.0.1:" in line, (await process.communicate())[1].decode()
    return urlsplit(line.rpartition(" ")[2].strip()).port or 0
