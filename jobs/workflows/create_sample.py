"""`create_sample`: uploads become the reads of a sample, and their quality is measured.

Each file is read once: what is read is copied, checked and counted. The sample becomes ready, and the job complete,
in one transaction; the uploads are deleted after it.
"""

from collections.abc import Sequence
from pathlib import Path

from msgspec import structs

from jobs.fastq import BadReads, copied_reads, read_records
from jobs.quality import QualityCounts, quality_of
from jobs.workflow import Context, Step, SubjectGone, Work
from virtool_gql.db.files import release, remove_file, remove_folder
from virtool_gql.errors import Conflict
from virtool_gql.executors import run_in_thread
from virtool_gql.files import Places
from virtool_gql.models.documents import Document
from virtool_gql.models.files import File
from virtool_gql.models.jobs import Job
from virtool_gql.models.references import Reference
from virtool_gql.models.samples import Reads, Sample
from virtool_gql.query import Eq, Exists, Page
from virtool_gql.stores.documents import Documents
from virtool_gql.workflows import CreateSample, Workflow


class SampleCreation(Work[CreateSample]):
    """The steps of `create_sample`."""

    workflow = Workflow.CREATE_SAMPLE
    arguments = CreateSample

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self.files: list[File] = []
        self.sides: list[QualityCounts] = []

    @property
    def steps(self) -> Sequence[Step]:
        return (self.check_files, self.copy_and_measure, self.summarise)

    async def check_files(self) -> None:
        """See that the sample and its uploads are there, and make room for its reads."""
        sample = await self._sample()
        files = await self.context.store.get_many(File, self.args.file_ids)
        for number, file_id in enumerate(self.args.file_ids, start=1):
            file = files.get(file_id)
            if file is None or not await run_in_thread(self.context.places.file(file_id).exists):
                raise Conflict(f"File {number} of the sample {sample.name} is no longer there; upload it again.")
            self.files.append(file)
        await run_in_thread(self._folder.mkdir, parents=True, exist_ok=True)

    async def copy_and_measure(self) -> None:
        """Copy the files and count their qualities, in one read of each."""
        self.sides = [QualityCounts(file.name) for file in self.files]
        await run_in_thread(self._copy_all)

    async def summarise(self) -> None:
        """See that the files belong together."""
        if len({side.count for side in self.sides}) > 1:
            counts = " and ".join(f"{side.name} holds {side.count}" for side in self.sides)
            raise BadReads(f"The two files must hold equally many reads, but {counts}.")
        if len({_pair_name(side.first_read) for side in self.sides}) > 1:
            names = " and ".join(side.first_read for side in self.sides)
            self.context.log(f"Warning: the first reads of the two files are called {names}; are they pairs?")

    async def results(self) -> Sequence[Document]:
        sample = await self._sample()
        reads = await run_in_thread(self._reads)
        quality = await run_in_thread(quality_of, self.sides)
        updated_at = self.context.clock()
        return [structs.replace(sample, reads=reads, quality=quality, ready=True, updated_at=updated_at)]

    async def clean_up(self) -> None:
        """Remove the copies. The sample stays, not ready, for its owner to delete."""
        await run_in_thread(remove_folder, self._folder)

    async def give_up(self) -> None:
        """Release the uploads."""
        await release(self.context.store, self.args.sample_id)

    async def tidy(self) -> None:
        await delete_uploads(self.context.store, self.context.places, self.args.sample_id)

    @property
    def _folder(self) -> Path:
        return self.context.places.sample(self.args.sample_id)

    async def _sample(self) -> Sample:
        sample = await self.context.store.get(Sample, self.args.sample_id)
        if sample is None:
            raise SubjectGone
        return sample

    def _copy_all(self) -> None:
        places = self.context.places
        sources = [places.file(file.id) for file in self.files]
        total, done = sum(source.stat().st_size for source in sources), 0

        def on_bytes(count: int) -> None:
            nonlocal done
            done += count
            self.context.progress(done / max(total, 1))

        for number, (source, side) in enumerate(zip(sources, self.sides, strict=True), start=1):
            with copied_reads(source, places.reads(self.args.sample_id, number), side.name, on_bytes) as stream:
                for records in read_records(stream, side.name):
                    side.add(records)
            self.context.log(f"{side.name}: {side.count} reads of {side.shortest} to {side.longest} bases.")

    def _reads(self) -> tuple[Reads, ...]:
        paths = [self.context.places.reads(self.args.sample_id, number + 1) for number in range(len(self.files))]
        if not all(path.exists() for path in paths):
            raise SubjectGone
        return tuple(
            Reads(name=path.name, size=path.stat().st_size, file_id=file.id, file_name=file.name)
            for path, file in zip(paths, self.files, strict=True)
        )


def _pair_name(name: str) -> str:
    """Give the name that both reads of a pair have: without `/1`, `;2`, `_1` or `.2` at its end."""
    return name[:-2] if name[-2:-1] in {"/", ";", "_", "."} and name[-1] in "12" else name


async def delete_uploads(store: Documents, places: Places, sample_id: str) -> None:
    """Delete the uploads that a ready sample was made from: first the rows, then the bytes."""
    files = (await store.find(File, Eq("reserved_by", sample_id), page=Page(first=None))).documents
    await store.delete(*files)
    for file in files:
        await run_in_thread(remove_file, places.file(file.id))


class UploadSweep:
    """Finishes what a crash left undone: uploads of ready samples go, those of what will never be made are free.

    A sample, a reference or a job that is not there may be on its way: uploads are reserved first, so only the second
    look counts.
    """

    def __init__(self, store: Documents, places: Places) -> None:
        self._store = store
        self._places = places
        self._missing: frozenset[str] = frozenset()

    async def run(self) -> None:
        files = (await self._store.find(File, Exists("reserved_by"), page=Page(first=None))).documents
        user_ids = {file.reserved_by for file in files if file.reserved_by}
        samples = await self._store.get_many(Sample, user_ids)
        jobs = await self._store.get_many(Job, [sample.job_id for sample in samples.values() if sample.job_id])
        for sample in samples.values():
            job = jobs.get(sample.job_id or "")
            if sample.ready:
                await delete_uploads(self._store, self._places, sample.id)
            elif job is not None and job.finished:
                await release(self._store, sample.id)
        references = await self._store.get_many(Reference, user_ids)  # whose tasks let go of theirs
        jobless = {sample.id for sample in samples.values() if not sample.ready and sample.job_id not in jobs}
        missing = frozenset((user_ids - samples.keys() - references.keys()) | jobless)
        for user_id in missing & self._missing:
            await release(self._store, user_id)
        self._missing = missing
