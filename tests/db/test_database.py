"""The invariants that span collections, where these lie in two stores."""

import asyncio

import pytest

from tests.factories.files import ready_file_ids
from tests.factories.samples import stored_sample
from tests.factories.users import PASSWORD, viewer_named
from virtool_gql.db.database import Database
from virtool_gql.db.samples import NewSample, SampleChanges
from virtool_gql.errors import Conflict
from virtool_gql.models.jobs import Job, JobState
from virtool_gql.models.samples import Sample
from virtool_gql.models.users import Permission, User

OWNER = viewer_named("owner", Permission.CREATE_SAMPLE)


async def test_of_fifty_first_users_one_is_made(split_db: Database) -> None:
    creations = (split_db.users.create_first(f"user{number}", PASSWORD) for number in range(50))
    answers = await asyncio.gather(*creations, return_exceptions=True)
    assert sum(isinstance(answer, User) for answer in answers) == 1
    assert sum(isinstance(answer, Conflict) for answer in answers) == 49
    assert await split_db.store.count(User) == 1


async def test_of_many_samples_racing_for_the_same_files_one_is_made(split_db: Database) -> None:
    ids = await ready_file_ids(split_db, 2)
    creations = (split_db.samples.create(OWNER, NewSample(name=f"Leaf {n}", file_ids=ids)) for n in range(20))
    answers = await asyncio.gather(*creations, return_exceptions=True)
    assert [type(answer) for answer in answers].count(tuple) == 1
    assert sum(isinstance(answer, Conflict) for answer in answers) == 19
    assert await split_db.store.count(Sample) == await split_db.store.count(Job) == 1


async def test_a_repeated_idempotency_key_gives_the_same_sample(split_db: Database) -> None:
    new = NewSample(name="Leaf", file_ids=await ready_file_ids(split_db))
    first = await split_db.samples.create(OWNER, new, idempotency_key="once")
    again = await asyncio.gather(*(split_db.samples.create(OWNER, new, idempotency_key="once") for _ in range(10)))
    assert {(sample.id, job.id) for sample, job in again} == {(first[0].id, first[1].id)}


async def test_a_sample_is_changed_and_deleted_with_what_it_reserved(split_db: Database) -> None:
    sample = await stored_sample(split_db)
    with pytest.raises(Conflict, match="already in use"):
        await stored_sample(split_db, name="LEAF")
    assert (await split_db.samples.update(OWNER, sample.id, SampleChanges(host="Vine"))).host == "Vine"
    await split_db.samples.delete(OWNER, sample.id)
    job = await split_db.store.get(Job, sample.job_id or "")
    assert job is not None
    assert job.state is JobState.CANCELLED
    assert (await split_db.files.get(OWNER, sample.file_ids[0])).reserved_by is None
    assert await split_db.store.count(Sample) == 0
