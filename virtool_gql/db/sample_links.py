"""What samples refer to: labels, and the subtractions that their analyses begin with."""

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import Any

from virtool_gql.db.labels import without
from virtool_gql.errors import BadUserInput, NotFound
from virtool_gql.files import ID
from virtool_gql.models.labels import Label
from virtool_gql.models.samples import Sample
from virtool_gql.models.subtractions import Subtraction
from virtool_gql.stores.documents import Documents, modify


async def check_links(store: Documents, values: Mapping[str, Any]) -> None:
    """Raise BadUserInput, naming them, for labels that do not exist and subtractions that cannot be used."""
    await check_labels(store, values.get("label_ids", ()))
    await check_subtractions(store, values.get("subtraction_ids", ()))


async def check_labels(store: Documents, ids: Sequence[str], field: str = "label_ids") -> None:
    """Raise BadUserInput, naming the labels that do not exist."""
    found = await store.get_many(Label, _possible(ids)) if ids else {}
    missing = [f"label_{id}" for id in ids if id not in found]
    if missing:
        raise BadUserInput(f"Labels do not exist: {', '.join(missing)}.", path=[field])


async def check_subtractions(store: Documents, ids: Sequence[str]) -> None:
    """Raise BadUserInput, naming the subtractions that do not exist, were deleted or are not ready."""
    found = await store.get_many(Subtraction, _possible(ids)) if ids else {}
    faults = {id: _fault(found.get(id)) for id in ids}
    unusable = [f"subtraction_{id}{fault}" for id, fault in faults.items() if fault is not None]
    if unusable:
        raise BadUserInput(f"Subtractions do not exist: {', '.join(unusable)}.", path=["subtraction_ids"])


def _fault(subtraction: Subtraction | None) -> str | None:
    """Say what keeps a subtraction from being used; None when nothing does."""
    if subtraction is None:
        return ""
    if subtraction.deleted:
        return " (deleted)"
    return None if subtraction.ready else " (not ready)"


def _possible(ids: Iterable[str]) -> list[str]:
    return [id for id in ids if ID.fullmatch(id)]


async def without_deleted_labels(store: Documents, samples: Sequence[Sample]) -> list[Sample]:
    """Take off again, of samples that were just labelled, the labels that were deleted meanwhile.

    A deletion takes its label off all samples once more after the label is gone. So whoever labels a sample either
    comes before that, or finds here that the label is gone.
    """
    ids = {id for sample in samples for id in sample.label_ids}
    gone = ids - set(await store.get_many(Label, ids)) if ids else set()
    return [
        await _without(store, sample, gone) if gone.intersection(sample.label_ids) else sample for sample in samples
    ]


async def _without(store: Documents, sample: Sample, label_ids: set[str]) -> Sample:
    try:
        return await modify(store, Sample, sample.id, partial(_changed, label_ids))
    except NotFound:
        return sample  # deleted with all its labels


def _changed(label_ids: set[str], sample: Sample) -> Sample:
    return without(sample, label_ids) if label_ids.intersection(sample.label_ids) else sample
