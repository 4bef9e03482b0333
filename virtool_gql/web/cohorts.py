"""Subscriptions that ask the same for the same viewer: executed and encoded once for each event.

Only subscriptions of changes are shared, and only those of one user or one API key: what a selection gives is then the
same for all of them, whatever it reads of the viewer. Everything else has a cohort of its own.
"""

import asyncio
import logging
from collections import deque
from collections.abc import AsyncIterator, Hashable
from contextlib import aclosing
from dataclasses import dataclass, replace
from inspect import isawaitable
from typing import Any, Protocol

import orjson
from graphql import ExecutionResult, Executor, NullValueNode, VariableNode
from graphql.execution import create_source_event_stream

from schema.context import Caller, Context
from virtool_gql.cancellation import Endings, cancelled
from virtool_gql.errors import SlowConsumer
from virtool_gql.web.documents import Operation
from virtool_gql.web.errors import format_errors
from virtool_gql.web.operations import GraphQLRequest, Operations, error_of
from virtool_gql.web.outgoing import Outgoing

log = logging.getLogger(__name__)

AT_ONCE = 200
"""How many subscribers are served before the event loop may do something else."""

EVENTS_AT_ONCE = 4
"""How many events all cohorts together begin to execute before the event loop may do something else."""


@dataclass(slots=True)
class Event:
    """One event as it is sent: the encoded result, and the place from which a client can resume after it."""

    payload: bytes
    place: str | None
    _text: str | None = None

    @property
    def text(self) -> str:
        if self._text is None:
            self._text = self.payload.decode()
        return self._text


class Subscriber(Protocol):
    """One subscription on one connection. Neither method may block."""

    @property
    def outgoing(self) -> Outgoing: ...

    def next(self, event: Event) -> None:
        """Take an event."""

    def end(self, errors: list[dict[str, Any]] | None) -> None:
        """Learn that no more events come, and of the errors that ended them."""


def too_slow(place: str | None, request_id: str) -> list[dict[str, Any]]:
    """Give the errors that end a subscriber which does not take the events as fast as they come."""
    error = SlowConsumer("You did not keep up; subscribe again after your last cursor.", cursor=place)
    return format_errors([error_of(error)], request_id)


class Cohort:
    """The subscribers that share a source of events."""

    def __init__(self, cohorts: "Cohorts", key: Hashable | None, caller: Caller, request_id: str) -> None:
        self.cohorts = cohorts
        self.key = key
        self.caller = caller
        self.request_id = request_id
        self.members: dict[Subscriber, None] = {}
        self.task: asyncio.Task[None] | None = None

    def leave(self, subscriber: Subscriber) -> None:
        """Send the subscriber nothing more; the last one to leave ends the cohort."""
        self.members.pop(subscriber, None)
        if not self.members:
            self.cohorts.forget(self)
            if self.task is not None and self.task is not asyncio.current_task():
                self.cohorts.endings.end(self.task)

    async def run(self, executor: Executor[Context]) -> None:
        try:
            errors = await self._follow(executor)
        except Exception as error:  # noqa: BLE001  # whatever ends the source is told to those who listen
            errors = format_errors([error_of(error)], self.request_id)
        self.cohorts.forget(self)
        for subscriber in tuple(self.members):
            subscriber.end(errors)
        self.members.clear()

    async def _follow(self, executor: Executor[Context]) -> list[dict[str, Any]] | None:
        source: Any = create_source_event_stream(executor)
        source = await source if isawaitable(source) else source
        if isinstance(source, ExecutionResult):
            return format_errors(source.errors or [], self.request_id)
        async with aclosing(source):
            await self._serve(executor, source)
        return None

    async def _serve(self, executor: Executor[Context], source: AsyncIterator[Any]) -> None:
        execute = self.cohorts.operations.execute_event
        async for event in source:
            await self.cohorts.turns.take()
            payload = await execute(executor, event, self.caller, self.request_id)
            await self._deliver(Event(payload, place_of(event)))
            if not self.members:
                return

    async def _deliver(self, event: Event) -> None:
        pressed: set[Outgoing] = set()
        for number, subscriber in enumerate(tuple(self.members), 1):
            if subscriber in self.members:
                subscriber.next(event)
                if subscriber.outgoing.pressed:
                    pressed.add(subscriber.outgoing)
            if number % AT_ONCE == 0:
                await asyncio.sleep(0)
        for outgoing in pressed:
            await outgoing.relieved()


