"""What the mutations of samples take and give."""

from collections.abc import Iterable
from typing import Self

import strawberry

from schema.ids import parsed, stored_id
from schema.inputs import given, optional, partial, translated
from schema.jobs import Job
from schema.payloads import Payload, UserError
from schema.samples import Sample
from virtool_gql.db.sample_labels import LabelEdits, Outcome, check_number, missing_sample
from virtool_gql.db.samples import NewSample, RightsChanges, SampleChanges
from virtool_gql.models import samples as models
from virtool_gql.models.samples import LibraryType


def _group_id(id: str) -> str:
    return stored_id("group", id, "groupId")


def _label_ids(ids: Iterable[str], path: str = "labelIds") -> tuple[str, ...]:
    return tuple(stored_id("label", id, path) for id in ids)


def _subtraction_ids(ids: Iterable[str]) -> tuple[str, ...]:
    return tuple(stored_id("subtraction", id, "subtractionIds") for id in ids)


@strawberry.input(description="A new sample.")
class CreateSampleInput:
    """A new sample."""

    name: str = strawberry.field(description="The name, unique among samples where the settings say so.")
    file_ids: list[strawberry.ID] = strawberry.field(
        description="One uploaded file of type `READS`, or the two with the two ends of the same fragments."
    )
    library_type: LibraryType | None = optional("How the sequencing library was made; `NORMAL` when left out.")
    host: str | None = optional("The plant that the sample was taken from.")
    isolate: str | None = optional("The isolate that the sample is.")
    locale: str | None = optional("Where the sample was taken.")
    notes: str | None = optional("Anything else.")
    label_ids: list[strawberry.ID] | None = optional("The labels that it carries.")
    subtraction_ids: list[strawberry.ID] | None = optional("The subtractions that its analyses begin with.")
    group_id: strawberry.ID | None = optional("The group that it belongs to, where the settings leave it to you.")
    idempotency_key: str | None = optional("A text of your choice; another create with it gives the same sample.")

    def new_sample(self) -> NewSample:
        group_id = given(self.group_id)
        return NewSample(
            name=self.name,
            file_ids=tuple(stored_id("file", id, "fileIds") for id in self.file_ids),
            library_type=given(self.library_type) or LibraryType.NORMAL,
            host=given(self.host) or "",
            isolate=given(self.isolate) or "",
            locale=given(self.locale) or "",
            notes=given(self.notes) or "",
            label_ids=_label_ids(given(self.label_ids) or ()),
            subtraction_ids=_subtraction_ids(given(self.subtraction_ids) or ()),
            group_id=None if group_id is None else _group_id(group_id),
        )


@strawberry.input(description="What to change of a sample. What is left out stays as it is.")
class UpdateSampleInput:
    """What to change of a sample."""

    id: strawberry.ID = strawberry.field(description="The sample. You need the right to write it.")
    name: str | None = optional("The name, unique among samples where the settings say so.")
    library_type: LibraryType | None = optional("How the sequencing library was made.")
    host: str | None = optional("The plant that the sample was taken from.")
    isolate: str | None = optional("The isolate that the sample is.")
    locale: str | None = optional("Where the sample was taken.")
    notes: str | None = optional("Anything else, in at most 10 000 characters.")
    label_ids: list[strawberry.ID] | None = optional("The labels that it has, in place of those that it had.")
    subtraction_ids: list[strawberry.ID] | None = optional(
        "The subtractions that its analyses begin with, in place of those that they began with."
    )
    expected_version: int | None = optional("Change it only if this is still its version.")

    def changes(self) -> SampleChanges:
        return partial(
            SampleChanges,
            name=self.name,
            library_type=self.library_type,
            host=self.host,
            isolate=self.isolate,
            locale=self.locale,
            notes=self.notes,
            label_ids=translated(self.label_ids, _label_ids),
            subtraction_ids=translated(self.subtraction_ids, _subtraction_ids),
        )


