"""Operations made from the schema: each field with arguments that are valid, and what came of it."""

from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from graphql import (
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLUnionType,
    build_client_schema,
    get_named_type,
    introspection_from_schema,
    is_leaf_type,
    is_required_argument,
)

from resolvers.root import schema

SCHEMA = build_client_schema(introspection_from_schema(schema._schema))
ANSWERS = {
    "BAD_USER_INPUT": "400",
    "UNAUTHENTICATED": "401",
    "FORBIDDEN": "403",
    "NOT_FOUND": "404",
    "CONFLICT": "409",
}
KINDS = {
    "apiKey": "key",
    "jobLog": "job",
    "auditEntry": "audit",
    "auditEntries": "audit",
    "instanceMessage": "message",
    "instanceMessages": "message",
    "instance_messages": "message",
    "settings": "settings",
    "historyEntry": "history",
    "indexes": "index",
    "oTU": "otu",
    "status": "status",
    "hmmStatus": "status",
    "hMMStatus": "status",
}
"""What a field's name says of the prefix of its ids, where that is not the name itself."""

VALUES = {"accession": '"NC_001929"', "version": "0"}
"""What arguments are given that are required and name no document."""

THROUGH_NODE = {"ApiKey": "key"}
"""Types that no field gives to everybody alike, and the prefix of their ids."""


def root(name: str) -> Mapping[str, GraphQLField]:
    """Give the fields of Query, Mutation or Subscription."""
    type = SCHEMA.type_map[name]
    assert isinstance(type, GraphQLObjectType)
    return dict(type.fields)


def kind_of(field: str) -> str:
    """Give the prefix of the ids that a field speaks of."""
    return KINDS.get(field, field.removesuffix("s"))


def selection_of(field: GraphQLField) -> str:
    """Select something of a field: the id where there is one, else as little as can be."""
    type = get_named_type(field.type)
    if is_leaf_type(type):
        return ""
    if isinstance(type, GraphQLUnionType):
        return " { __typename ... on Node { id } }"
    assert isinstance(type, GraphQLObjectType | GraphQLInterfaceType)
    inner = [name for name in ("id", "totalCount") if name in type.fields]
    return f" {{ {' '.join(['__typename', *inner])} }}"


def written(field: str, definition: GraphQLField, shown: Mapping[str, str]) -> str:
    """Write a field with the arguments that it needs; ids are of what is shown."""
    arguments = []
    if "filter" in definition.args and "first" in definition.args:
        filter = get_named_type(definition.args["filter"].type)
        assert isinstance(filter, GraphQLInputObjectType)
        if "ids" in filter.fields:
            arguments.append(f'filter: {{ ids: ["{shown[kind_of(field)]}"] }}')
    for name, argument in definition.args.items():
        if is_required_argument(argument) and name in VALUES:
            arguments.append(f"{name}: {VALUES[name]}")
        elif is_required_argument(argument):
            assert name in {"id", "ids"}, f"Say what {field} is to be given as {name}."
            id = shown["group" if field.startswith("node") else kind_of(field)]
            arguments.append(f'{name}: "{id}"' if name == "id" else f'{name}: ["{id}"]')
    return f"{field}({', '.join(arguments)})" if arguments else field


@dataclass(frozen=True, slots=True)
class Reach:
    """A way from the root to an object of some type."""

    steps: tuple[tuple[str, GraphQLField], ...]
    through_node: str = ""

    @property
    def root(self) -> str:
        return "node" if self.through_node else self.steps[0][0]

    def query(self, selection: str, type: str, shown: Mapping[str, str]) -> str:
        if self.through_node:
            return f'{{ node(id: "{shown[self.through_node]}") {{ ... on {type} {{ {selection} }} }} }}'
        for name, definition in reversed(self.steps):
            selection = f"{written(name, definition, shown)} {{ {selection} }}"
        return f"{{ {selection} }}"

    def found(self, data: Any) -> Any:
        """Give the object in the data of an answer; None where the way ends before it."""
        for name in [self.root] if self.through_node else [name for name, _ in self.steps]:
            data = data.get(name) if data else None
            data = (data[0] if data else None) if isinstance(data, list) else data
        return data


def reaches() -> dict[str, Reach]:
    """Give the shortest way to each object type that Query leads to."""
    found = {type: Reach((), kind) for type, kind in THROUGH_NODE.items()}
    waiting: deque[tuple[tuple[tuple[str, GraphQLField], ...], GraphQLField]] = deque(
        (((name, field),), field) for name, field in root("Query").items() if not name.startswith("node")
    )
    while waiting:
        steps, field = waiting.popleft()
        type = get_named_type(field.type)
        if isinstance(type, GraphQLObjectType) and type.name not in found:
            found[type.name] = Reach(steps)
            waiting.extend(((*steps, (name, inner)), inner) for name, inner in fields_of(type.name))
    return found


def fields_of(type: str) -> Iterator[tuple[str, GraphQLField]]:
    definition = SCHEMA.type_map[type]
    assert isinstance(definition, GraphQLObjectType)
    yield from definition.fields.items()


def answer_of(answer: Mapping[str, Any], field: str) -> str:
    """Say what came of an operation on one root field, as the rules say it."""
    if answer.get("errors"):
        (error,) = answer["errors"]
        return _code(error["extensions"]["code"])
    value = answer["data"][field]
    if isinstance(value, dict):
        errors = [*value.get("errors", ()), *(error for result in _results(value) for error in result["errors"])]
        if errors:
            return _code(errors[0]["code"])
    return "404" if _is_absent(value) else "yes"


def _results(value: Mapping[str, Any]) -> list[dict[str, Any]]:
    return list(value.get("results") or ())


def _code(code: str) -> str:
    return ANSWERS.get(code, code)


def _is_absent(value: Any) -> bool:
    if isinstance(value, dict) and "nodes" in value:
        assert value["totalCount"] == len(value["nodes"])
        return not value["nodes"]
    return value is None or value == [None]


def payload_selection(field: GraphQLField) -> str:
    """Select all of a payload."""
    type = get_named_type(field.type)
    assert isinstance(type, GraphQLObjectType)
    return " ".join(
        "errors { code message path }"
        if name == "errors"
        else "results { sampleId errors { code message path } }"
        if name == "results"
        else f"{name}{selection_of(definition)}"
        for name, definition in type.fields.items()
    )


def mutation(field: str) -> str:
    """Write a mutation, whose input is the variable `input`."""
    definition = root("Mutation")[field]
    selection = payload_selection(definition)
    if "input" not in definition.args:
        return f"mutation {{ {field} {{ {selection} }} }}"
    return f"mutation($input: {definition.args['input'].type}) {{ {field}(input: $input) {{ {selection} }} }}"


def input_type(field: str) -> GraphQLInputObjectType | None:
    """Give the type of a mutation's input."""
    argument = root("Mutation")[field].args.get("input")
    type = get_named_type(argument.type) if argument else None
    assert type is None or isinstance(type, GraphQLInputObjectType)
    return type
