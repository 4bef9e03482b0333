"""Keyset pages, alike on every store: which documents to read, and what the answer tells of the rest of the list."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from virtool_gql.errors import BadUserInput
from virtool_gql.models.documents import Document, to_builtins
from virtool_gql.query import And, Filter, Keys, Not, Order, Page, beyond, keys_of
from virtool_gql.stores.documents import Found

D = TypeVar("D", bound=Document)

Anything = Callable[[Filter, bool], Awaitable[bool]]
"""Tells whether there is anything that passes a filter, looking backwards or not."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A page of the documents that pass a filter, in a total order."""

    where: Filter
    order: Sequence[Order]
    page: Page

    @property
    def backwards(self) -> bool:
        """Whether it is counted, and read, from its end."""
        return self.page.last is not None

    @property
    def size(self) -> int | None:
        return self.page.first if self.page.last is None else self.page.last

    @property
    def limit(self) -> int | None:
        """How many documents to read: one more than there are on the page."""
        return None if self.size is None else self.size + 1

    @property
    def filter(self) -> Filter:
        """What the documents pass between the keys that the page is bounded by."""
        after, before = self.page.after, self.page.before
        parts = [self.where]
        if after is not None:
            parts.append(beyond(self.order, self._checked(after)))
        if before is not None:
            parts.append(beyond(self.order, self._checked(before), backwards=True))
        return And(*parts)

    async def found(self, read: list[D], anything: Anything) -> Found[D]:
        """Make the page of what was read; what its keys have cut off is looked for behind its edges."""
        documents = read[: self.size]
        more = len(documents) < len(read)
        if self.backwards:
            documents.reverse()
        outside = [(self._outside(documents, backwards=side), side) for side in (False, True)]
        has_next, has_previous = [rest is not None and await anything(rest, side) for rest, side in outside]
        return Found(documents, has_next or (more and not self.backwards), has_previous or (more and self.backwards))

    def _outside(self, documents: Sequence[Document], *, backwards: bool) -> Filter | None:
        """Match what lies behind an edge that a key has cut off; of an empty page, all on the other side of the key."""
        keys = self.page.after if backwards else self.page.before
        if keys is None:
            return None
        if not documents:
            return And(self.where, Not(beyond(self.order, keys, backwards=not backwards)))
        edge = to_builtins(documents[0 if backwards else -1])
        return And(self.where, beyond(self.order, keys_of(edge, self.order), backwards=backwards))

    def _checked(self, keys: Keys) -> Keys:
        if len(keys) != len(self.order):
            raise BadUserInput("The cursor belongs to another ordering.")
        return keys
