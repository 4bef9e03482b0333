"""Each field and each route has a rule, and each rule has a field or a route."""

from typing import Any

import pytest
from graphql import GraphQLEnumType, GraphQLObjectType, build_client_schema, get_introspection_query, print_schema
from starlette.routing import Mount, Route

from tests.access.operations import SCHEMA
from tests.access.rules import COLLECTIONS, FIELDS, NODES, ROUTES, SIGNED_IN, Role, ruled
from tests.access.world import World
from virtool_gql.app import Application
from virtool_gql.config import Config


def fields_of_the_schema() -> set[str]:
    return {
        f"{type.name}.{name}"
        for type in SCHEMA.type_map.values()
        if isinstance(type, GraphQLObjectType) and not type.name.startswith("__")
        for name in type.fields
    }


def test_each_field_has_a_rule() -> None:
    missing = fields_of_the_schema() - ruled().keys()
    assert not missing, f"say in rules.py who may have {', '.join(sorted(missing))}"


def test_each_rule_has_a_field() -> None:
    gone = ruled().keys() - fields_of_the_schema()
    assert not gone, f"rules.py speaks of what is gone: {', '.join(sorted(gone))}"


def test_no_field_has_two_rules() -> None:
    named = [f"{type}.{name}" for type, rules in FIELDS.items() for names in rules.values() for name in names.split()]
    assert len(named) == len(set(named)), sorted({name for name in named if named.count(name) > 1})


def test_each_kind_of_document_and_of_change_has_a_rule() -> None:
    node = SCHEMA.type_map["Node"]
    kinds = {type.name for type in SCHEMA.get_possible_types(node)}  # type: ignore[arg-type] # an interface
    assert kinds == NODES.keys()
    collection = SCHEMA.type_map["Collection"]
    assert isinstance(collection, GraphQLEnumType)
    assert collection.values.keys() == COLLECTIONS.keys()


async def test_the_server_has_the_schema_that_the_matrix_is_made_from(world: World) -> None:
    introspection: Any = await world.done(world.standing[Role.STRANGER], get_introspection_query(specified_by_url=True))
    assert print_schema(build_client_schema(introspection)) == print_schema(SCHEMA)


@pytest.mark.parametrize("query", [get_introspection_query(), '{ __type(name: "User") { name } }'])
async def test_the_schema_is_for_everybody_who_is_signed_in(world: World, query: str) -> None:
    for role in Role:
        answer = await world.ask(world.standing[role], query)
        assert ("errors" not in answer) == (SIGNED_IN[role] == "yes"), answer


async def test_each_route_has_a_rule(world: World) -> None:
    application = Application(Config(data_path=world.db.places.data_path))
    async with application.serving(world.db, world.db.queues._redis):
        routes = [*application.others.app.routes]  # type: ignore[attr-defined] # Stamped around Starlette
    found = set()
    for route in routes:
        assert isinstance(route, Route | Mount), route
        methods = (route.methods or set()) - {"HEAD"} if isinstance(route, Route) else {"GET"}
        found |= {f"{method} {route.path}" for method in methods}
    assert found - ROUTES.keys() == set(), "say in rules.py who may use this route"
    assert ROUTES.keys() - found <= {"GET /explorer"}, "rules.py speaks of a route that is gone"
