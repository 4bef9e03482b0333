"""The Redis stream of changes, entry by entry.

Each entry names the one before it. So a reader that holds any place in the stream can tell whether something is missing
behind it: trimmed away, wiped, or lost with a Redis that forgot its last second. The first entry of a stream names
nothing and carries no change; it is there so that even an empty log has a newest place.
"""

import re
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import ExponentialWithJitterBackoff
from redis.exceptions import ConnectionError as Unconnected
from redis.exceptions import TimeoutError as Unanswered

from virtool_gql.errors import BadUserInput, CursorExpired, UpstreamUnavailable

STREAM = "events"

CONNECT_SECONDS = 5
KEEPALIVE = {socket.TCP_KEEPIDLE: 10, socket.TCP_KEEPINTVL: 5, socket.TCP_KEEPCNT: 2, socket.TCP_USER_TIMEOUT: 20_000}

BEGIN = """
local function newest()
  local entries = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)
  if #entries == 0 then
    return redis.call('XADD', KEYS[1], '*', 'previous', '')
  end
  return entries[1][1]
end
"""
"""A Lua function that gives the newest id of the stream and begins a stream where there is none."""

_NEWEST = BEGIN + "return newest()"

_CURSOR = re.compile(r"(0|[1-9][0-9]{0,19})-(0|[1-9][0-9]{0,19})", re.ASCII)
_LARGEST = 2**64 - 1

Place = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of the stream; `payload` is the encoded change, None in the first entry."""

    id: str
    previous: str
    payload: bytes | None


def entry_of(id: bytes, fields: Mapping[bytes, bytes]) -> Entry:
    return Entry(id.decode(), fields.get(b"previous", b"").decode(), fields.get(b"change"))


def place_of(id: str) -> Place:
    """Give an id in a form whose order is the order of the stream."""
    milliseconds, _, number = id.partition("-")
    return int(milliseconds), int(number)


def check_cursor(cursor: str) -> None:
    """Raise BadUserInput unless the text could be a place in a stream."""
    if _CURSOR.fullmatch(cursor) is None or max(place_of(cursor)) >= _LARGEST:
        raise BadUserInput("This is not a cursor; use one that an event or `cursor` gave.", path=("after",))


def expired() -> CursorExpired:
    return CursorExpired(
        "The event log no longer reaches back to the cursor; read everything again and subscribe anew."
    )


@contextmanager
def answering() -> Iterator[None]:
    """Turn the driver's complaint about a server that is not there into ours."""
    try:
        yield
    except (Unconnected, Unanswered) as error:
        raise UpstreamUnavailable("The event log does not answer; try again in a moment.") from error


def open_client(url: str, *, retries: int) -> Redis:
    """Open a client that reconnects by itself; `unix://` and `redis://` URLs alike. It decodes nothing.

    It has no `socket_timeout`: with one, redis-py sends through `asyncio.wait_for`, which in Python 3.11 can swallow a
    cancellation, and then a task or a time limit does not end. A dead server is noticed by the kernel instead.
    """
    only_tcp: dict[str, Any] = {} if url.startswith("unix:") else {"socket_keepalive_options": KEEPALIVE}
    return Redis.from_url(
        url,
        retry=Retry(ExponentialWithJitterBackoff(base=0.02, cap=0.5), retries),
        socket_connect_timeout=CONNECT_SECONDS,
        socket_timeout=None,
        **only_tcp,
    )


async def newest_id(redis: Redis) -> str:
    """Give the id of the newest entry; begin the stream where there is none."""
    newest: bytes = await redis.eval(_NEWEST, 1, STREAM)
    return newest.decode()


async def entries_after(redis: Redis, id: str, count: int) -> list[Entry]:
    """Give the entries that follow the one of that id; raise CursorExpired when they do not join on to it."""
    async with redis.pipeline(transaction=True) as both:
        both.xrange(STREAM, min=f"({id}", count=count)
        both.xrevrange(STREAM, count=1)
        following, newest = [[entry_of(*item) for item in items] for items in await both.execute()]
    if following:
        joined = [id, *(entry.id for entry in following)]
        if any(entry.previous != before for entry, before in zip(following, joined, strict=False)):
            raise expired()
    elif not newest or newest[0].id != id:
        raise expired()
    return following
