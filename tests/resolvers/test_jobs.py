from typing import Any

import pytest
from msgspec import structs

from tests.factories.api import Api
from virtool_gql.access import Viewer
from virtool_gql.errors import NotFound
from virtool_gql.models.jobs import Job, JobError, JobState, JobStatus
from virtool_gql.models.users import Permission

ONE = """query($id: ID!) { job(id: $id) { workflow state stage progress proc mem args status { state stage progress at }
    error { type message details traceback } user { handle } } }"""
CANCEL = "mutation($input: CancelJobInput!) { cancelJob(input: $input) { job { state } errors { code } } }"
DELETE = "mutation($input: DeleteJobInput!) { deleteJob(input: $input) { job { id } errors { code } } }"
LOG = "query($id: ID!, $first: Int, $after: Int) { job(id: $id) { log(first: $first, after: $after) {\
    nodes { number at text } hasNextPage } } }"
FOLLOW = "subscription($id: ID!, $after: Int) { jobLog(id: $id, after: $after) { number text } }"


async def failed(api: Api, owner: Viewer) -> Job:
    error = JobError(type="BadReads", message="Line 4.", details=("a", "b"), traceback=("File x",))
    at = api.clock()
    status = (JobStatus(state=JobState.WAITING, stage=None, progress=0.0, at=at),)
    return await api.job(owner, state=JobState.ERROR, error=error, status=status)


async def test_a_job_is_there_for_its_owner_and_for_those_who_look_after_jobs(
    api: Api, owner: Viewer, stranger: Viewer, administrator: Viewer
) -> None:
    job = await failed(api, owner)
    id = f"job_{job.id}"
    keeper = await api.viewer("keeper", Permission.CANCEL_JOB)
    assert await api.code(None, ONE, id=id) == "UNAUTHENTICATED"
    assert await api.ask(stranger, ONE, id=id) is None
    for reader in (owner, keeper, administrator):
        shown = await api.ask(reader, ONE, id=id)
        assert (shown["workflow"], shown["state"], shown["user"]) == ("CREATE_SAMPLE", "ERROR", {"handle": "owner"})
        assert shown["args"] == {"sample_id": "s1", "file_ids": []}
        assert shown["status"] == [{"state": "WAITING", "stage": None, "progress": 0.0, "at": job.status[0].at}]
        assert shown["error"]["traceback"] == (["File x"] if reader is administrator else [])
        assert shown["error"]["details"] == ["a", "b"]


async def test_jobs_are_filtered_and_ordered(api: Api, owner: Viewer, stranger: Viewer, administrator: Viewer) -> None:
    running = await api.job(owner, state=JobState.RUNNING, progress=0.5)
    waiting = await api.job(owner)
    other = await api.job(stranger)

    async def ids(viewer: Viewer, arguments: str) -> list[Any]:
        page = await api.ask(viewer, f"{{ jobs({arguments}) {{ nodes {{ id }} }} }}")
        return [node["id"].removeprefix("job_") for node in page["nodes"]]

    assert await ids(owner, "first: 9") == [waiting.id, running.id]
    assert await ids(administrator, "first: 9") == [other.id, waiting.id, running.id]
    assert await ids(owner, "orderBy: {field: PROGRESS, direction: DESC}") == [running.id, waiting.id]
    assert await ids(owner, "filter: {state: RUNNING}") == [running.id]
    assert await ids(owner, "filter: {states: [RUNNING, ERROR], workflow: CREATE_SAMPLE}") == [running.id]
    assert await ids(owner, "filter: {workflows: [NUVS]}") == []
    assert await ids(administrator, f'filter: {{userId: "user_{stranger.user_id}"}}') == [other.id]
    assert await ids(owner, 'search: "running"') == [running.id]


async def test_jobs_are_cancelled_and_deleted_with_the_permissions(api: Api, owner: Viewer, stranger: Viewer) -> None:
    job = await api.job(owner)
    input = {"id": f"job_{job.id}"}
    assert await api.code(None, CANCEL, input=input) == "UNAUTHENTICATED"
    assert (await api.ask(stranger, CANCEL, input=input))["errors"] == [{"code": "NOT_FOUND"}]
    assert await api.ask(owner, CANCEL, input=input) == {"job": {"state": "CANCELLED"}, "errors": []}
    assert (await api.ask(owner, CANCEL, input=input))["errors"] == [{"code": "CONFLICT"}]
    assert (await api.ask(owner, DELETE, input=input))["errors"] == [{"code": "FORBIDDEN"}]
    remover = await api.viewer("remover", Permission.REMOVE_JOB)
    assert await api.ask(remover, DELETE, input=input) == {"job": {"id": input["id"]}, "errors": []}
    assert (await api.ask(remover, DELETE, input={"id": "sample_x"}))["errors"] == [{"code": "NOT_FOUND"}]


def write_log(api: Api, job: Job, *texts: str) -> None:
    lines = "".join(f"2026-03-01T00:00:00.000Z {text}\n" for text in texts)
    api.db.places.job_log(job.id).write_text(lines)


async def test_a_log_is_read_in_pages(api: Api, owner: Viewer) -> None:
    job = await api.job(owner)
    id = f"job_{job.id}"
    empty = {"nodes": [], "hasNextPage": False}
    assert (await api.ask(owner, LOG, id=id))["log"] == empty
    write_log(api, job, "one", "two", "three")
    shown = (await api.ask(owner, LOG, id=id, first=2))["log"]
    assert [(line["number"], line["text"]) for line in shown["nodes"]] == [(1, "one"), (2, "two")]
    assert shown["hasNextPage"]
    shown = (await api.ask(owner, LOG, id=id, after=2))["log"]
    assert [line["text"] for line in shown["nodes"]] == ["three"]
    assert not shown["hasNextPage"]
    for arguments in ({"first": 501}, {"first": -1}, {"after": -1}):
        assert await api.code(owner, LOG, id=id, **arguments) == "BAD_USER_INPUT"


async def test_a_log_is_followed_until_the_job_has_ended(api: Api, owner: Viewer) -> None:
    job = await api.job(owner, state=JobState.RUNNING)
    write_log(api, job, "one", "two")
    async with api.subscribed(owner, FOLLOW, id=f"job_{job.id}", after=1) as watched:
        assert await watched.next() == {"number": 2, "text": "two"}
        write_log(api, job, "one", "two", "three")
        await api.db.store.replace(structs.replace(job, state=JobState.COMPLETE))
        assert await watched.next() == {"number": 3, "text": "three"}
        with pytest.raises(StopAsyncIteration):
            await watched.next()


async def test_a_log_is_followed_by_those_who_may_read_the_job(api: Api, owner: Viewer, stranger: Viewer) -> None:
    job = await api.job(owner)
    for id in (f"job_{job.id}", "job_nothere", "sample_x"):
        (error,) = await api.refused(stranger, FOLLOW, id=id)
        assert isinstance(error, NotFound)


async def test_changes_of_jobs_are_told_to_their_owners(api: Api, owner: Viewer, stranger: Viewer) -> None:
    after = await api.cursor(owner)
    await api.job(stranger)
    job = await failed(api, owner)
    watch = """subscription($after: Cursor) { jobs(after: $after) { ids job { state error { message traceback } } } }"""
    async with api.subscribed(owner, watch, after=after) as watched:
        assert await watched.next() == {
            "ids": [f"job_{job.id}"],
            "job": {"state": "ERROR", "error": {"message": "Line 4.", "traceback": []}},
        }