class Turns:
    """Lets a burst of events take no more than its share of the event loop, however many cohorts it goes to."""

    def __init__(self) -> None:
        self._waiting: deque[asyncio.Future[None]] = deque()

    async def take(self) -> None:
        """Wait for the next turn."""
        loop = asyncio.get_running_loop()
        turn = loop.create_future()
        if not self._waiting:
            loop.call_soon(self._give)
        self._waiting.append(turn)
        await turn

    def _give(self) -> None:
        for _ in range(min(EVENTS_AT_ONCE, len(self._waiting))):
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)
        if self._waiting:
            asyncio.get_running_loop().call_soon(self._give)


class Cohorts:
    """All cohorts of this process."""

    def __init__(self, operations: Operations) -> None:
        self.operations = operations
        self._shared: dict[Hashable, Cohort] = {}
        self._all: set[Cohort] = set()
        self.endings = Endings()
        self.turns = Turns()

    def join(
        self, operation: Operation, request: GraphQLRequest, caller: Caller, subscriber: Subscriber, request_id: str
    ) -> Cohort:
        """Begin to send events to the subscriber; raise RequestError when the subscription is refused."""
        own = replace(caller, session_token=None)
        context = self.operations.contexts(own)
        executor, _ = self.operations.executor(operation, request, caller, context)
        key = _key(operation, request, caller, executor)
        cohort = self._shared.get(key) if key is not None else None
        if cohort is None:
            cohort = self._start(key, own, executor, request_id, subscriber)
        cohort.members[subscriber] = None
        return cohort

    def _start(
        self, key: Hashable | None, caller: Caller, executor: Executor[Context], request_id: str, first: Subscriber
    ) -> Cohort:
        cohort = Cohort(self, key, caller, request_id)
        cohort.members[first] = None
        self._all.add(cohort)
        if key is not None:
            self._shared[key] = cohort
        cohort.task = asyncio.get_running_loop().create_task(cohort.run(executor))
        return cohort

    def forget(self, cohort: Cohort) -> None:
        self._all.discard(cohort)
        if cohort.key is not None and self._shared.get(cohort.key) is cohort:
            del self._shared[cohort.key]

    def refresh(self, callers: "Callers") -> None:
        """Exchange the viewers for what they may do now; one who may do nothing any more is served no more."""
        for cohort in self._all:
            identity = identity_of(cohort.caller)
            if identity in callers and callers[identity] != cohort.caller.viewer:
                cohort.caller.viewer = callers[identity]

    async def close(self) -> None:
        """End all cohorts, and wait for those that were already ending."""
        await cancelled(*(cohort.task for cohort in self._all if cohort.task is not None))
        await self.endings.all_over()


Identity = tuple[str, str | None]
Callers = dict[Identity, Any]


def identity_of(caller: Caller) -> Identity | None:
    """Give what all that a viewer may do depends on: the user, and the API key if one is used."""
    return (caller.viewer.user_id, caller.viewer.key_id) if caller.viewer else None


def place_of(event: Any) -> str | None:
    """Give the cursor of a change, or the number of a line: what `after` takes to resume."""
    place = getattr(event, "cursor", None)
    if place is None:
        place = getattr(event, "number", None)
    return None if place is None else str(place)


def _key(operation: Operation, request: GraphQLRequest, caller: Caller, executor: Executor[Context]) -> Hashable | None:
    identity = identity_of(caller)
    if identity is None or not operation.announces_changes or _resumes(operation, executor):
        return None
    try:
        variables = orjson.dumps(request.variables, option=orjson.OPT_SORT_KEYS)
    except TypeError:
        return None
    return (operation.text, operation.name, variables, identity)


def _resumes(operation: Operation, executor: Executor[Context]) -> bool:
    """Tell whether an `after` is given: such a subscription begins at a place of its own."""
    values = [argument.value for argument in operation.root_arguments if argument.name.value == "after"]
    variables = executor.variable_values.coerced
    return any(
        variables.get(value.name.value) is not None
        if isinstance(value, VariableNode)
        else not isinstance(value, NullValueNode)
        for value in values
    )
