"""Labels, which people put on samples, and how one that is deleted leaves all of them."""

import re
from collections.abc import Collection, Iterable
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType, structs

from virtool_gql.access import Viewer, readable_labels, readable_samples
from virtool_gql.db.creation import created_once, creation_key
from virtool_gql.db.instance import Instance
from virtool_gql.db.listing import Listing
from virtool_gql.db.names import multi_line, name_key, single_line, told_when_taken
from virtool_gql.db.retries import retried
from virtool_gql.db.updates import check_version, to_values, with_values
from virtool_gql.errors import BadUserInput
from virtool_gql.models.labels import DEFAULT_COLOR, Label
from virtool_gql.models.samples import Sample
from virtool_gql.models.users import Permission
from virtool_gql.query import Has, Keys, Page
from virtool_gql.stores.documents import Documents, Found, modify

LONGEST_DESCRIPTION = 1_000
LONGEST_COLOR = 7
SAMPLES_AT_ONCE = 500
TAKEN = ("name_key", "name", "Label name already exists.")

COLOR = re.compile("#(?:[0-9A-F]{3}|[0-9A-F]{6})")


class NewLabel(msgspec.Struct, frozen=True, kw_only=True):
    """What a label is created from."""

    name: str
    color: str = DEFAULT_COLOR
    description: str = ""


class LabelChanges(msgspec.Struct, frozen=True, kw_only=True):
    """What is to change of a label; what is not set stays."""

    name: str | UnsetType = UNSET
    color: str | UnsetType = UNSET
    description: str | UnsetType = UNSET


class Labels(Listing[Label]):
    """The labels, which everybody may read; whoever may create samples may write them."""

    noun = "label"

    def __init__(self, instance: Instance, *, samples_at_once: int = SAMPLES_AT_ONCE) -> None:
        super().__init__(instance, Label, readable_labels)
        self._samples_at_once = samples_at_once

    async def create(self, viewer: Viewer, new: NewLabel, *, idempotency_key: str | None = None) -> Label:
        """Make a label, whose name differs from all others by more than the case of its letters."""
        viewer.require(Permission.CREATE_SAMPLE)
        key = creation_key(viewer, idempotency_key)
        return await created_once(self.store, Label, key, lambda: self._create(viewer, new, key))

    async def _create(self, viewer: Viewer, new: NewLabel, key: str | None) -> Label:
        label = Label(
            **_cleaned(to_values(new)),
            id=self.instance.new_id(),
            creation_key=key,
            user_id=viewer.user_id,
            created_at=self.instance.clock(),
        )
        with told_when_taken(*TAKEN):
            return (await self.store.insert(label))[0]

    async def update(
        self, viewer: Viewer, id: str, changes: LabelChanges, *, expected_version: int | None = None
    ) -> Label:
        viewer.require(Permission.CREATE_SAMPLE)
        values = _cleaned(to_values(changes))

        def changed(label: Label) -> Label:
            check_version(label, expected_version, self.noun)
            return with_values(label, values)

        await self.get(viewer, id)
        with told_when_taken(*TAKEN):
            return await modify(self.store, Label, id, changed)

    async def delete(self, viewer: Viewer, id: str) -> Label:
        """Remove the label and take it off all samples, whoever may write these.

        Many samples lose it before it is gone, so that a crash leaves a label that can be deleted again. Those who put
        it on a sample meanwhile come before the last look here, or see afterwards that it is gone (`db.sample_links`).
        """
        viewer.require(Permission.CREATE_SAMPLE)
        label = await retried(lambda: self._delete(viewer, id))
        while await self._take_off_all(id):
            pass
        return label

    async def _delete(self, viewer: Viewer, id: str) -> Label:
        label = await self.get(viewer, id)
        while (await self._labelled(self.store, id)).has_next:
            await self._take_off_all(id)
        async with self.store.transaction() as documents:
            await self._take_off_some(documents, id)
            await documents.delete(label)
        return label

    async def _take_off_all(self, id: str) -> bool:
        """Take the label off the samples that have it, some at a time; tell whether there were any."""
        last: Keys | None = None
        while some := await retried(lambda: self._take_off_some(self.store, id, last)):  # noqa: B023 - called at once
            last = (some[-1].id,)
        return last is not None

    async def _take_off_some(self, documents: Documents, id: str, after: Keys | None = None) -> list[Sample]:
        some = (await self._labelled(documents, id, after)).documents
        at = self.instance.clock()
        await documents.replace(*(structs.replace(without(sample, {id}), updated_at=at) for sample in some))
        return some

    async def _labelled(self, documents: Documents, id: str, after: Keys | None = None) -> Found[Sample]:
        return await documents.find(Sample, Has("label_ids", id), page=Page(first=self._samples_at_once, after=after))

    async def sample_counts(self, viewer: Viewer, ids: Iterable[str]) -> dict[str, int]:
        """Count, for each label, the samples that have it and that the viewer may read, in one statement."""
        return await self.store.tally(Sample, "label_ids", ids, readable_samples(viewer))


def without(sample: Sample, label_ids: Collection[str]) -> Sample:
    """Give the sample without some labels."""
    return structs.replace(sample, label_ids=tuple(id for id in sample.label_ids if id not in label_ids))


def _cleaned(values: dict[str, Any]) -> dict[str, Any]:
    stored = dict(values)
    if "name" in values:
        name = single_line(values["name"], "name", may_be_empty=False)
        stored |= {"name": name, "name_key": name_key(name)}
    if "color" in values:
        stored["color"] = _color(values["color"])
    if "description" in values:
        stored["description"] = multi_line(values["description"], "description", longest=LONGEST_DESCRIPTION)
    return stored


def _color(text: str) -> str:
    """Give a color as `#RRGGBB` in capitals."""
    color = text.strip().upper() if len(text) <= LONGEST_COLOR else ""
    if not COLOR.fullmatch(color):
        raise BadUserInput("A color looks like #A0AEC0 or #ABC.", path=["color"])
    return color if len(color) == LONGEST_COLOR else "#" + "".join(digit * 2 for digit in color[1:])
