"""The Redis stream of changes, entry by entry.

Each entry names the one before it. So a reader that holds any place in the stream can tell whether something is missing
behind it: trimmed away, wiped, or lost with a Redis that forgot its last second. The first entry of a stream names
nothing and carries no change; it is there so that even an empty log has a newest place.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from redis.asyncio import Redis

from virtool_gql.errors import BadUserInput, CursorExpired

STREAM = "events"

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


async def newest_id(redis: Redis) -> str:
    """Give the id of the newest entry; begin the stream where there is none."""
    newest: bytes = await redis.eval(_NEWEST, 1, STREAM)
    return newest.decode()


async def oldest_place(redis: Redis) -> str | None:
    """Give the place that the oldest entry with a change joins on to; None where there is none."""
    items: Any = await redis.xrange(STREAM, count=2)
    changes = [entry for entry in (entry_of(*item) for item in items) if entry.payload is not None]
    return changes[0].previous if changes else None


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
