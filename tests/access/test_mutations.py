"""What comes of each mutation for each role; and that one which is refused changes nothing."""

from typing import Any

import pytest

from tests.access.inputs import MODELS, OF_MUTATIONS, input_of
from tests.access.operations import answer_of, mutation, root
from tests.access.rules import Role, ruled
from tests.access.world import World

RULES = ruled()


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("name", root("Mutation"))
async def test_mutations(world: World, name: str, role: Role) -> None:
    person = await world.person(role)
    input = await input_of(world, person, name)
    before = await _target(world, name, input)
    answer = await world.ask(person, mutation(name), input=input)
    expected = RULES[f"Mutation.{name}"][role]
    assert answer_of(answer, name) == expected, answer
    if expected != "yes":
        assert await _target(world, name, input) == before


async def _target(world: World, name: str, input: dict[str, Any]) -> object:
    """Give the document that the mutation is about, as it is now."""
    id = input.get("id") or next(iter(input.get("sampleIds", ())), "")
    kind, _, stored = id.partition("_")
    assert kind == OF_MUTATIONS.get(name, kind)
    return await world.db.store.get(MODELS[kind], stored) if kind in MODELS else None
