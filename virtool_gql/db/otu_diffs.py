"""What a change does to a joined OTU, and how to take it back: diffs as dictdiffer writes them.

A diff is kept as JSON text, which nothing on its way into a store and out of it can change.
"""

from collections.abc import Iterable, Iterator
from typing import Any

import msgspec
from dictdiffer import ADD, CHANGE, REMOVE, diff, patch

from virtool_gql.models.history import BIRTHS, HistoryEntry, Verb
from virtool_gql.models.joined import JoinedOTU, issues_of
from virtool_gql.models.otus import Isolate

Step = tuple[str, list[str | int], Any]


def difference(before: JoinedOTU | None, after: JoinedOTU | None) -> str | None:
    """Give the diff of a change as JSON: None for a birth, the whole OTU for a removal, else what dictdiffer gives."""
    if before is None:
        return None
    if after is None:
        return msgspec.json.encode(before).decode()
    steps = list(diff(_plain(before), _plain(after), dot_notation=False))
    return msgspec.json.encode(steps).decode()


def taken_back(otu: JoinedOTU | None, newest_first: Iterable[HistoryEntry]) -> JoinedOTU | None:
    """Give the OTU as it was before all of the changes, which were read with their diffs; None before its birth.

    `otu` is the OTU as it is after them, None when the newest of them removed it.
    """
    state = None if otu is None else _plain(otu)
    for entry in newest_first:
        state = _without(entry, state)
    return None if state is None else msgspec.convert(state, JoinedOTU)


def back_to_verified(otu: JoinedOTU | None, newest_first: Iterable[HistoryEntry]) -> JoinedOTU | None:
    """Take changes back until nothing is wrong with the OTU; there may be older ones still when something is."""
    for entry in newest_first:
        if otu is not None and is_verified(otu):
            break
        otu = taken_back(otu, [entry])
    return otu


def verified_or_none(otu: JoinedOTU | None) -> JoinedOTU | None:
    return otu if otu is not None and is_verified(otu) else None


def is_verified(otu: JoinedOTU) -> bool:
    isolates = (Isolate(id=each.id, sequence_ids=tuple(one.id for one in each.sequences)) for each in otu.isolates)
    empty = tuple(one.id for each in otu.isolates for one in each.sequences if not one.sequence)
    return issues_of(isolates, empty) is None


def _plain(otu: JoinedOTU) -> Any:
    """Give the OTU as dictionaries and lists, which share its bases: to copy these holds all threads up.

    dictdiffer takes a tuple, which `to_builtins` leaves, for one value.
    """
    plain = msgspec.to_builtins(otu)
    for isolate in plain["isolates"]:
        isolate["sequences"] = list(isolate["sequences"])
    return plain | {"schema": list(plain["schema"]), "isolates": list(plain["isolates"])}


def _without(entry: HistoryEntry, state: Any) -> Any:
    """Take one change back; the state may be changed in place."""
    if entry.verb in BIRTHS:
        return None
    if not isinstance(entry.diff, str):
        raise TypeError(f"The change {entry.id} was read without its diff.")
    stored = msgspec.json.decode(entry.diff)
    return stored if entry.verb is Verb.REMOVE else patch(_swapped(stored), state, in_place=True)


def _swapped(steps: list[Step]) -> Iterator[Step]:
    """Give the steps that take the steps back, the last one first.

    dictdiffer's own `swap` leaves what was removed from the end of a list in the order of its removal, from the
    end: of three items or more, put back so, the order is another one.
    """
    for action, path, values in reversed(steps):
        yield _OPPOSITES[action], path, values[::-1]


_OPPOSITES = {ADD: REMOVE, REMOVE: ADD, CHANGE: CHANGE}
