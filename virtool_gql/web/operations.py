"""From a GraphQL request to its answer, whatever carried it."""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable
from contextlib import nullcontext
from inspect import isawaitable
from typing import Any

import msgspec
import orjson
import strawberry
from graphql import ExecutionResult, Executor, GraphQLError, OperationType

from schema.context import Caller, Context, SessionCookie
from virtool_gql.db.reference_parts import one_reading
from virtool_gql.errors import ErrorCode, VirtoolError
from virtool_gql.limits import Limits
from virtool_gql.web.documents import Documents, Operation
from virtool_gql.web.errors import MASKED, RequestError, format_errors, refuse, refuse_document, request_error
from virtool_gql.web.executor import AttributeExecutor

log = logging.getLogger(__name__)


class GraphQLRequest(msgspec.Struct, frozen=True, rename="camel"):
    """What a client asks for."""

    query: str
    variables: dict[str, Any] | None = None
    operation_name: str | None = None
    extensions: dict[str, Any] | None = None


class Answer(msgspec.Struct, frozen=True):
    """The answer to a query or mutation, and what its response does with the session cookie."""

    result: dict[str, Any]
    session_cookie: SessionCookie | None = None


_request_decoder = msgspec.json.Decoder(GraphQLRequest)


def decode_request(body: bytes | str) -> GraphQLRequest:
    """Read a request; raise RequestError with a sentence when it is none."""
    try:
        return _request_decoder.decode(body)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise refuse(ErrorCode.BAD_USER_INPUT, _problem(body, error)) from None


def _problem(body: bytes | str, error: Exception) -> str:
    if body[:1] in (b"[", "["):
        return "Send one operation in each request; batches are not accepted."
    if isinstance(error, msgspec.ValidationError):
        return f"The request is not a GraphQL request: {error}."
    return "The body of the request is not JSON, is nested too deeply, or holds half a character."


def encode(value: Any) -> bytes:
    """Encode as JSON; numbers and texts that orjson cannot write take the slow way."""
    try:
        return orjson.dumps(value)
    except TypeError:
        return json.dumps(value).encode()


class Operations:
    """Prepares and executes operations on one schema, within the limits."""

    def __init__(
        self,
        schema: strawberry.Schema,
        contexts: Callable[[Caller], Context],
        cursor: Callable[[], Awaitable[str]],
        limits: Limits,
    ) -> None:
        self.schema = schema._schema  # noqa: SLF001  # Strawberry's own executor adds only overhead
        self.contexts = contexts
        self.cursor = cursor
        self.limits = limits
        self.documents = Documents(self.schema, limits)

    async def prepare(self, request: GraphQLRequest, caller: Caller) -> Operation:
        """Give the operation that is asked for; raise RequestError when it cannot be executed."""
        return await self.documents.prepared(request.query, request.operation_name, stranger=caller.viewer is None)

    def executor(
        self, operation: Operation, request: GraphQLRequest, caller: Caller, context: Context
    ) -> tuple[Executor[Context], int]:
        """Bind an operation to its variables; give the executor and the cost."""
        executor = AttributeExecutor.build(
            self.schema,
            operation.document,
            None,
            context,
            request.variables,
            operation.name,
            hide_suggestions=caller.viewer is None,
        )
        if isinstance(executor, list):
            raise refuse_document(ErrorCode.BAD_USER_INPUT, executor)
        cost = operation.costs.of(operation, executor.variable_values.coerced)
        if cost > self.limits.cost:
            message = f"The operation costs {cost}; {self.limits.cost} are allowed. Ask for smaller pages."
            raise refuse_document(ErrorCode.QUERY_TOO_COMPLEX, [message])
        return executor, cost

    async def execute(self, operation: Operation, request: GraphQLRequest, caller: Caller, request_id: str) -> Answer:
        """Answer a query or mutation."""
        context = self.contexts(caller)
        executor, cost = self.executor(operation, request, caller, context)
        if operation.asks_cursor:
            context.cursor = await self._cursor()
        mutates = operation.type is OperationType.MUTATION
        seconds = self.limits.mutation_seconds if mutates else self.limits.query_seconds
        with nullcontext() if mutates else one_reading():
            result = await _within_seconds(executor, seconds, request_id)
        answer = format_result(result, request_id)
        answer["extensions"] = {"cost": cost}
        return Answer(answer, context.session_cookie)

    async def _cursor(self) -> str:
        try:
            return await self.cursor()
        except VirtoolError as error:
            raise request_error(error) from error

    async def execute_event(self, executor: Executor[Context], event: Any, caller: Caller, request_id: str) -> bytes:
        """Execute a subscription's selection on one event, with a context of its own."""
        one = executor.build_per_event_executor(event)
        one.context_value = self.contexts(caller)
        try:
            with one_reading():
                result = await _within_seconds(one, self.limits.query_seconds, request_id, serially=False)
        except RequestError as error:
            return encode({"data": None, "errors": error.refusal.formatted(request_id)})
        return encode(format_result(result, request_id))


def format_result(result: ExecutionResult, request_id: str) -> dict[str, Any]:
    if result.errors:
        return {"errors": format_errors(result.errors, request_id), "data": result.data}
    return {"data": result.data}


async def _within_seconds(
    executor: Executor[Context], seconds: float, request_id: str, *, serially: bool | None = None
) -> ExecutionResult:
    try:
        async with asyncio.timeout(seconds):
            return await _executed(executor, serially)
    except TimeoutError:
        message = f"The operation took longer than {seconds:g} seconds and was stopped."
        raise refuse(ErrorCode.TIMEOUT, message) from None
    except Exception as error:
        log.exception("Request %s could not be executed", request_id)
        raise refuse(ErrorCode.INTERNAL, MASKED) from error


async def _executed(executor: Executor[Context], serially: bool | None) -> ExecutionResult:
    result: Any = executor.execute_operation(serially)
    executed: ExecutionResult = await result if isawaitable(result) else result
    return executed


def error_of(error: Exception) -> GraphQLError:
    return error if isinstance(error, GraphQLError) else GraphQLError(str(error), original_error=error)
