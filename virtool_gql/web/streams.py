"""Downloads that are made while they are sent: in pieces, to clients that take them, and a few for each user."""

import asyncio
import logging
from collections import Counter
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing

from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from virtool_gql.access import Viewer
from virtool_gql.db.reference_exports import Vanished
from virtool_gql.errors import RateLimited
from virtool_gql.web.downloads import disposition

log = logging.getLogger(__name__)

PIECE_BYTES = 64 * 1024
STALL_SECONDS = 60.0
"""How long a client may take for one piece, before it is taken for gone."""

MOST_OF_A_USER = 10


class Streams:
    """How many such downloads each user has: each holds memory for as long as its client likes."""

    def __init__(self, most: int = MOST_OF_A_USER) -> None:
        self._most = most
        self._counts: Counter[str] = Counter()

    def enter(self, viewer: Viewer) -> Callable[[], None]:
        """Count one, and give what ends it; raise RateLimited when there are too many."""
        if self._counts[viewer.user_id] >= self._most:
            raise RateLimited(f"{self._most} downloads of yours are being made already; wait until one is complete.")
        self._counts[viewer.user_id] += 1
        return lambda: self._leave(viewer)

    def _leave(self, viewer: Viewer) -> None:
        self._counts[viewer.user_id] -= 1
        if not self._counts[viewer.user_id]:
            del self._counts[viewer.user_id]


class Pieces(StreamingResponse):
    """Bytes that are made while they are sent; what is cut off shows as cut off. `ended` is called once, at the end."""

    body_iterator: AsyncGenerator[bytes, None]

    def __init__(
        self,
        chunks: AsyncGenerator[bytes, None],
        name: str,
        stall_seconds: float = STALL_SECONDS,
        *,
        media_type: str = "application/gzip",
        ended: Callable[[], None] = lambda: None,
    ) -> None:
        headers = {"content-disposition": disposition(name), "cache-control": "private, no-cache"}
        super().__init__(chunks, headers=headers, media_type=media_type)
        self._stall_seconds = stall_seconds
        self._ended = ended

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._ended()

    async def stream_response(self, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        try:
            async with aclosing(self.body_iterator) as chunks:
                async for chunk in chunks:
                    for start in range(0, len(chunk), PIECE_BYTES):
                        await self._send(send, chunk[start : start + PIECE_BYTES], more=True)
            await self._send(send, b"", more=False)
        except (Vanished, Stalled) as error:
            log.warning("A download was cut off: %s", error)

    async def _send(self, send: Send, piece: bytes, *, more: bool) -> None:
        try:
            async with asyncio.timeout(self._stall_seconds):
                await send({"type": "http.response.body", "body": piece, "more_body": more})
        except TimeoutError:
            raise Stalled(f"for {self._stall_seconds:g} seconds nobody took more of it.") from None


class Stalled(Exception):
    """The client takes no more."""
