"""What comes of each mutation for each role; and that one which is refused changes nothing."""

from collections.abc import Mapping
from typing import Any

import pytest

from tests.access.inputs import MODELS, OF_MUTATIONS, input_of
from tests.access.operations import answer_of, mutation, root
from tests.access.rules import Role, ruled
from tests.access.world import World
from virtool_gql.models.documents import Document
from virtool_gql.models.history import HistoryEntry
from virtool_gql.models.indexes import Index
from virtool_gql.models.otus import OTU, Sequence
from virtool_gql.models.tasks import Task
from virtool_gql.query import Eq

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
    """Give the document that the mutation is about, as it is now, and how much there is of what is in it."""
    id = next((input[field] for field in ("id", "referenceId", "otuId", "isolateId") if field in input), "")
    id = id or next(iter(input.get("sampleIds", ())), "")
    kind, _, stored = id.partition("_")
    assert kind == OF_MUTATIONS.get(name, kind)
    if kind == "isolate":
        kind, stored = "otu", stored.partition("_")[0]
    parts = [await world.db.store.count(each, Eq(f"{kind}_id", stored)) for each in PARTS.get(kind, ())]
    return await world.db.store.get(MODELS[kind], stored) if kind in MODELS else None, parts


PARTS: Mapping[str, tuple[type[Document], ...]] = {
    "reference": (OTU, Sequence, HistoryEntry, Index, Task),
    "otu": (Sequence, HistoryEntry),
}
