"""GraphQL over server-sent events: the distinct connections mode of the protocol graphql-sse."""

import asyncio
from typing import Any

from graphql import OperationType
from starlette.types import Receive, Send

from schema.context import Caller
from virtool_gql.web.cohorts import Cohort, Event, too_slow
from virtool_gql.web.documents import Operation, resumed
from virtool_gql.web.edge import Edge
from virtool_gql.web.errors import RequestError
from virtool_gql.web.identity import Credential, unauthenticated
from virtool_gql.web.operations import GraphQLRequest, encode
from virtool_gql.web.outgoing import Outgoing

COMPLETE = b"event: complete\ndata:\n\n"
KEEP_ALIVE = b":\n\n"
HEADERS = [(b"content-type", b"text/event-stream; charset=utf-8"), (b"x-accel-buffering", b"no")]


class EventStream:
    """One operation whose results leave as events."""

    kind = "event stream"

    def __init__(self, edge: Edge, send: Send, caller: Caller, credential: Credential | None, request_id: str) -> None:
        self.edge = edge
        self.send = send
        self.caller = caller
        self.credential = credential if caller.viewer else None
        self.request_id = request_id
        self.outgoing = Outgoing(send, edge.limits)
        self.cohort: Cohort | None = None
        self.over = asyncio.Event()
        self.place: str | None = None

    def next(self, event: Event) -> None:
        frame = _frame(event.payload, event.place)
        if self.outgoing.offer(_body(frame), len(frame)):
            self.place = event.place
        else:
            self.end(too_slow(self.place, self.request_id))

    def end(self, errors: list[dict[str, Any]] | None) -> None:
        if not self.over.is_set():
            if errors:
                self.outgoing.put(_body(_frame(encode({"errors": errors}), None)))
            self.outgoing.put(_body(COMPLETE))
            self.over.set()

    def revoke(self) -> None:
        """End at once: what waits to be sent is for somebody who may not be here any more."""
        self.outgoing.drop()
        self.end(unauthenticated("Signed out.").refusal.formatted(self.request_id))

    def hang_up(self) -> None:
        """End without a last event, so that the client comes back for what follows."""
        self.over.set()

    async def run(
        self,
        receive: Receive,
        operation: Operation,
        request: GraphQLRequest,
        place: str | None,
        headers: list[tuple[bytes, bytes]],
    ) -> None:
        """Send the results of the operation; a subscription goes on after the place, if one is given."""
        self.edge.presence.enter(self, self.edge.limits.streams_per_user)
        gone = asyncio.create_task(self._gone(receive))
        try:
            await self.send({"type": "http.response.start", "status": 200, "headers": [*headers, *HEADERS]})
            await self._start(operation, request, place)
            await self._keep_alive(gone)
        finally:
            gone.cancel()
            self.edge.presence.leave(self)
            if self.cohort is not None:
                self.cohort.leave(self)
            await self._finish()

    async def _start(self, operation: Operation, request: GraphQLRequest, place: str | None) -> None:
        try:
            if operation.type is not OperationType.SUBSCRIPTION:
                answer = await self.edge.operations.execute(operation, request, self.caller, self.request_id)
                self.next(Event(encode(answer.result), None))
                self.end(None)
                return
            if place is not None:
                operation = resumed(self.edge.operations.schema, operation, place)
            self.outgoing.put(_body(KEEP_ALIVE))
            self.cohort = self.edge.cohorts.join(operation, request, self.caller, self, self.request_id)
        except RequestError as error:
            self.end(error.refusal.formatted(self.request_id))

    async def _keep_alive(self, gone: asyncio.Task[None]) -> None:
        over = asyncio.create_task(self.over.wait())
        try:
            while not over.done() and not gone.done():
                seconds = self.edge.limits.keep_alive_seconds
                done, _ = await asyncio.wait((over, gone), timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
                if not done and self.outgoing.has_room():
                    self.outgoing.offer(_body(KEEP_ALIVE), len(KEEP_ALIVE))
        finally:
            over.cancel()

    async def _finish(self) -> None:
        if not self.over.is_set():
            self.outgoing.stop()
            return
        self.outgoing.put({"type": "http.response.body", "body": b"", "more_body": False})
        await self.outgoing.flushed()

    async def _gone(self, receive: Receive) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        self.outgoing.stop()


def _body(frame: bytes) -> dict[str, Any]:
    return {"type": "http.response.body", "body": frame, "more_body": True}


def _frame(payload: bytes, place: str | None) -> bytes:
    id = b"id: %b\n" % place.encode() if place is not None else b""
    return b"event: next\n%bdata: %b\n\n" % (id, payload)
