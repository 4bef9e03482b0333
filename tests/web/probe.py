"""A small schema that does on purpose what the real one never should."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

import strawberry

from schema.context import Info
from virtool_gql.errors import Forbidden

EXECUTED: list[str] = []
"""What was executed of subscriptions: the field `traced` adds to it."""

STUBBORN: list["asyncio.Task[Any] | None"] = []
"""The tasks of subscriptions to `stubborn`, each of which swallows its first cancellation."""


@strawberry.type
class Node:
    @strawberry.field
    def name(self) -> str:
        return "node"

    @strawberry.field
    def node(self) -> "Node":
        return Node()

    @strawberry.field
    def nodes(self, ids: list[strawberry.ID]) -> list["Node"]:
        return [Node() for _ in ids]

    @strawberry.field
    def things(self, first: int | None = None, last: int | None = None) -> "ThingConnection":
        return ThingConnection(nodes=[Node()] if first == last else [])


@strawberry.type
class ThingConnection:
    nodes: list[Node]

    @strawberry.field
    def total_count(self) -> int:
        return 0


@strawberry.input
class Whole:
    number: int


@strawberry.type
class Query(Node):
    @strawberry.field
    def cursor(self, info: Info) -> str | None:
        return info.context.cursor

    @strawberry.field
    def broken(self) -> str | None:
        raise RuntimeError("the password is hunter2")

    @strawberry.field
    def never(self) -> str:
        return None  # type: ignore[return-value]  # breaks its own promise

    @strawberry.field
    def forbidden(self) -> str | None:
        raise Forbidden("You need the permission to ask.")

    @strawberry.field
    async def slow(self, seconds: float) -> str | None:
        await asyncio.sleep(seconds)
        return "done"

    @strawberry.field
    def handle(self, info: Info) -> str:
        return info.context.viewer.handle

    @strawberry.field
    def echo(self, text: str, whole: Whole | None = None) -> str:
        return text if whole is None else text * whole.number


@strawberry.type
class Mutation:
    @strawberry.mutation
    async def wait(self, seconds: float) -> str | None:
        await asyncio.sleep(seconds)
        return "done"

    @strawberry.mutation
    async def login(self, info: Info, user_id: str, *, remember: bool = False) -> str:
        db = info.context.db
        user = await db.users.get(info.context.caller.viewer or await _viewer(info, user_id), user_id)
        token = await db.sign_in.start_session(user, remember=remember, address=info.context.caller.address)
        info.context.sign_in(await _viewer(info, user_id), token, remember=remember)
        return token

    @strawberry.mutation
    async def logout(self, info: Info) -> bool:
        if info.context.caller.session_token:
            await info.context.db.sign_in.logout(info.context.caller.session_token)
        info.context.sign_out()
        return True


async def _viewer(info: Info, user_id: str) -> Any:
    return await info.context.db.users.viewer(user_id)


@strawberry.interface
class Change:
    cursor: str
    ids: list[str]

    @strawberry.field
    def filler(self, size: int) -> str:
        return "x" * size

    @strawberry.field
    def handle(self, info: Info) -> str:
        return info.context.viewer.handle

    @strawberry.field
    def traced(self) -> bool:
        EXECUTED.append(self.cursor)
        return True

    @strawberry.field
    def broken(self) -> str | None:
        raise RuntimeError("the password is hunter2")


@strawberry.type
class FileChange(Change):
    pass


@strawberry.type
class Line:
    number: int
    text: str


@strawberry.type
class Subscription:
    @strawberry.subscription
    async def files(self, info: Info, after: str | None = None) -> AsyncIterator[FileChange]:
        caller, db = info.context.caller, info.context.db
        assert info.context.viewer
        async for change in db.files.changes(lambda: caller.viewer, after=after):
            yield FileChange(cursor=change.cursor, ids=list(change.ids))

    @strawberry.subscription
    async def lines(self, after: int = 0, last: int = 3) -> AsyncIterator[Line]:
        for number in range(after + 1, last + 1):
            yield Line(number=number, text=f"line {number}")

    @strawberry.subscription
    async def stubborn(self) -> AsyncIterator[Line]:
        STUBBORN.append(asyncio.current_task())
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.get_running_loop().create_future()
        await asyncio.get_running_loop().create_future()
        yield Line(number=1, text="never")

    @strawberry.subscription
    async def failing(self) -> AsyncIterator[Line]:
        yield Line(number=1, text="the first and last")
        raise RuntimeError("the password is hunter2")


probe = strawberry.Schema(query=Query, mutation=Mutation, subscription=Subscription, types=[FileChange])
