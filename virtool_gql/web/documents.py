"""GraphQL documents: parsed, measured and validated once, then remembered."""

import asyncio
from collections import OrderedDict
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any

from graphql import (
    ArgumentNode,
    DocumentNode,
    FieldNode,
    GraphQLSchema,
    GraphQLSyntaxError,
    IntValueNode,
    NameNode,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
    StringValueNode,
    get_named_type,
    parse,
    specified_rules,
    validate,
)

from virtool_gql.errors import ErrorCode
from virtool_gql.limits import Limits
from virtool_gql.web.errors import Refusal, RequestError, refuse_document
from virtool_gql.web.measures import (
    Costs,
    Shape,
    count_aliases,
    count_directives,
    fragments_of,
    implements,
    operations_of,
    page_variables,
    size_of,
)

REMEMBERED_TOKENS = 60_000
REMEMBERED_COSTS = 16
SHORT = 400
"""Characters of a document that is prepared at once; validation takes time by the square of what is repeated in it."""

preparing = ThreadPoolExecutor(max_workers=1, thread_name_prefix="documents")


@dataclass(slots=True)
class Operation:
    """One operation of a valid document, with what the edge has to know of it."""

    document: DocumentNode
    node: OperationDefinitionNode
    name: str | None
    text: str
    root_fields: tuple[str, ...]
    announces_changes: bool
    costs: "CostsOfDocument"

    @property
    def type(self) -> OperationType:
        return self.node.operation

    @property
    def root_arguments(self) -> list[ArgumentNode]:
        fields = (node for node in self.node.selection_set.selections if isinstance(node, FieldNode))
        return [argument for node in fields for argument in node.arguments or ()]

    @property
    def asks_cursor(self) -> bool:
        return self.node.operation is OperationType.QUERY and "cursor" in self.root_fields


@dataclass(slots=True)
class CostsOfDocument:
    """The costs of a document's operations, remembered by the page sizes that variables gave."""

    schema: GraphQLSchema
    document: DocumentNode
    limits: Limits
    variables: tuple[str, ...]
    known: dict[tuple[Any, ...], int] = field(default_factory=dict)

    def of(self, operation: Operation, variables: Mapping[str, Any]) -> int:
        key = (operation.name, *(size_of(variables.get(name), self.limits.page) for name in self.variables))
        cost = self.known.get(key)
        if cost is None:
            fragments = fragments_of(self.document)
            cost = Costs(self.schema, fragments, self.limits, variables).of(operation.node)
            if len(self.known) < REMEMBERED_COSTS:
                self.known[key] = cost
        return cost


ByName = dict[str | None, Operation]


class Documents:
    """The documents that were asked lately, the good and the bad, bounded by their tokens."""

    def __init__(self, schema: GraphQLSchema, limits: Limits) -> None:
        self.schema = schema
        self.limits = limits
        self._known: OrderedDict[tuple[str, bool], tuple[ByName | Refusal, int]] = OrderedDict()
        self._tokens = 0

    async def prepared(self, text: str, name: str | None, *, stranger: bool) -> Operation:
        """Give the operation; a long document that is new is prepared in a thread, one after the other."""
        key = (text, stranger)
        if len(text) > SHORT and key not in self._known:
            loop = asyncio.get_running_loop()
            prepared, tokens = await loop.run_in_executor(preparing, self._prepare, text, stranger)
            if not self._remember(key, prepared, tokens):
                return _named(prepared, name)
        return self.operation(text, name, stranger=stranger)

    def operation(self, text: str, name: str | None, *, stranger: bool) -> Operation:
        """Give the named operation of the document; raise RequestError when it cannot be executed."""
        return _named(self._prepared(text, stranger), name)

    def _prepared(self, text: str, stranger: bool) -> ByName | Refusal:
        key = (text, stranger)
        known = self._known.get(key)
        if known is not None:
            self._known.move_to_end(key)
            return known[0]
        prepared, tokens = self._prepare(text, stranger)
        self._remember(key, prepared, tokens)
        return prepared

    def _remember(self, key: tuple[str, bool], prepared: ByName | Refusal, tokens: int) -> bool:
        weight = tokens + len(key[0]) // 16
        if weight > REMEMBERED_TOKENS // 10:
            return False
        self._tokens -= self._known.pop(key, (None, 0))[1]
        self._known[key] = (prepared, weight)
        self._tokens += weight
        while self._tokens > REMEMBERED_TOKENS:
            _, (_, forgotten) = self._known.popitem(last=False)
            self._tokens -= forgotten
        return True

    def _prepare(self, text: str, stranger: bool) -> tuple[ByName | Refusal, int]:
        try:
            document = _parsed(text, self.limits)
            operations = self._measured(document, text, stranger)
            self._validate(document, stranger)
        except RequestError as error:
            return error.refusal, 10
        for operation in operations.values():
            operation.announces_changes = _announces_changes(self.schema, operation)
        return operations, document.token_count

    def _measured(self, document: DocumentNode, text: str, stranger: bool) -> ByName:
        limits = self.limits
        _within(count_aliases(document), limits.aliases, "aliases")
        _within(count_directives(document), limits.directives, "directives")
        shape = Shape(document)
        costs = CostsOfDocument(self.schema, document, limits, page_variables(document))
        operations: ByName = {}
        for node in operations_of(document):
            roots = shape.root_fields(node.selection_set)
            _within(len(roots), limits.root_fields, "root fields")
            _within(shape.depth(node.selection_set), limits.depth, "levels of depth")
            name = node.name.value if node.name else None
            operations[name] = Operation(document, node, name, text, roots, announces_changes=False, costs=costs)
        if shape.introspection_depth and stranger:
            raise refuse_document(ErrorCode.UNAUTHENTICATED, ["Sign in to read the schema."])
        _within(shape.introspection_depth, limits.introspection_depth, "levels of introspection")
        return operations

    def _validate(self, document: DocumentNode, stranger: bool) -> None:
        errors = validate(
            self.schema,
            document,
            specified_rules,
            max_errors=self.limits.listed_errors,
            hide_suggestions=stranger,
        )
        if errors:
            listed = errors[: self.limits.listed_errors]
            raise refuse_document(ErrorCode.GRAPHQL_VALIDATION_FAILED, listed)


