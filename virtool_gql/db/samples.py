"""Samples: their creation from uploads, what is known of them, and who may see and change them."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from msgspec import structs

from virtool_gql.access import Viewer, owned_samples, readable_samples, writable_samples
from virtool_gql.db.creation import created_by, creation_key, once
from virtool_gql.db.files import mark, release, remove_folder, reserve
from virtool_gql.db.group_traces import without_deleted_group
from virtool_gql.db.instance import Instance
from virtool_gql.db.jobs import Jobs, call_off
from virtool_gql.db.listing import Listing
from virtool_gql.db.names import comparable, told_when_taken
from virtool_gql.db.retries import retried
from virtool_gql.db.sample_inputs import NewSample, RightsChanges, SampleChanges, cleaned
from virtool_gql.db.sample_links import check_links, without_deleted_labels
from virtool_gql.db.sample_names import with_key
from virtool_gql.db.settings import SettingsWrapper
from virtool_gql.db.updates import check_version, to_values, with_values
from virtool_gql.errors import BadUserInput, Conflict, Forbidden
from virtool_gql.executors import run_in_thread
from virtool_gql.files import ID
from virtool_gql.models.documents import to_builtins
from virtool_gql.models.jobs import Job
from virtool_gql.models.samples import Quality, Sample
from virtool_gql.models.settings import SampleGroup
from virtool_gql.models.users import Group, Permission, User
from virtool_gql.query import matches
from virtool_gql.stores.documents import modify
from virtool_gql.workflows import CreateSample, Workflow

__all__ = ["NewSample", "RightsChanges", "SampleChanges", "Samples"]

TAKEN = ("unique_key", "name", "Sample name is already in use.")


class Samples(Listing[Sample]):
    """The samples that a viewer may read; those who may write to one change and delete it."""

    noun = "sample"

    def __init__(self, instance: Instance, settings: SettingsWrapper, jobs: Jobs) -> None:
        super().__init__(instance, Sample, readable_samples)
        self._settings = settings
        self._jobs = jobs

    async def qualities(self, viewer: Viewer, ids: Iterable[str]) -> dict[str, Quality | None]:
        """Give, for each sample, the quality of its reads; None when there is none or the viewer may not read it."""
        wanted = list(ids)
        found = await self.store.get_many(Sample, wanted, self.readable(viewer), whole=True)
        return dict.fromkeys(wanted) | {id: sample.quality or None for id, sample in found.items()}

    async def create(
        self,
        viewer: Viewer,
        new: NewSample,
        *,
        idempotency_key: str | None = None,
    ) -> tuple[Sample, Job]:
        """Reserve the files, and make a sample and the job that fills it.

        The same user's same idempotency key gives the same sample and job again.
        """
        viewer.require(Permission.CREATE_SAMPLE)
        key = creation_key(viewer, idempotency_key)
        return await once(lambda: self._created_by(key), lambda: self._create(viewer, new, key))

    async def _create(self, viewer: Viewer, new: NewSample, key: str | None) -> tuple[Sample, Job]:
        draft = await self._draft(viewer, new, key)
        args = CreateSample(sample_id=draft.id, file_ids=draft.file_ids)
        job = self._jobs.new(Workflow.CREATE_SAMPLE, args, viewer.user_id)
        with told_when_taken(*TAKEN):
            async with self.store.transaction() as documents:
                await reserve(documents, draft.file_ids, draft.id)
                sample = (await documents.insert(structs.replace(draft, job_id=job.id)))[0]
                job = (await documents.insert(job))[0]
        sample = await without_deleted_group(self.store, sample)
        sample = (await without_deleted_labels(self.store, [sample]))[0]
        sample = await self._keyed_new(viewer, sample)
        await self._jobs.enqueue(job)
        return sample, job

    async def _draft(self, viewer: Viewer, new: NewSample, key: str | None) -> Sample:
        settings = await self._settings.get()
        values = cleaned(to_values(new), unique_names=settings.sample_unique_names)
        await check_links(self.store, values)
        group_id = values.pop("group_id")
        at = self.instance.clock()
        return Sample(
            **values,
            id=self.instance.new_id(),
            creation_key=key,
            user_id=viewer.user_id,
            group_id=await self._group_of_new(viewer, group_id, settings.sample_group),
            group_read=settings.sample_group_read,
            group_write=settings.sample_group_write,
            all_read=settings.sample_all_read,
            all_write=settings.sample_all_write,
            paired=len(new.file_ids) > 1,
            created_at=at,
            updated_at=at,
        )

    async def _group_of_new(self, viewer: Viewer, group_id: str | None, policy: SampleGroup) -> str | None:
        """Give the group of a new sample: the one that was asked for, else what the settings say."""
        if group_id is not None:
            await self._check_group(group_id)
        elif policy is SampleGroup.FORCE_CHOICE:
            raise BadUserInput("Group value required for sample creation.", path=["group_id"])
        elif policy is SampleGroup.USERS_PRIMARY_GROUP:
            user = await self.store.get(User, viewer.user_id)
            return user.primary_group_id if user else None
        return group_id

    async def _check_group(self, group_id: str) -> None:
        if not ID.fullmatch(group_id) or await self.store.get(Group, group_id) is None:
            raise BadUserInput("Group does not exist.", path=["group_id"])

    async def _created_by(self, key: str | None) -> tuple[Sample, Job] | None:
        sample = await created_by(self.store, Sample, key)
        if sample is None:
            return None
        job = await self.store.get(Job, sample.job_id) if sample.job_id else None
        if job is None:
            raise Conflict(f"The sample sample_{sample.id} was created with this key, and its job has been removed.")
        return sample, job

    async def update(
        self,
        viewer: Viewer,
        id: str,
        changes: SampleChanges,
        *,
        expected_version: int | None = None,
    ) -> Sample:
        settings = await self._settings.get()
        values = cleaned(to_values(changes), unique_names=settings.sample_unique_names)
        await check_links(self.store, values)
        with told_when_taken(*TAKEN):
            sample = await self._renamed(viewer, id, values, expected_version)
        return (await without_deleted_labels(self.store, [sample]))[0] if values.get("label_ids") else sample

    async def _keyed_new(self, viewer: Viewer, sample: Sample) -> Sample:
        """Give a new sample its name's key if names were made unique since it was begun; undo it if that is taken."""
        try:
            return await self._keyed(sample)
        except Conflict:
            await self.delete(viewer, sample.id)
            raise

    async def _renamed(
        self, viewer: Viewer, id: str, values: Mapping[str, Any], expected_version: int | None
    ) -> Sample:
        """Change the sample; give back its name if names were made unique meanwhile and the new one is taken."""
        named_alike = "name" in values and values["unique_key"] is None
        before = await self.get(viewer, id) if named_alike else None
        sample = await self._change(viewer, id, values, require_write, expected_version)
        if before is None:
            return sample
        try:
            return await self._keyed(sample)
        except Conflict:
            again = {"name": before.name, "unique_key": comparable(before.name)}
            await self._change(viewer, id, again, require_write, sample.version)
            raise

    async def _keyed(self, sample: Sample) -> Sample:
        if sample.unique_key is not None or not (await self._settings.get()).sample_unique_names:
            return sample
        with told_when_taken(*TAKEN):
            return await modify(self.store, Sample, sample.id, with_key)

    async def update_rights(
        self,
        viewer: Viewer,
        id: str,
        changes: RightsChanges,
        *,
        expected_version: int | None = None,
    ) -> Sample:
        """Change who may read and write; only the sample's owner and administrators can."""
        sample = await self.get(viewer, id)
        require_ownership(viewer, sample)
        if isinstance(changes.group_id, str):
            await self._check_group(changes.group_id)
        sample = await self._change(viewer, id, to_values(changes), require_ownership, expected_version)
        return await without_deleted_group(self.store, sample)

    async def _change(
        self,
        viewer: Viewer,
        id: str,
        values: Mapping[str, Any],
        require_right: Callable[[Viewer, Sample], None],
        expected_version: int | None,
    ) -> Sample:
        def changed(sample: Sample) -> Sample:
            require_right(viewer, sample)
            check_version(sample, expected_version, self.noun)
            after = with_values(sample, values)
            return sample if after is sample else structs.replace(after, updated_at=self.instance.clock())

        await self.get(viewer, id)
        return await modify(self.store, Sample, id, changed, self.readable(viewer))

    async def delete(self, viewer: Viewer, id: str) -> Sample:
        """Call off the sample's job, release its files, and remove the sample with all its bytes."""
        sample, job = await retried(lambda: self._delete(viewer, id))
        if job is not None:
            await self._jobs.tell_runners(job)
        await run_in_thread(remove_folder, self.instance.places.sample(id))
        return sample

    async def _delete(self, viewer: Viewer, id: str) -> tuple[Sample, Job | None]:
        sample = await self.get(viewer, id)
        require_write(viewer, sample)
        await run_in_thread(mark, self.instance.places.deletion_mark(sample.id))
        async with self.store.transaction() as documents:
            job = await documents.get(Job, sample.job_id) if sample.job_id else None
            called_off = None
            if job is not None and not job.finished:
                called_off = await call_off(documents, job, self.instance.clock())
            await release(documents, sample.id)
            await documents.delete(sample)
        return sample, called_off


def require_write(viewer: Viewer, sample: Sample) -> None:
    if not matches(writable_samples(viewer), to_builtins(sample)):
        raise Forbidden("You need the right to write to this sample; its owner can give it to you.")


def require_ownership(viewer: Viewer, sample: Sample) -> None:
    if not matches(owned_samples(viewer), to_builtins(sample)):
        raise Forbidden("Only the owner of the sample or an administrator can change its rights.")
