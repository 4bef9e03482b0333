"""What becomes of an OTU when people edit it or its isolates, and what the history says of it.

Nothing here reads or writes: each edit is a function of the joined OTU. None says that nothing changes.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from msgspec import structs

from virtool_gql.db.otu_inputs import check_size
from virtool_gql.db.otu_sentences import edited, named
from virtool_gql.errors import BadUserInput, NotFound
from virtool_gql.models.history import Verb
from virtool_gql.models.joined import JoinedIsolate, JoinedOTU, JoinedSequence
from virtool_gql.models.references import Reference

ALWAYS_ALLOWED = frozenset({"", "unknown"})


class Edit(NamedTuple):
    """An OTU as it is to be, and what the history says of the change."""

    otu: JoinedOTU
    verb: Verb
    description: str
    keys: Mapping[str, str | None] = MappingProxyType({})
    """The creation keys of a new isolate or sequence, by its id."""


def edit_otu(otu: JoinedOTU, values: Mapping[str, Any]) -> Edit | None:
    """Change the names or the schema; sequences of segments that are no longer in the schema are of none."""
    after = structs.replace(otu, **values)
    if after == otu:
        return None
    if after.schema != otu.schema:
        gone = frozenset(segment.name for segment in otu.schema) - {segment.name for segment in after.schema}
        after = with_sequences(after, lambda sequence: _without(sequence, gone))
    return Edit(after, Verb.EDIT, edited(otu, after))


def _without(sequence: JoinedSequence, segments: frozenset[str]) -> JoinedSequence:
    return structs.replace(sequence, segment=None) if sequence.segment in segments else sequence


def with_sequences(otu: JoinedOTU, change: Callable[[JoinedSequence], JoinedSequence]) -> JoinedOTU:
    """Give the OTU with each sequence changed."""
    isolates = (structs.replace(isolate, sequences=tuple(map(change, isolate.sequences))) for isolate in otu.isolates)
    return structs.replace(otu, isolates=tuple(isolates))


def add_isolate(otu: JoinedOTU, isolate: JoinedIsolate) -> Edit:
    """Add an isolate; the first one of all is the default one."""
    isolate = structs.replace(isolate, default=isolate.default or not otu.isolates)
    after = structs.replace(otu, isolates=(*otu.isolates, isolate))
    check_size(after)
    if isolate.default:
        after = _with_default(after, isolate.id)
    ending = " as default" if isolate.default else ""
    return Edit(after, Verb.ADD_ISOLATE, f"Added {named(isolate)}{ending}")


def edit_isolate(otu: JoinedOTU, isolate_id: str, values: Mapping[str, Any]) -> Edit | None:
    before = isolate_of(otu, isolate_id)
    after = structs.replace(before, **values)
    if after == before:
        return None
    return Edit(with_isolate(otu, after), Verb.EDIT_ISOLATE, f"Renamed {named(before)} to {named(after)}")


def set_as_default(otu: JoinedOTU, isolate_id: str) -> Edit | None:
    isolate = isolate_of(otu, isolate_id)
    after = _with_default(otu, isolate_id)
    return None if after == otu else Edit(after, Verb.SET_AS_DEFAULT, f"Set {named(isolate)} as default")


def remove_isolate(otu: JoinedOTU, isolate_id: str) -> Edit:
    """Remove an isolate with its sequences; if it was the default one, the first that remains is."""
    isolate = isolate_of(otu, isolate_id)
    remaining = tuple(each for each in otu.isolates if each.id != isolate_id)
    after = structs.replace(otu, isolates=remaining)
    description = f"Removed {named(isolate)}"
    if isolate.default and remaining:
        after = _with_default(after, remaining[0].id)
        description += f" and set {named(remaining[0])} as default"
    return Edit(after, Verb.REMOVE_ISOLATE, description)


def _with_default(otu: JoinedOTU, isolate_id: str) -> JoinedOTU:
    isolates = (structs.replace(isolate, default=isolate.id == isolate_id) for isolate in otu.isolates)
    return structs.replace(otu, isolates=tuple(isolates))


def with_isolate(otu: JoinedOTU, isolate: JoinedIsolate) -> JoinedOTU:
    """Give the OTU with an isolate in the place of the one of its id."""
    isolates = (isolate if each.id == isolate.id else each for each in otu.isolates)
    return structs.replace(otu, isolates=tuple(isolates))


def isolate_of(otu: JoinedOTU, isolate_id: str, path: str = "id") -> JoinedIsolate:
    for isolate in otu.isolates:
        if isolate.id == isolate_id:
            return isolate
    raise NotFound("There is no isolate of that id.", path=[path])


def check_source_type(reference: Reference, source_type: str) -> None:
    """Raise BadUserInput for a type of source that the reference, which restricts them, does not list."""
    allowed = ALWAYS_ALLOWED.union(each.lower() for each in reference.source_types)
    if reference.restrict_source_types and source_type not in allowed:
        raise BadUserInput("Source type is not allowed.", path=["source_type"])
