"""No process of a job outlives it, whatever it does to hide."""

import asyncio
import secrets

from jobs.processes import kill_marked, marked_with
from virtool_gql.processes import kill_group

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
