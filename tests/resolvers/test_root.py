from pathlib import Path

from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLObjectType,
    build_schema,
    is_introspection_type,
    validate_schema,
)

from resolvers.root import schema, sdl

GRAPHQL = schema._schema
COMMITTED = Path(__file__).parents[2] / "schema" / "schema.graphql"


def undescribed() -> list[str]:
    """Name every type, field, argument, enum value and input field that has no description."""
    found: list[str] = []
    for name, kind in GRAPHQL.type_map.items():
        if is_introspection_type(kind):
            continue
        members = {name: kind.description}
        if isinstance(kind, GraphQLObjectType | GraphQLInterfaceType):
            for field, of in kind.fields.items():
                members[f"{name}.{field}"] = of.description
                members |= {f"{name}.{field}({argument})": arg.description for argument, arg in of.args.items()}
        if isinstance(kind, GraphQLInputObjectType):
            members |= {f"{name}.{field}": of.description for field, of in kind.fields.items()}
        if isinstance(kind, GraphQLEnumType):
            members |= {f"{name}.{value}": of.description for value, of in kind.values.items()}
        found += [member for member, description in members.items() if not description]
    return found


def test_the_committed_sdl_is_the_schema() -> None:
    assert COMMITTED.read_text() == sdl(), "write it again: virtool-gql export-schema > schema/schema.graphql"


def test_everything_is_described() -> None:
    assert undescribed() == []


def test_the_schema_is_valid_and_so_is_its_sdl() -> None:
    assert validate_schema(GRAPHQL) == []
    assert validate_schema(build_schema(sdl())) == []


def test_fixed_names_stand() -> None:
    text = sdl()
    assert "enum JobState {" in text
    for field in ("cursor: Cursor!", "node(", "nodes(", "server: Server!", "viewer: Viewer\n", "settings: Settings!"):
        assert f"\n  {field}" in text
    query = GRAPHQL.query_type
    assert query is not None
    for name, entity in {
        "samples": "Sample",
        "files": "File",
        "jobs": "Job",
        "users": "User",
        "groups": "Group",
    }.items():
        assert str(query.fields[name].type) == f"{entity}Connection!"
        arguments = {argument: str(of.type) for argument, of in query.fields[name].args.items()}
        assert arguments == {
            "first": "Int",
            "after": "String",
            "last": "Int",
            "before": "String",
            "filter": f"{entity}Filter",
            "orderBy": f"[{entity}Order!]",
            "search": "String",
        }


def test_connections_are_what_relay_expects() -> None:
    types = {name: kind for name, kind in GRAPHQL.type_map.items() if isinstance(kind, GraphQLObjectType)}
    for name in ("Sample", "File", "Job", "User", "Group"):
        connection, edge = types[f"{name}Connection"], types[f"{name}Edge"]
        assert str(connection.fields["edges"].type) == f"[{name}Edge!]!"
        assert str(connection.fields["pageInfo"].type) == "PageInfo!"
        assert {field: str(of.type) for field, of in edge.fields.items()} == {"cursor": "String!", "node": f"{name}!"}
        assert GRAPHQL.get_type("Node") in types[name].interfaces
    assert {field: str(of.type) for field, of in types["PageInfo"].fields.items()} == {
        "hasNextPage": "Boolean!",
        "hasPreviousPage": "Boolean!",
        "startCursor": "String",
        "endCursor": "String",
    }


def test_every_payload_has_errors_and_nullable_entities() -> None:
    mutation = GRAPHQL.mutation_type
    assert mutation is not None
    for field in mutation.fields.values():
        payload = GRAPHQL.get_type(str(field.type).rstrip("!"))
        assert isinstance(payload, GraphQLObjectType)
        types = {name: str(of.type) for name, of in payload.fields.items()}
        assert types.pop("errors") == "[UserError!]!"
        assert types
        assert not any(type.endswith("!") for type in types.values())
