"""Lists as Relay connections on keyset pages."""

import asyncio
import base64
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import msgspec
import strawberry

from virtool_gql.errors import BadUserInput
from virtool_gql.limits import DEFAULT_LIMITS, Limits
from virtool_gql.models.documents import Document
from virtool_gql.query import Keys, Order, Page, Scalar, total_order
from virtool_gql.stores.documents import Found

T = TypeVar("T")

TURN = 5  # entries of a page that are put together before others have their turn


@strawberry.type(description="Where a page lies in its list.")
class PageInfo:
    """Where a page lies in its list."""

    has_next_page: bool = strawberry.field(description="Whether there is more after this page.")
    has_previous_page: bool = strawberry.field(description="Whether there is more before this page.")
    start_cursor: str | None = strawberry.field(description="The cursor of the first on the page; null when empty.")
    end_cursor: str | None = strawberry.field(description="The cursor of the last on the page; null when empty.")


@strawberry.type(description="One entry of a page.")
class Edge(Generic[T]):
    """One entry of a page."""

    cursor: str = strawberry.field(description="Its place in this ordering, for `after` and `before`. Opaque.")
    node: T = strawberry.field(description="The entry itself.")


@dataclass(frozen=True, slots=True)
class Listing:
    """A total ordering of one collection, and the cursors that are bound to it."""

    collection: str
    order: tuple[Order, ...]

    @property
    def name(self) -> str:
        return " ".join([self.collection, *(f"{'-' if key.descending else '+'}{key.path}" for key in self.order)])

    def cursor(self, document: Document) -> str:
        keys = [getattr(document, key.path) for key in self.order]
        return base64.urlsafe_b64encode(msgspec.json.encode((self.name, keys))).decode().rstrip("=")

    def keys(self, cursor: str | None, path: str) -> Keys | None:
        """Give the keys of a cursor; BadUserInput for one that is not of this ordering."""
        if cursor is None:
            return None
        try:
            text = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
            name, keys = msgspec.json.decode(text, type=tuple[str, tuple[Scalar, ...]])
        except (ValueError, msgspec.MsgspecError) as error:
            raise BadUserInput(f"`{path}` is not a cursor.", path=[path]) from error
        if name != self.name or len(keys) != len(self.order):
            raise BadUserInput(f"`{path}` is a cursor of another list or ordering.", path=[path])
        return keys

    def page(
        self,
        first: int | None,
        after: str | None,
        last: int | None,
        before: str | None,
        limits: Limits = DEFAULT_LIMITS,
    ) -> Page:
        """Check the paging arguments of a connection."""
        if first is not None and last is not None:
            raise BadUserInput("Give `first` or `last`, not both.", path=["last"])
        start, end = self.keys(after, "after"), self.keys(before, "before")
        name, value = ("first", first) if last is None else ("last", last)
        size = page_size(name, value, default=limits.size_when_left_out, largest=limits.page)
        if last is None:
            return Page(first=size, after=start, before=end)
        return Page(first=None, after=start, last=size, before=end)


def page_size(path: str, value: int | None, *, default: int, largest: int) -> int:
    """Check how many entries are asked for."""
    if value is None:
        return default
    if not 0 <= value <= largest:
        raise BadUserInput(f"`{path}` must be between 0 and {largest}.", path=[path])
    return value


def listing(kind: type[Document], order: Sequence[Order]) -> Listing:
    return Listing(kind.kept.name, total_order(order))


async def in_turns(entries: Iterable[T]) -> AsyncIterator[T]:
    """Give entries one by one, so that others on the event loop have their turn while a page is put together."""
    for number, entry in enumerate(entries):
        if number and number % TURN == 0:
            await asyncio.sleep(0)
        yield entry


@strawberry.type(description="A page of a list.")
class Connection(Generic[T]):
    """A page of a list: cursors and the total are only made when they are asked for."""

    entries: strawberry.Private[Sequence[T]]
    found: strawberry.Private[Found[Any]]
    listing: strawberry.Private[Listing]
    count: strawberry.Private[Callable[[], Awaitable[int]]]

    @strawberry.field(description="The entries of the page.")
    def nodes(self) -> list[T]:
        return in_turns(self.entries)  # type: ignore[return-value] # which the executor takes as a list

    @strawberry.field(description="The entries with their cursors.")
    def edges(self) -> list[Edge[T]]:
        pairs = zip(map(self.listing.cursor, self.found.documents), self.entries, strict=True)
        return in_turns(Edge(cursor=cursor, node=node) for cursor, node in pairs)  # type: ignore[return-value] # as above

    @strawberry.field(description="Where the page lies in the list.")
    def page_info(self) -> PageInfo:
        documents = self.found.documents
        return PageInfo(
            has_next_page=self.found.has_next,
            has_previous_page=self.found.has_previous,
            start_cursor=self.listing.cursor(documents[0]) if documents else None,
            end_cursor=self.listing.cursor(documents[-1]) if documents else None,
        )

    @strawberry.field(description="How many entries there are on all pages, of those that you may read.")
    async def total_count(self) -> int:
        return await self.count()
