"""Jobs at the root of the API."""

from collections.abc import AsyncIterator
from typing import Annotated

import strawberry

from resolvers.listings import listed
from resolvers.subscriptions import watched
from schema.arguments import Id, LogAfter, described
from schema.changes import JobChange
from schema.context import Info
from schema.ids import stored_id
from schema.inputs import given
from schema.jobs import (
    CancelJobInput,
    CancelJobPayload,
    DeleteJobInput,
    DeleteJobPayload,
    Job,
    JobFilter,
    JobLogLine,
    JobOrder,
    line_number,
    lines_of,
)
from schema.payloads import mutation


@strawberry.type
class JobQuery:
    """The jobs that one may read."""

    jobs = listed(
        lambda db: db.jobs,
        Job,
        JobFilter,
        JobOrder,
        description="Your jobs, or all of them with `CANCEL_JOB` or `REMOVE_JOB`; newest first by default.",
    )

    @strawberry.field(description="One job: your own, or any with `CANCEL_JOB` or `REMOVE_JOB`.")
    async def job(self, info: Info, id: Id) -> Job | None:
        job: Job | None = await info.context.loaders.fetch("job", id)
        return job


@strawberry.type
class JobMutation:
    """Cancelling and deleting jobs."""

    @mutation("Cancel a job that has not ended. Somebody else's needs the permission `CANCEL_JOB`.")
    async def cancel_job(self, info: Info, input: Annotated[CancelJobInput, described("The job.")]) -> CancelJobPayload:
        job = await info.context.db.jobs.cancel(info.context.viewer, stored_id("job", input.id))
        return CancelJobPayload(job=Job.from_document(job))

    @mutation("Delete a job that has ended, with its log. Needs the permission `REMOVE_JOB`.")
    async def delete_job(self, info: Info, input: Annotated[DeleteJobInput, described("The job.")]) -> DeleteJobPayload:
        job = await info.context.db.jobs.delete(info.context.viewer, stored_id("job", input.id))
        return DeleteJobPayload(job=Job.from_document(job))


@strawberry.type
class JobSubscription:
    """Changes of jobs, and what they write."""

    jobs = watched(
        lambda db: db.jobs,
        "job",
        JobFilter,
        JobChange,
        description="Changes of your jobs, or of all with `CANCEL_JOB` or `REMOVE_JOB`.",
    )

    @strawberry.subscription(
        description="A job's log: what it wrote, then what it writes, until the job has ended. Of your own jobs, or of "
        "any with `CANCEL_JOB` or `REMOVE_JOB`."
    )
    async def job_log(
        self,
        info: Info,
        id: Annotated[strawberry.ID, described("The job, which you must be allowed to read.")],
        after: LogAfter = strawberry.UNSET,
    ) -> AsyncIterator[JobLogLine]:
        caller, jobs = info.context.caller, info.context.db.jobs
        job = await jobs.get(info.context.viewer, stored_id("job", id))
        return lines_of(jobs.follow_log(lambda: caller.viewer, job.id, line_number(given(after))))
