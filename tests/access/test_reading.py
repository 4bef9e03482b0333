"""What each role gets of each field that Query leads to."""

from typing import Any

import pytest
from graphql import GraphQLObjectType, get_named_type

from tests.access.operations import (
    SCHEMA,
    answer_of,
    fields_of,
    kind_of,
    reaches,
    root,
    selection_of,
    written,
)
from tests.access.rules import NODES, OF_VIEWER, WITH_OBJECT, Role, ruled
from tests.access.world import World

REACHES = reaches()
RULES = ruled()
REFERENCES = (Role.ADMINISTRATOR, Role.OWNER)


@pytest.mark.parametrize("role", Role)
async def test_fields_of_query(world: World, role: Role) -> None:
    await world.show_message()
    person, found = world.standing[role], {}
    for name, field in root("Query").items():
        type = get_named_type(field.type)
        listed = isinstance(type, GraphQLObjectType) and "totalCount" in type.fields
        selection = " { totalCount nodes { id } }" if listed else selection_of(field)
        answer = await world.ask(person, f"{{ {written(name, field, world.shown)}{selection} }}")
        found[name] = answer_of(answer, name)
    assert found == {name: _of_query(name, role) for name in found}


def _of_query(name: str, role: Role) -> str:
    return RULES[f"Query.{name}"][role]


@pytest.mark.parametrize("role", Role)
async def test_nodes(world: World, role: Role) -> None:
    for type, rule in NODES.items():
        id = world.shown[KIND_OF_TYPE[type]]
        for query in (f'{{ node(id: "{id}") {{ __typename id }} }}', f'{{ nodes(ids: ["{id}"]) {{ __typename id }} }}'):
            answer = await world.ask(world.standing[role], query)
            name = "nodes" if "nodes" in query else "node"
            assert answer_of(answer, name) == rule[role], (type, query)
            if rule[role] == "yes":
                value = answer["data"][name]
                assert (value[0] if name == "nodes" else value) == {"__typename": type, "id": id}


KIND_OF_TYPE = {type: kind_of(type[0].lower() + type[1:]) for type in NODES}


@pytest.mark.parametrize("type", REACHES)
async def test_fields_of_objects(world: World, type: str) -> None:
    """Whoever reaches an object gets of each field what the others get, or nothing where the rule says so."""
    await world.show_message()
    reach, objects = REACHES[type], {}
    names = dict(fields_of(type))
    selection = " ".join(f"{written(name, field, world.shown)}{selection_of(field)}" for name, field in names.items())
    query = reach.query(selection, type, world.shown)
    for role in Role:
        answer = await world.ask(world.standing[role], query)
        reached = _reaching(type)[role] in _open(type)
        found = reach.found(answer.get("data"))
        assert (found is not None) == reached, (role, answer)
        assert not reached or "errors" not in answer, (role, answer)
        if found is not None:
            objects[role] = found
    for name in names:
        _check(type, name, objects)


def _reaching(type: str) -> Any:
    """Give the rule of the way to a type: that of its root field, and of each field on it that has a stricter one."""
    reach = REACHES[type]
    if reach.through_node:
        return NODES[type]
    root_rule = RULES[f"Query.{reach.root}"]
    parents = [get_named_type(field.type).name for _, field in reach.steps]
    inner = [RULES[f"{parent}.{name}"] for parent, (name, _) in zip(parents, reach.steps[1:], strict=False)]
    assert all(rule in (WITH_OBJECT, OF_VIEWER) for rule in inner), f"the way to {type} is not open to all"
    return root_rule


def _open(type: str) -> set[str]:
    """Say which answers lead to an object: a list is there for those too who may read nothing of it."""
    return {"yes", "404"} if type == "PageInfo" or "pageInfo" in dict(fields_of(type)) else {"yes"}


def _check(type: str, name: str, objects: dict[Role, Any]) -> None:
    rule = RULES[f"{type}.{name}"]
    reference = next(role for role in REFERENCES if role in objects and rule[role] == "yes")
    expected = objects[reference][name]
    for role, found in objects.items():
        if rule[role] == "-":
            assert expected not in (None, [], ""), f"{type}.{name} is empty for all, so its rule is not tested"
            assert found[name] in (None, [], ""), f"{role} is told {type}.{name}"
        elif not rule.own:
            assert found[name] == expected, f"{role} is told something else of {type}.{name}"


def test_query_leads_to_all_that_no_mutation_and_no_subscription_gives() -> None:
    others = {
        type.name
        for type in SCHEMA.type_map.values()
        if isinstance(type, GraphQLObjectType) and not type.name.startswith("__") and type.name not in REACHES
    }
    roots = {"Query", "Mutation", "Subscription", "UserError", "SampleLabelsResult"}
    assert {name for name in others - roots if not name.endswith(("Payload", "Change"))} == set()
