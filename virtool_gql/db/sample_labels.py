"""Labelling many samples at once, with an outcome for each of them."""

from collections.abc import Sequence

import msgspec
from msgspec import structs

from virtool_gql.access import Viewer, readable_samples
from virtool_gql.db.instance import Instance
from virtool_gql.db.retries import retried
from virtool_gql.db.sample_inputs import MOST_LINKS, linked
from virtool_gql.db.sample_links import check_labels, without_deleted_labels
from virtool_gql.db.samples import require_write
from virtool_gql.errors import BadUserInput, Forbidden, NotFound, StaleDocument, VirtoolError
from virtool_gql.files import ID
from virtool_gql.models.samples import Sample
from virtool_gql.stores.slices import in_slices

MOST_SAMPLES = 500

Outcome = Sample | VirtoolError
Outcomes = dict[str, Outcome]


class LabelEdits(msgspec.Struct, frozen=True, kw_only=True):
    """Which labels to put on samples, and which to take off."""

    add: tuple[str, ...] = ()
    remove: tuple[str, ...] = ()


class SampleLabels:
    """Puts labels on samples and takes them off, of as many samples as a viewer may write to."""

    def __init__(self, instance: Instance) -> None:
        self._store = instance.store
        self._clock = instance.clock

    async def update(self, viewer: Viewer, sample_ids: Sequence[str], edits: LabelEdits) -> Outcomes:
        """Give for each sample, by id, how it is now, or why it could not be labelled; none keeps another from it.

        A label that a sample has already, or has not, changes nothing, and of labels to take off any may be gone.
        """
        check_number(sample_ids)
        edits = LabelEdits(add=linked(edits.add, "add_label_ids"), remove=linked(edits.remove, "remove_label_ids"))
        if set(edits.add) & set(edits.remove):
            raise BadUserInput("A label is to be put on and taken off.", path=["remove_label_ids"])
        await check_labels(self._store, edits.add, "add_label_ids")
        return await self._label(viewer, list(dict.fromkeys(sample_ids)), edits)

    async def _label(self, viewer: Viewer, ids: list[str], edits: LabelEdits) -> Outcomes:
        """Label all in one write; when somebody else was faster with one of them, in two, until it is found."""
        try:
            if len(ids) == 1:
                return await retried(lambda: self._label_at_once(viewer, ids, edits))
            return await self._label_at_once(viewer, ids, edits)
        except StaleDocument as error:
            if len(ids) == 1:
                return {ids[0]: error}
        half = len(ids) // 2
        return {**await self._label(viewer, ids[:half], edits), **await self._label(viewer, ids[half:], edits)}

    async def _label_at_once(self, viewer: Viewer, ids: list[str], edits: LabelEdits) -> Outcomes:
        possible = [id for id in ids if ID.fullmatch(id)]
        found = await self._store.get_many(Sample, possible, readable_samples(viewer)) if possible else {}
        outcomes = await in_slices(lambda each: _edited(viewer, found.get(each), edits), ids)
        changed = [each for each in outcomes if isinstance(each, Sample) and each is not found[each.id]]
        at = self._clock()
        written = await self._store.replace(*(structs.replace(sample, updated_at=at) for sample in changed))
        if edits.add:
            written = await without_deleted_labels(self._store, written)
        return dict(zip(ids, outcomes, strict=True)) | {sample.id: sample for sample in written}


def missing_sample() -> NotFound:
    return NotFound("There is no sample of that id.")


def check_number(sample_ids: Sequence[str]) -> None:
    """Raise BadUserInput when these are more samples than can be labelled at once."""
    if len(set(sample_ids)) > MOST_SAMPLES:
        raise BadUserInput(f"At most {MOST_SAMPLES} samples can be labelled at once.", path=["sample_ids"])


def _edited(viewer: Viewer, sample: Sample | None, edits: LabelEdits) -> Outcome:
    """Give the sample with its labels changed (itself, when nothing changes), or why it cannot be."""
    if sample is None:
        return missing_sample()
    try:
        require_write(viewer, structs.replace(sample, quality=None, reads=()))  # which take long to look through
    except Forbidden as error:
        return error
    label_ids = tuple(id for id in dict.fromkeys((*sample.label_ids, *edits.add)) if id not in edits.remove)
    if label_ids == sample.label_ids:
        return sample
    if len(label_ids) > MOST_LINKS:
        return BadUserInput(f"A sample has at most {MOST_LINKS} labels.", path=["add_label_ids"])
    return structs.replace(sample, label_ids=label_ids)
