import asyncio

from tests.factories.api import Api
from tests.factories.groups import stored_group
from virtool_gql.access import Viewer
from virtool_gql.errors import BadUserInput, Unauthenticated

WATCH = """subscription($collections: [Collection!], $after: Cursor) {
    changes(collections: $collections, after: $after) {
    __typename cursor operation ids ... on SampleChange { sample { name } } ... on FileChange { file { name } } } }"""


async def test_changes_of_several_collections_come_in_one_order_by_the_rights_of_each(
    api: Api, owner: Viewer, stranger: Viewer
) -> None:
    after = await api.cursor(owner)
    await api.job(owner)
    file = await api.file(owner, name="reads.fq")
    await api.sample(owner, all_read=False)
    await stored_group(api.db, "Virologists")
    sample = await api.sample(owner, name="Raspberry")
    async with api.subscribed(stranger, WATCH, after=after) as watched:
        told = [await watched.next() for _ in range(3)]
    assert [(change["__typename"], change["ids"]) for change in told[::2]] == [
        ("FileChange", [f"file_{file.id}"]),
        ("SampleChange", [f"sample_{sample.id}"]),
    ]
    assert told[1]["__typename"] == "GroupChange"
    assert told[0]["file"] == {"name": "reads.fq"}
    assert told[2]["sample"] == {"name": "Raspberry"}
    async with api.subscribed(stranger, WATCH, after=told[0]["cursor"], collections=["SAMPLES", "JOBS"]) as watched:
        assert await watched.next() == told[2]


async def test_a_stranger_subscribes_to_nothing(api: Api) -> None:
    for field in ("changes", "samples", "files", "jobs", "users", "groups"):
        (error,) = await api.refused(None, f"subscription {{ {field} {{ ids }} }}")
        assert isinstance(error, Unauthenticated)
    (error,) = await api.refused(None, 'subscription { jobLog(id: "job_x") { text } }')
    assert isinstance(error, Unauthenticated)


async def test_what_is_no_cursor_is_refused(api: Api, owner: Viewer) -> None:
    async with api.subscribed(owner, WATCH, after="not a cursor") as watched:
        try:
            await watched.next()
        except BadUserInput:
            return
    raise AssertionError("a text that is no cursor was taken for one")


async def test_changes_are_live(api: Api, owner: Viewer) -> None:
    async with api.subscribed(owner, WATCH, collections=["FILES"]) as watched:
        first = asyncio.create_task(watched.next())
        async with asyncio.timeout(10):
            while not first.done():
                await api.file(owner)
                await asyncio.wait([first], timeout=0.05)
        assert first.result()["__typename"] == "FileChange"
