"""How an OTU differs from what a newer release has in its place."""

from collections.abc import Callable, Iterable, Mapping
from typing import Protocol, TypeVar

from msgspec import structs

from virtool_gql.models.documents import NewId
from virtool_gql.models.joined import JoinedIsolate, JoinedOTU, JoinedSequence


class HasId(Protocol):
    """An isolate or a sequence."""

    @property
    def id(self) -> str: ...


H = TypeVar("H", bound=HasId)


def brought_to(local: JoinedOTU, released: JoinedOTU, new_id: NewId) -> JoinedOTU:
    """Give the OTU as the release has it, with the ids that it has here; equal to `local` when nothing differs.

    What it has here and not there goes, whoever has made it; what is new comes last. The order of what stays is no
    difference.
    """
    ids = {
        sequence.remote_id: sequence.id
        for isolate in local.isolates
        for sequence in isolate.sequences
        if sequence.remote_id
    }
    here = {isolate.id: isolate for isolate in local.isolates}
    isolates = (_with_ids(isolate, here.get(isolate.id), ids, new_id) for isolate in released.isolates)
    return structs.replace(
        released,
        id=local.id,
        version=local.version,
        isolates=_in_order(isolates, list(here)),
        remote_id=local.remote_id,
    )


def _with_ids(
    isolate: JoinedIsolate, local: JoinedIsolate | None, ids: Mapping[str, str], new_id: NewId
) -> JoinedIsolate:
    order = [sequence.id for sequence in local.sequences] if local else []
    sequences = (structs.replace(sequence, id=_local_id(sequence, ids, new_id)) for sequence in isolate.sequences)
    return structs.replace(isolate, sequences=_in_order(sequences, order))


def _local_id(sequence: JoinedSequence, ids: Mapping[str, str], new_id: Callable[[], str]) -> str:
    return ids.get(sequence.remote_id or "") or new_id()


def _in_order(values: Iterable[H], ids: list[str]) -> tuple[H, ...]:
    """Give those of the ids first, in the order of the ids, and then the others."""
    places = {id: place for place, id in enumerate(ids)}
    return tuple(sorted(values, key=lambda value: places.get(value.id, len(places))))