@strawberry.input(description="What to change of a sample's rights. What is left out stays as it is.")
class UpdateSampleRightsInput:
    """What to change of a sample's rights."""

    id: strawberry.ID = strawberry.field(description="The sample. You must be its creator or an administrator.")
    group_id: strawberry.ID | None = optional("The group that it belongs to; null for none.")
    group_read: bool | None = optional("Whether members of its group may read it.")
    group_write: bool | None = optional("Whether members of its group who may read it may change it.")
    all_read: bool | None = optional("Whether everybody may read it.")
    all_write: bool | None = optional("Whether everybody who may read it may change it.")
    expected_version: int | None = optional("Change it only if this is still its version.")

    def changes(self) -> RightsChanges:
        return partial(
            RightsChanges,
            group_id=translated(self.group_id, _group_id),
            group_read=self.group_read,
            group_write=self.group_write,
            all_read=self.all_read,
            all_write=self.all_write,
        )


@strawberry.input(description="Which samples to label, and how.")
class UpdateSampleLabelsInput:
    """Which samples to label, and how."""

    sample_ids: list[strawberry.ID] = strawberry.field(
        description="The samples, at most 500. Each needs the right to write it."
    )
    add_label_ids: list[strawberry.ID] | None = optional("Labels to put on them; those that a sample has stay.")
    remove_label_ids: list[strawberry.ID] | None = optional("Labels to take off them, where they are.")

    def samples(self) -> dict[strawberry.ID, str | None]:
        """Give the stored ids by the ids as they were given; None for one that is no sample's."""
        check_number(self.sample_ids)
        pairs = ((id, parsed(id)) for id in self.sample_ids)
        return {id: pair[1] if pair and pair[0] == "sample" else None for id, pair in pairs}

    def edits(self) -> LabelEdits:
        return LabelEdits(
            add=_label_ids(given(self.add_label_ids) or (), "addLabelIds"),
            remove=_label_ids(given(self.remove_label_ids) or (), "removeLabelIds"),
        )


@strawberry.input(description="Which sample to delete.")
class DeleteSampleInput:
    """Which sample to delete."""

    id: strawberry.ID = strawberry.field(description="The sample. You need the right to write it.")


@strawberry.type(description="What `createSample` answers with.")
class CreateSamplePayload(Payload):
    """What `createSample` answers with."""

    sample: Sample | None = strawberry.field(default=None, description="The sample, not ready yet.")
    job: Job | None = strawberry.field(default=None, description="The job that makes it.")


@strawberry.type(description="What `updateSample` answers with.")
class UpdateSamplePayload(Payload):
    """What `updateSample` answers with."""

    sample: Sample | None = strawberry.field(default=None, description="The sample as it is now.")


@strawberry.type(description="What `updateSampleRights` answers with.")
class UpdateSampleRightsPayload(Payload):
    """What `updateSampleRights` answers with."""

    sample: Sample | None = strawberry.field(default=None, description="The sample as it is now.")


@strawberry.type(description="What `deleteSample` answers with.")
class DeleteSamplePayload(Payload):
    """What `deleteSample` answers with."""

    sample: Sample | None = strawberry.field(default=None, description="The sample as it was.")


@strawberry.type(description="What became of one of the samples that were to be labelled.")
class SampleLabelsResult:
    """What became of one of the samples that were to be labelled."""

    sample_id: strawberry.ID = strawberry.field(description="The sample's id, as it was given.")
    sample: Sample | None = strawberry.field(default=None, description="The sample as it is now; null when refused.")
    errors: list[UserError] = strawberry.field(
        default_factory=list, description="Why it was not labelled; empty when it is as it should be."
    )

    @classmethod
    def of(cls, id: strawberry.ID, outcome: Outcome | None) -> Self:
        if isinstance(outcome, models.Sample):
            return cls(sample_id=id, sample=Sample.from_document(outcome))
        return cls(sample_id=id, errors=[UserError.of(outcome or missing_sample())])


@strawberry.type(description="What `updateSampleLabels` answers with.")
class UpdateSampleLabelsPayload(Payload):
    """What `updateSampleLabels` answers with."""

    results: list[SampleLabelsResult] | None = strawberry.field(
        default=None, description="One for each sample, in the order in which they were given, each sample once."
    )
