"""Processes of ours can be told from one another, and the dead from the living."""

import asyncio
import os
import sys

from virtool_gql.processes import has_died, runner_name


async def test_a_runner_is_known_to_be_dead_only_on_its_own_machine() -> None:
    here = runner_name()
    assert not has_died(here)
    code = "from virtool_gql.processes import runner_name; print(runner_name())"
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", code, stdout=asyncio.subprocess.PIPE, env={**os.environ, "PYTHONPATH": os.curdir}
    )
    gone = (await process.communicate())[0].decode().strip()
    assert has_died(gone)
    host, machine, pid, start, rest = gone.split("/")
    assert not has_died("/".join((host, machine + "1", pid, start, rest)))
    assert has_died("/".join((host, machine, str(os.getpid()), "1", rest))), "the id belongs to another process now"
    assert not has_died("somebody")
