"""How large an operation is: counts that need its text alone, and its cost, which needs the schema."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLField,
    GraphQLNamedType,
    GraphQLSchema,
    InlineFragmentNode,
    IntValueNode,
    ListValueNode,
    OperationDefinitionNode,
    OperationType,
    SelectionNode,
    SelectionSetNode,
    ValueNode,
    VariableNode,
    get_named_type,
    is_list_type,
    is_non_null_type,
    is_object_type,
)

from virtool_gql.limits import Limits

INTROSPECTION = frozenset({"__schema", "__type"})
MOST_ROOTS = 100
"""Root fields of a fragment that are counted: far more than are allowed, however often it is spread."""

PAGE_ARGUMENTS = ("first", "last", "ids")


def fragments_of(document: DocumentNode) -> dict[str, FragmentDefinitionNode]:
    definitions = document.definitions
    return {node.name.value: node for node in definitions if isinstance(node, FragmentDefinitionNode)}


def operations_of(document: DocumentNode) -> list[OperationDefinitionNode]:
    return [node for node in document.definitions if isinstance(node, OperationDefinitionNode)]


def selections_of(document: DocumentNode) -> Iterator[SelectionNode]:
    """Give every selection as it is written: fragments once, however often they are spread."""
    stack = [node.selection_set for node in (*operations_of(document), *fragments_of(document).values())]
    while stack:
        for selection in stack.pop().selections:
            yield selection
            if isinstance(selection, FieldNode | InlineFragmentNode) and selection.selection_set:
                stack.append(selection.selection_set)


def count_aliases(document: DocumentNode) -> int:
    return sum(isinstance(node, FieldNode) and node.alias is not None for node in selections_of(document))


def count_directives(document: DocumentNode) -> int:
    written = sum(len(node.directives or ()) for node in selections_of(document))
    return written + sum(len(node.directives or ()) for node in _holders(document))


def _holders(document: DocumentNode) -> Iterator[Any]:
    for definition in document.definitions:
        yield definition
        yield from getattr(definition, "variable_definitions", None) or ()


class Shape:
    """Depth and root fields of the operations of a document, in time linear in its length.

    A fragment is measured once; one that spreads itself counts as nothing, and validation refuses it.
    """

    def __init__(self, document: DocumentNode) -> None:
        self.fragments = fragments_of(document)
        self.introspection_depth = 0
        self._depths: dict[str, int] = {}
        self._roots: dict[str, tuple[str, ...]] = {}

    def depth(self, selection_set: SelectionSetNode) -> int:
        return max((self._depth(selection) for selection in selection_set.selections), default=0)

    def _depth(self, selection: SelectionNode) -> int:
        match selection:
            case FieldNode(name=name, selection_set=SelectionSetNode() as inner):
                if name.value in INTROSPECTION:
                    self.introspection_depth = max(self.introspection_depth, 1 + self.depth(inner))
                    return 1
                return 1 + self.depth(inner)
            case FieldNode():
                return 1
            case InlineFragmentNode(selection_set=inner):
                return self.depth(inner)
            case FragmentSpreadNode(name=name):
                return self._fragment_depth(name.value)
        return 0

    def _fragment_depth(self, name: str) -> int:
        if name not in self._depths and name in self.fragments:
            self._depths[name] = 0
            self._depths[name] = self.depth(self.fragments[name].selection_set)
        return self._depths.get(name, 0)

    def root_fields(self, selection_set: SelectionSetNode) -> tuple[str, ...]:
        """Name the root fields that a selection asks for, through its fragments."""
        names: list[str] = []
        for selection in selection_set.selections:
            if isinstance(selection, FieldNode):
                names.append(selection.name.value)
            elif isinstance(selection, InlineFragmentNode):
                names += self.root_fields(selection.selection_set)
            elif isinstance(selection, FragmentSpreadNode):
                names += self._fragment_roots(selection.name.value)
        return tuple(names)

    def _fragment_roots(self, name: str) -> tuple[str, ...]:
        if name not in self._roots and name in self.fragments:
            self._roots[name] = ()
            self._roots[name] = self.root_fields(self.fragments[name].selection_set)[:MOST_ROOTS]
        return self._roots.get(name, ())


@dataclass(slots=True)
class Costs:
    """The static cost of an operation: one for each field, times the page size below a connection."""

    schema: GraphQLSchema
    fragments: Mapping[str, FragmentDefinitionNode]
    limits: Limits
    variables: Mapping[str, Any] = field(default_factory=dict)
    _of_fragments: dict[tuple[str, int], int] = field(default_factory=dict)

    def of(self, operation: OperationDefinitionNode) -> int:
        root = self.schema.get_root_type(operation.operation or OperationType.QUERY)
        return self._of_set(operation.selection_set, root, 1) if root else 0

    def _of_set(self, selection_set: SelectionSetNode, parent: GraphQLNamedType, page: int) -> int:
        return sum(self._of(selection, parent, page) for selection in selection_set.selections)

    def _of(self, selection: SelectionNode, parent: GraphQLNamedType, page: int) -> int:
        match selection:
            case FieldNode():
                return self._of_field(selection, parent, page)
            case InlineFragmentNode(type_condition=condition, selection_set=inner):
                narrowed = self.schema.get_type(condition.name.value) if condition else parent
                return self._of_set(inner, narrowed or parent, page)
            case FragmentSpreadNode(name=name):
                return self._of_fragment(name.value, page)
        return 0

    def _of_fragment(self, name: str, page: int) -> int:
        key = (name, page)
        if key not in self._of_fragments:
            fragment = self.fragments[name]
            on = self.schema.type_map[fragment.type_condition.name.value]
            self._of_fragments[key] = self._of_set(fragment.selection_set, on, page)
        return self._of_fragments[key]

    def _of_field(self, node: FieldNode, parent: GraphQLNamedType, page: int) -> int:
        definition = self.schema.get_field(parent, node.name.value)  # type: ignore[arg-type]  # validated before
        if definition is None or node.selection_set is None:
            return 1
        named = get_named_type(definition.type)
        many = _is_list(definition)
        if named.name.endswith("Connection"):
            return 1 + self._of_set(node.selection_set, named, self._page(node))
        paged = any(name in definition.args for name in PAGE_ARGUMENTS)
        times = (self._page(node) if paged else page) if many else 1
        return 1 + times * self._of_set(node.selection_set, named, 1)

    def _page(self, node: FieldNode) -> int:
        sizes = [
            self._size(argument.value) for argument in node.arguments or () if argument.name.value in PAGE_ARGUMENTS
        ]
        return max((size for size in sizes if size is not None), default=self.limits.size_when_left_out)

    def _size(self, value: ValueNode) -> int | None:
        match value:
            case IntValueNode(value=digits):
                return _clamped(int(digits), self.limits.page)
            case ListValueNode(values=values):
                return len(values)
            case VariableNode(name=name):
                return size_of(self.variables.get(name.value), self.limits.page)
        return None


def page_variables(document: DocumentNode) -> tuple[str, ...]:
    """Name the variables that page sizes come from."""
    arguments = (
        argument for node in selections_of(document) if isinstance(node, FieldNode) for argument in node.arguments or ()
    )
    names = {
        argument.value.name.value
        for argument in arguments
        if argument.name.value in PAGE_ARGUMENTS and isinstance(argument.value, VariableNode)
    }
    return tuple(sorted(names))


def size_of(value: Any, largest: int) -> int | None:
    """Give the page size that a variable's value asks for; the resolver refuses one beyond the largest page."""
    if isinstance(value, list):
        return len(value)
    return _clamped(value, largest) if isinstance(value, int) else None


def _clamped(size: int, largest: int) -> int:
    return min(max(size, 0), largest)


def _is_list(definition: GraphQLField) -> bool:
    type = definition.type
    return is_list_type(type.of_type if is_non_null_type(type) else type)


def implements(type: Any, interface: str) -> bool:
    named = get_named_type(type)
    return named.name == interface or (
        is_object_type(named) and any(parent.name == interface for parent in named.interfaces)
    )