def _named(operations: ByName | Refusal, name: str | None) -> Operation:
    if isinstance(operations, Refusal):
        raise RequestError(operations)
    if name is None and len(operations) == 1:
        return next(iter(operations.values()))
    if name in operations:
        return operations[name]
    problem = f"There is no operation named '{name}'." if name else "Say in operationName which operation to run."
    raise refuse_document(ErrorCode.BAD_USER_INPUT, [problem])


def _parsed(text: str, limits: Limits) -> DocumentNode:
    try:
        return parse(text, max_lexical_tokens=limits.tokens, max_comments=limits.tokens)
    except GraphQLSyntaxError as error:
        if "Document contains more than" in error.message:
            message = f"The operation has more than {limits.tokens} tokens."
            raise refuse_document(ErrorCode.QUERY_TOO_COMPLEX, [message]) from None
        raise refuse_document(ErrorCode.GRAPHQL_PARSE_FAILED, [error]) from None


def _within(count: int, limit: int, what: str) -> None:
    if count > limit:
        message = f"The operation has {count} {what}; {limit} are allowed."
        raise refuse_document(ErrorCode.QUERY_TOO_COMPLEX, [message])


def _announces_changes(schema: GraphQLSchema, operation: Operation) -> bool:
    root = schema.subscription_type
    if operation.type is not OperationType.SUBSCRIPTION or root is None:
        return False
    if not all(isinstance(node, FieldNode) for node in operation.node.selection_set.selections):
        return False
    return all(implements(root.fields[name].type, "Change") for name in operation.root_fields if name in root.fields)


def resumed(schema: GraphQLSchema, operation: Operation, place: str) -> Operation:
    """Give the subscription as it goes on after a place, when its field takes `after`."""
    root = schema.subscription_type
    fields = operation.node.selection_set.selections
    if operation.type is not OperationType.SUBSCRIPTION or root is None or len(fields) != 1:
        return operation
    node = fields[0]
    if not isinstance(node, FieldNode) or "after" not in root.fields[node.name.value].args:
        return operation
    taken = get_named_type(root.fields[node.name.value].args["after"].type)
    value = IntValueNode(value=place) if taken.name == "Int" and place.isdecimal() else StringValueNode(value=place)
    others = [argument for argument in node.arguments or () if argument.name.value != "after"]
    after = ArgumentNode(name=NameNode(value="after"), value=value)
    changed = replace(node, arguments=(*others, after))
    return _with_node(operation, replace(operation.node, selection_set=SelectionSetNode(selections=(changed,))))


def _with_node(operation: Operation, node: OperationDefinitionNode) -> Operation:
    definitions = tuple(node if old is operation.node else old for old in operation.document.definitions)
    return replace(operation, document=DocumentNode(definitions=definitions), node=node)
