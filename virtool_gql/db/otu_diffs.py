"""What a change does to a joined OTU, and how to take it back: diffs as dictdiffer writes them."""

from collections.abc import Iterable
from typing import Any

from virtool_gql.models.history import HistoryEntry
from virtool_gql.models.joined import JoinedOTU


def difference(before: JoinedOTU | None, after: JoinedOTU | None) -> Any:
    """Give the diff of a change as JSON: None for a birth, the whole OTU for a removal, else what dictdiffer gives."""
    raise NotImplementedError


def taken_back(otu: JoinedOTU | None, newest_first: Iterable[HistoryEntry]) -> JoinedOTU | None:
    """Give the OTU as it was before all of the changes, which were read with their diffs; None before its birth.

    `otu` is the OTU as it is after them, None when the newest of them removed it.
    """
    raise NotImplementedError
