"""Samples on their way, as tests of jobs need them: uploads, sample and job, without the API."""

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path

from msgspec import structs

from virtool_gql.db.instance import Instance
from virtool_gql.models.files import File, FileType
from virtool_gql.models.jobs import Job, JobState
from virtool_gql.models.samples import Sample
from virtool_gql.workflows import CANCEL_CHANNEL, Workflow


class Laboratory:
    """Makes samples from files, and looks how they fare."""

    def __init__(self, instance: Instance) -> None:
        self.instance = instance
        self.store = instance.store
        self.places = instance.places

    async def sample(self, *contents: tuple[str, bytes] | Path, proc: int = 1, mem: int = 1) -> Job:
        """Enqueue a job that makes a sample from files: (name, bytes) or paths."""
        job, _ = await self.unlisted_sample(*contents, proc=proc, mem=mem)
        await self.instance.queues.push(job.workflow, job.id)
        return job

    async def unlisted_sample(
        self, *contents: tuple[str, bytes] | Path, proc: int = 1, mem: int = 1
    ) -> tuple[Job, Sample]:
        at, sample_id, job_id = self.instance.clock(), self.instance.new_id(), self.instance.new_id()
        named = [(part.name, part.read_bytes()) if isinstance(part, Path) else part for part in contents]
        files = [
            File(
                id=self.instance.new_id(),
                name=name,
                type=FileType.READS,
                user_id="bob",
                size=len(data),
                ready=True,
                reserved_by=sample_id,
                created_at=at,
            )
            for name, data in named
        ]
        for file, (_, data) in zip(files, named, strict=True):
            self.places.file(file.id).write_bytes(data)
        file_ids = tuple(file.id for file in files)
        sample = Sample(
            id=sample_id,
            name="Made up",
            unique_key=None,
            user_id="bob",
            file_ids=file_ids,
            paired=len(files) > 1,
            job_id=job_id,
            created_at=at,
            updated_at=at,
        )
        job = Job(
            id=job_id,
            workflow=Workflow.CREATE_SAMPLE,
            args={"sample_id": sample_id, "file_ids": list(file_ids)},
            user_id="bob",
            proc=proc,
            mem=mem,
            created_at=at,
        )
        await self.store.insert(*files, sample, job)
        return (await self.job(job), await self.sample_of(job))

    async def job(self, job: Job) -> Job:
        found = await self.store.get(Job, job.id)
        assert found is not None
        return found

    async def sample_of(self, job: Job) -> Sample:
        found = await self.store.get(Sample, job.args["sample_id"])
        assert found is not None
        return found

    async def files_of(self, job: Job) -> list[File]:
        files = await self.store.get_many(File, job.args["file_ids"])
        return [files[file_id] for file_id in job.args["file_ids"] if file_id in files]

    async def cancel(self, job: Job) -> None:
        """Ask for the end of a running job, as the API does."""
        while True:
            found = await self.job(job)
            try:
                await self.store.replace(structs.replace(found, cancel_requested=True))
            except Exception:  # noqa: BLE001, S112 - somebody was faster
                continue
            break
        await self.instance.signals.send(CANCEL_CHANNEL, job.id)

    async def ended(self, job: Job, seconds: float = 30) -> Job:
        return await self.until(job, lambda found: found.finished, seconds)

    async def until(self, job: Job, holds: Callable[[Job], bool], seconds: float = 30) -> Job:
        """Give the job as soon as something holds for it."""
        async with asyncio.timeout(seconds):
            while not holds(found := await self.job(job)):  # noqa: ASYNC110 - the store holds the condition
                await asyncio.sleep(0.01)
        return found

    def log(self, job: Job) -> list[str]:
        return self.places.job_log(job.id).read_text().splitlines()


def states(job: Job) -> Sequence[JobState]:
    return [entry.state for entry in job.status]
