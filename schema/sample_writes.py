"""What the mutations of samples take and give."""

import strawberry

from schema.ids import stored_id
from schema.inputs import given, optional, partial, translated
from schema.jobs import Job
from schema.payloads import Payload
from schema.samples import Sample
from virtool_gql.db.samples import NewSample, RightsChanges, SampleChanges
from virtool_gql.models.samples import LibraryType


def _group_id(id: str) -> str:
    return stored_id("group", id, "groupId")


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
            label_ids=tuple(stored_id("label", id, "labelIds") for id in given(self.label_ids) or ()),
            subtraction_ids=tuple(
                stored_id("subtraction", id, "subtractionIds") for id in given(self.subtraction_ids) or ()
            ),
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
    notes: str | None = optional("Anything else.")
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
