"""No process of a job outlives it, whatever it does to hide."""

import asyncio
import os
import secrets
import sys

from jobs.processes import has_died, kill_group, kill_marked, marked_with, runner_name

HIDING = "setsid sleep 600 & (setsid sh -c 'sleep 600' &) ; sleep 600 & echo started; sleep 600"


async def hiding(mark: str) -> asyncio.subprocess.Process:
    process = await asyncio.create_subprocess_exec(
        "sh", "-c", HIDING, env=marked_with(mark), stdout=asyncio.subprocess.PIPE, start_new_session=True
    )
    assert process.stdout is not None
    assert await process.stdout.readline() == b"started\n"
    return process


async def test_processes_in_other_sessions_are_killed_too() -> None:
    mark = secrets.token_hex(8)
    process = await hiding(mark + "#1#")
    bystander = await hiding(mark + "#2#")
    kill_group(process.pid)
    kill_marked(mark + "#1#")
    assert process.stdout is not None
    assert await asyncio.wait_for(process.stdout.read(), 5) == b"", "the pipe ends when nobody holds it any more"
    assert await process.wait() < 0
    assert bystander.returncode is None
    kill_marked(mark)
    await bystander.wait()


async def test_killing_what_is_gone_is_fine() -> None:
    process = await asyncio.create_subprocess_exec("true")
    await process.wait()
    kill_group(process.pid)
    kill_marked(secrets.token_hex(8))


async def test_a_runner_is_known_to_be_dead_only_on_its_own_machine() -> None:
    here = runner_name()
    assert not has_died(here)
    code = "from jobs.processes import runner_name; print(runner_name())"
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", code, stdout=asyncio.subprocess.PIPE, env={**os.environ, "PYTHONPATH": os.curdir}
    )
    gone = (await process.communicate())[0].decode().strip()
    assert has_died(gone)
    host, machine, pid, start, rest = gone.split("/")
    assert not has_died("/".join((host, machine + "1", pid, start, rest)))
    assert has_died("/".join((host, machine, str(os.getpid()), "1", rest))), "the id belongs to another process now"
    assert not has_died("somebody")
