"""The runner's side of jobs: who holds one, how far it is, and what it writes while it is held.

    WAITING --acquire--> PREPARING --report--> RUNNING --finish--> COMPLETE, ERROR, CANCELLED, TERMINATED, TIMEOUT
       ^--------------------requeue----------------'

Every write of a runner is fenced: it happens only while the job's lease has the token that the runner was given.
"""

from collections.abc import Callable
from datetime import timedelta

from msgspec import structs

from virtool_gql.errors import Conflict, StaleDocument
from virtool_gql.models.documents import Clock, Document, NewId, Timestamp, moment_of, timestamp
from virtool_gql.models.jobs import Job, JobError, JobState, JobStatus, Lease
from virtool_gql.query import And, Eq, Exists, In, Order, Page
from virtool_gql.stores.documents import MODIFY_ATTEMPTS, Documents
from virtool_gql.stores.redis import JobQueues

HELD = (JobState.PREPARING, JobState.RUNNING)
EVERY = Page(first=None)


class LeaseLost(Exception):
    """The job is no longer this runner's: it is gone, has ended, or was taken over."""


class CancelRequested(Exception):
    """Somebody asked for the end of the job before it could be completed."""


class _Overtaken(Exception):
    """Another write of the same job came first."""


class JobRuns:
    """The jobs, as those who run them see them."""

    def __init__(
        self, store: Documents, queues: JobQueues, *, clock: Clock, new_id: NewId, lease_seconds: float = 30
    ) -> None:
        self._store = store
        self._queues = queues
        self._clock = clock
        self._new_id = new_id
        self._lease_time = timedelta(seconds=lease_seconds)
        self._unlisted: frozenset[str] = frozenset()

    async def get(self, job_id: str) -> Job | None:
        return await self._store.get(Job, job_id)

    async def acquire(self, job_id: str, runner: str) -> Job | None:
        """Lease a waiting job; None when it does not wait, or somebody else was faster."""
        job = await self._store.get(Job, job_id)
        if job is None or job.state is not JobState.WAITING:
            return None
        leased = structs.replace(job, lease=self._lease(runner), attempts=job.attempts + 1)
        return await self._replaced(self._at(leased, JobState.PREPARING, None, 0.0))

    async def renew(self, job: Job) -> Job:
        """Prolong the lease."""
        return await self._change(job, lambda held: structs.replace(held, lease=self._prolonged(held)))

    async def report(self, job: Job, state: JobState, stage: str | None, progress: float) -> Job:
        """Tell where the job is: a new status entry for another state or stage, else the progress of the last one."""
        return await self._change(job, lambda held: self._at(held, state, stage, progress))

    async def write(self, job: Job, *documents: Document) -> None:
        """Insert (version 0) or replace documents, as a whole and only while the lease holds."""
        await self._change(job, lambda held: held, *documents)

    async def finish(self, job: Job, state: JobState, error: JobError | None = None, *documents: Document) -> Job:
        """End the job, together with the writes that come with its end.

        Raises CancelRequested instead of completing a job whose end somebody asked for.
        """

        def ended(held: Job) -> Job:
            if state is JobState.COMPLETE and held.cancel_requested:
                raise CancelRequested
            progress = 1.0 if state is JobState.COMPLETE else held.progress
            return structs.replace(self._at(held, state, held.stage, progress), error=error, lease=None)

        return await self._change(job, ended, *documents)

    async def requeue(self, job: Job, *, uncounted: bool = False) -> Job:
        """Let a job wait again, after its traces were cleaned up; an uncounted attempt was no fault of the job."""

        def waiting(held: Job) -> Job:
            attempts = held.attempts - 1 if uncounted else held.attempts
            return structs.replace(self._at(held, JobState.WAITING, None, 0.0), lease=None, attempts=attempts)

        requeued = await self._change(job, waiting)
        await self._queues.push(requeued.workflow, requeued.id)
        return requeued

    async def held(self) -> list[Job]:
        """Give all jobs that runners hold."""
        where = And(In("state", HELD), Exists("lease.token"))
        return (await self._store.find(Job, where, page=EVERY)).documents

    def has_expired(self, job: Job) -> bool:
        return job.lease is not None and job.lease.expires_at < self._clock()

    async def seize(self, job: Job, runner: str) -> Job | None:
        """Take a job over from its runner, to clean up after it; None when somebody else was faster."""
        return await self._replaced(structs.replace(job, lease=self._lease(runner)))

    async def relist(self) -> int:
        """Push the jobs that wait in no list, and did not at the last call either; give their number."""
        order = (Order("created_at"),)
        waiting = (await self._store.find(Job, Eq("state", JobState.WAITING), order, EVERY)).documents
        listed = await self._queues.waiting()
        unlisted = [job for job in waiting if job.id not in listed]
        lost = [job for job in unlisted if job.id in self._unlisted]
        self._unlisted = frozenset(job.id for job in unlisted)
        for job in lost:
            await self._queues.push(job.workflow, job.id)
        return len(lost)

    async def _change(self, job: Job, change: Callable[[Job], Job], *documents: Document) -> Job:
        """Replace the job by a function of itself and write the documents, while the lease is the one of `job`."""
        for _ in range(MODIFY_ATTEMPTS):
            held = await self._store.get(Job, job.id)
            if held is None or held.lease is None or job.lease is None or held.lease.token != job.lease.token:
                raise LeaseLost
            changed = change(held)
            try:
                return await self._committed(changed, documents)
            except _Overtaken:
                continue
        raise Conflict("Too many writers change this job at once.")

    async def _committed(self, job: Job, documents: tuple[Document, ...]) -> Job:
        if not documents:
            if (replaced := await self._replaced(job)) is None:
                raise _Overtaken
            return replaced
        async with self._store.transaction() as transaction:
            # The job comes last: on a store whose transactions can be watched, its end tells that all is written.
            await _write(transaction, documents)
            try:
                return (await transaction.replace(job))[0]
            except StaleDocument as error:
                raise _Overtaken from error

    async def _replaced(self, job: Job) -> Job | None:
        try:
            return (await self._store.replace(job))[0]
        except StaleDocument:
            return None

    def _at(self, job: Job, state: JobState, stage: str | None, progress: float) -> Job:
        status = job.status
        last = status[-1] if status else None
        if last is not None and (last.state, last.stage) == (state, stage):
            entry = structs.replace(last, progress=progress)
            status = status[:-1]
        else:
            entry = JobStatus(state=state, stage=stage, progress=progress, at=self._clock())
        return structs.replace(job, state=state, stage=stage, progress=progress, status=(*status, entry))

    def _lease(self, runner: str) -> Lease:
        return Lease(runner=runner, token=self._new_id() + self._new_id(), expires_at=self._expiry())

    def _prolonged(self, job: Job) -> Lease | None:
        return job.lease and structs.replace(job.lease, expires_at=self._expiry())

    def _expiry(self) -> Timestamp:
        return timestamp(moment_of(self._clock()) + self._lease_time)


async def _write(documents: Documents, written: tuple[Document, ...]) -> None:
    if new := [document for document in written if document.version == 0]:
        await documents.insert(*new)
    if known := [document for document in written if document.version]:
        await documents.replace(*known)
