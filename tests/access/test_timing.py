"""How long an answer takes does not tell 'there is nothing of that id' from 'you may not read it'."""

import random
import statistics
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence

import pytest

from tests.access.inputs import MODELS
from tests.access.operations import mutation
from tests.access.rules import Role
from tests.access.world import World

TIMES = 100
UNKNOWN = "zzzzzzzz"

Ask = Callable[[World, str], Awaitable[object]]


def told_apart(first: Sequence[float], second: Sequence[float]) -> bool:
    """Tell whether times differ, of which those at the same place were measured one right after the other.

    By the sign of their differences, which no slow moment of the machine moves (by chance 70 of 100 are alike once in
    twenty thousand times), and by more than a millisecond, which is what a network leaves of it.
    """
    slower = [(a < b) + 0.5 * (a == b) for a, b in zip(first, second, strict=True)]
    return abs(statistics.fmean(slower) - 0.5) > 0.2 and abs(statistics.median(_differences(first, second))) > 0.001


def _differences(first: Sequence[float], second: Sequence[float]) -> list[float]:
    return [b - a for a, b in zip(first, second, strict=True)]


def noise(first: Sequence[float], second: Sequence[float]) -> float:
    """Give how far the differences scatter on this machine, at this moment."""
    lower, _, upper = statistics.quantiles(_differences(first, second), n=4)
    return upper - lower


def query(text: str) -> Ask:
    async def ask(world: World, id: str) -> object:
        return await world.ask(world.standing[Role.STRANGER], text, id=id)

    return ask


def change(name: str, /, **more: object) -> Ask:
    async def ask(world: World, id: str) -> object:
        return await world.ask(world.standing[Role.STRANGER], mutation(name), input={"id": id, **more})

    return ask


def download(path: str) -> Ask:
    async def ask(world: World, id: str) -> object:
        headers = world.standing[Role.STRANGER].headers
        return await world.client.get(f"/downloads/{path.format(id)}", headers=headers)

    return ask


ASKED: Mapping[str, tuple[str, Ask]] = {
    "sample": ("sample", query("query($id: ID!) { sample(id: $id) { id } }")),
    "job": ("job", query("query($id: ID!) { job(id: $id) { id log { hasNextPage } } }")),
    "updateSample": ("sample", change("updateSample", notes="Mine")),
    "deleteSample": ("sample", change("deleteSample")),
    "cancelJob": ("job", change("cancelJob")),
    "download": ("sample", download("samples/{}/reads_1.fq.gz")),
    "reference": ("reference", query("query($id: ID!) { reference(id: $id) { id otuCount } }")),
    "otu": ("otu", query("query($id: ID!) { otu(id: $id) { id history { totalCount } } }")),
    "sequence": ("sequence", query("query($id: ID!) { sequence(id: $id) { id sequence } }")),
    "historyEntry": ("history", query("query($id: ID!) { historyEntry(id: $id) { id diff } }")),
    "index": ("index", query("query($id: ID!) { index(id: $id) { id manifest { version } } }")),
    "task": ("task", query("query($id: ID!) { task(id: $id) { id } }")),
    "deleteReference": ("reference", change("deleteReference")),
    "updateOtu": ("otu", change("updateOtu", name="Mine")),
    "deleteSequence": ("sequence", change("deleteSequence")),
    "revertChange": ("history", change("revertChange")),
    "export": ("reference", download("references/{}/reference.json.gz")),
    "FASTA": ("otu", download("otus/{}.fa")),
}


async def measured(world: World, ask: Ask, ids: tuple[str, str]) -> tuple[list[float], list[float]]:
    """Ask for two ids again and again, in an order that no slow moment of the machine favours."""
    times: dict[str, list[float]] = {id: [] for id in ids}
    for id in ids:
        await ask(world, id)
    for _ in range(TIMES):
        for id in random.sample(ids, 2):
            begun = time.perf_counter()
            await ask(world, id)
            times[id].append(time.perf_counter() - begun)
    return times[ids[0]], times[ids[1]]


@pytest.mark.parametrize("name", ASKED)
async def test_hidden_and_missing_take_the_same_time(world: World, name: str) -> None:
    kind, ask = ASKED[name]
    hidden, missing = await measured(world, ask, (world.shown[kind], f"{kind}_{UNKNOWN}"))
    assert not told_apart(hidden, missing), (statistics.median(hidden), statistics.median(missing))
    seen = max(0.005, noise(hidden, missing))
    assert told_apart(hidden, [each + seen for each in missing]), f"{seen * 1000} ms would not be seen"
    assert await world.kept(MODELS[kind], world.shown[kind].partition("_")[2])


def test_times_that_differ_are_told_apart() -> None:
    chance = random.Random(1)  # noqa: S311 # no secret
    times = [0.002 + chance.expovariate(1000) for _ in range(TIMES)]
    others = [0.002 + chance.expovariate(1000) for _ in range(TIMES)]
    assert not told_apart(times, others)
    assert told_apart(times, [each + 0.005 for each in others])
    assert told_apart([each + 0.005 for each in others], times)


async def test_a_wrong_password_and_an_unknown_handle_take_the_same_time(world: World) -> None:
    """A hash that is left out would halve the time, and more. The first user's is made as an instance makes it."""
    times: dict[str, list[float]] = {"first": [], "nobody": []}
    for _ in range(5):
        for handle in random.sample(sorted(times), 2):
            begun = time.perf_counter()
            answer = await world.ask(None, mutation("login"), input={"handle": handle, "password": "a wrong password"})
            times[handle].append(time.perf_counter() - begun)
            assert answer["data"]["login"]["errors"][0]["message"] == "Invalid username or password."
    known, unknown = (statistics.median(each) for each in times.values())
    assert abs(known - unknown) < max(known, unknown) / 4, times
