"""External programs: their output in the log, their failure in a sentence, their end with the task's."""

import asyncio
from pathlib import Path

import psutil
import pytest

from jobs.tools.process import TAIL_LINES, ToolFailed, ToolMissing, require_tools, run_tool


async def test_output_is_handed_over_and_errors_are_logged(tmp_path: Path) -> None:
    lines: list[str] = []
    output: list[bytes] = []
    await run_tool(
        "sh", "-c", "pwd; echo one >&2; printf two >&2", log=lines.append, folder=tmp_path, on_output=output.append
    )
    assert b"".join(output).decode().strip() == str(tmp_path)
    assert lines[1:] == ["one", "two"]
    assert lines[0].startswith("$ sh -c")


async def test_a_failure_tells_the_last_lines() -> None:
    script = "i=0; while [ $i -lt 200 ]; do echo line $i >&2; i=$((i+1)); done; exit 3"
    with pytest.raises(ToolFailed, match=r"The program sh failed \(exit status 3\)\.") as failed:
        await run_tool("sh", "-c", script, log=lambda _: None)
    assert failed.value.details[-1] == "line 199"
    assert len(failed.value.details) == TAIL_LINES


async def test_a_line_without_end_is_cut() -> None:
    lines: list[str] = []
    await run_tool("sh", "-c", "head -c 300000 /dev/zero | tr '\\0' x >&2", log=lines.append)
    assert sum(len(line) for line in lines[1:]) == 300_000
    assert max(len(line) for line in lines) < 200_000


async def test_a_program_that_is_missing_is_named() -> None:
    with pytest.raises(ToolMissing, match="needs the program no-such-tool and neither"):
        require_tools("sh", "no-such-tool", "neither")
    with pytest.raises(ToolMissing):
        await run_tool("no-such-tool", log=lambda _: None)


async def test_cancelling_kills_the_program() -> None:
    lines: asyncio.Queue[str] = asyncio.Queue()
    tool = asyncio.create_task(run_tool("sh", "-c", "echo $$ >&2; exec sleep 600", log=lines.put_nowait))
    await lines.get()
    pid = int(await lines.get())
    tool.cancel()
    with pytest.raises(asyncio.CancelledError):
        await tool
    assert not psutil.pid_exists(pid)
