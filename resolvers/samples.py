"""Samples at the root of the API."""

from typing import Annotated

import strawberry

from resolvers.listings import listed
from resolvers.subscriptions import watched
from schema.arguments import Id, described
from schema.changes import SampleChange
from schema.connections import in_turns
from schema.context import Info
from schema.ids import stored_id
from schema.inputs import given
from schema.jobs import Job
from schema.payloads import mutation
from schema.relations import fetch_ahead, selected
from schema.sample_writes import (
    CreateSampleInput,
    CreateSamplePayload,
    DeleteSampleInput,
    DeleteSamplePayload,
    SampleLabelsResult,
    UpdateSampleInput,
    UpdateSampleLabelsInput,
    UpdateSampleLabelsPayload,
    UpdateSamplePayload,
    UpdateSampleRightsInput,
    UpdateSampleRightsPayload,
)
from schema.samples import Sample, SampleFilter, SampleOrder


@strawberry.type
class SampleQuery:
    """The samples that one may read."""

    samples = listed(
        lambda db: db.samples,
        Sample,
        SampleFilter,
        SampleOrder,
        description="The samples that you may read, newest first by default.",
    )

    @strawberry.field(description="One sample. Needs the right to read it.")
    async def sample(self, info: Info, id: Id) -> Sample | None:
        sample: Sample | None = await info.context.loaders.fetch("sample", id)
        return sample


@strawberry.type
class SampleMutation:
    """Creating, changing and deleting samples."""

    @mutation("Create a sample from one or two uploaded files. Needs the permission `CREATE_SAMPLE`.")
    async def create_sample(
        self, info: Info, input: Annotated[CreateSampleInput, described("The sample.")]
    ) -> CreateSamplePayload:
        viewer, key = info.context.viewer, given(input.idempotency_key)
        sample, job = await info.context.db.samples.create(viewer, input.new_sample(), idempotency_key=key)
        return CreateSamplePayload(sample=Sample.from_document(sample), job=Job.from_document(job))

    @mutation("Change what is known of a sample. Needs the right to write it.")
    async def update_sample(
        self, info: Info, input: Annotated[UpdateSampleInput, described("The sample, and what to change.")]
    ) -> UpdateSamplePayload:
        viewer, id = info.context.viewer, stored_id("sample", input.id)
        version = given(input.expected_version)
        sample = await info.context.db.samples.update(viewer, id, input.changes(), expected_version=version)
        return UpdateSamplePayload(sample=Sample.from_document(sample))

    @mutation("Change who may read and write a sample. Needs to be its creator or an administrator.")
    async def update_sample_rights(
        self, info: Info, input: Annotated[UpdateSampleRightsInput, described("The sample, and what to change.")]
    ) -> UpdateSampleRightsPayload:
        viewer, id = info.context.viewer, stored_id("sample", input.id)
        version = given(input.expected_version)
        sample = await info.context.db.samples.update_rights(viewer, id, input.changes(), expected_version=version)
        return UpdateSampleRightsPayload(sample=Sample.from_document(sample))

    @mutation("Put labels on many samples, and take others off. Each sample needs the right to write it.")
    async def update_sample_labels(
        self, info: Info, input: Annotated[UpdateSampleLabelsInput, described("The samples, and the labels.")]
    ) -> UpdateSampleLabelsPayload:
        viewer, ids = info.context.viewer, input.samples()
        known = [id for id in ids.values() if id is not None]
        outcomes = await info.context.db.sample_labels.update(viewer, known, input.edits())
        pairs = in_turns(ids.items())
        results = [SampleLabelsResult.of(each, outcomes.get(id or "")) async for each, id in pairs]
        raw = info._raw_info  # noqa: SLF001 # as in listings
        below = selected(raw, selected(raw, raw.field_nodes)["results"])["sample"]
        await fetch_ahead(raw, [result.sample for result in results if result.sample], below)
        return UpdateSampleLabelsPayload(results=results)

    @mutation("Delete a sample with its reads and analyses. Needs the right to write it.")
    async def delete_sample(
        self, info: Info, input: Annotated[DeleteSampleInput, described("The sample.")]
    ) -> DeleteSamplePayload:
        sample = await info.context.db.samples.delete(info.context.viewer, stored_id("sample", input.id))
        return DeleteSamplePayload(sample=Sample.from_document(sample))


@strawberry.type
class SampleSubscription:
    """Changes of samples."""

    samples = watched(
        lambda db: db.samples,
        "sample",
        SampleFilter,
        SampleChange,
        description="Changes of the samples that you may read at the moment of the change.",
    )
