"""Jobs in any state."""

from typing import Any

from msgspec import structs

from virtool_gql.db.database import Database
from virtool_gql.models.jobs import Job
from virtool_gql.workflows import CreateSample, Workflow


async def stored_job(db: Database, user_id: str, **values: Any) -> Job:
    """Make a job of a user, of a sample that does not exist."""
    job = db.jobs.new(Workflow.CREATE_SAMPLE, CreateSample(sample_id="sample00", file_ids=()), user_id)
    return (await db.store.insert(structs.replace(job, **values)))[0]


async def changed_job(db: Database, job: Job, **values: Any) -> Job:
    """Do what a runner would do to a job."""
    return (await db.store.replace(structs.replace(job, **values)))[0]
