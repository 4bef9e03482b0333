"""Thousands of changes at once, as an import makes them, over real sockets."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest

from tests.factories.conditions import until
from tests.web.serving import Peer, Stores, Web, served
from tests.web.test_sse import streamed
from virtool_gql.models.documents import Timestamp
from virtool_gql.models.files import File, FileType

AT = Timestamp("2026-01-02T03:04:05.678Z")
MANY = 3_000
SUBSCRIPTION = "subscription %s { files { ids cursor filler(size: 3000) } }"


@pytest.fixture
async def narrow(stores: Stores) -> AsyncIterator[Web]:
    """Give a server that lets few frames wait for a connection."""
    async with served(stores, waiting_frames=40) as web:
        yield web


def file(number: int) -> File:
    return File(id=f"{number:08}", name=f"{number}.fq", type=FileType.READS, user_id=None, created_at=AT)


async def burst(web: Web) -> list[str]:
    """Make thousands of changes in one transaction; give what they are of."""
    files = [file(number) for number in range(MANY)]
    async with web.db.store.transaction() as transaction:
        await transaction.insert(*files)
    return [file.id for file in files]


async def subscribed(stack: AsyncExitStack, web: Web, name: str, query: str, **more: object) -> Peer:
    cookie = await web.cookie(await web.api.viewer(name))
    peer = await stack.enter_async_context(web.socket(cookie, **more))  # type: ignore[arg-type] # settings of the client
    await peer.ask("1", query)
    return peer


async def ids_of(peer: Peer) -> list[str]:
    """Read until all have come, or something else."""
    ids: list[str] = []
    while len(ids) < MANY and (message := await peer.hear())["type"] == "next":
        ids += message["payload"]["data"]["files"]["ids"]
    return ids


async def cohorts(web: Web, count: int) -> None:
    await until(lambda: len(web.edge.cohorts._all) == count)


async def test_everybody_who_reads_gets_all_of_a_burst_in_order(narrow: Web) -> None:
    async with AsyncExitStack() as stack:
        names = ["ada", "bob", "cid"]
        peers = [await subscribed(stack, narrow, name, SUBSCRIPTION % name) for name in names]
        await cohorts(narrow, len(names))
        readers = [asyncio.create_task(ids_of(peer)) for peer in peers]
        expected = await burst(narrow)
        assert await asyncio.gather(*readers) == [expected] * len(names)
        assert len(narrow.edge.cohorts._all) == len(names)


async def test_one_that_reads_more_slowly_than_changes_come_gets_all_of_them(narrow: Web) -> None:
    large = "subscription { files { ids filler(size: 8000) } }"
    async with AsyncExitStack() as stack:
        peer = await subscribed(stack, narrow, "ada", large, max_queue=1)
        await cohorts(narrow, 1)
        expected = await burst(narrow)
        got: list[str] = []
        while len(got) < MANY and (message := await peer.hear())["type"] == "next":
            got += message["payload"]["data"]["files"]["ids"]
            await asyncio.sleep(0.0005)  # its pace
    assert got == expected


async def test_event_streams_too_get_all_of_a_burst(narrow: Web) -> None:
    cookie = await narrow.cookie(await narrow.api.viewer("ada"))
    async with streamed(narrow, SUBSCRIPTION % "", cookie) as stream:
        await cohorts(narrow, 1)
        expected = await burst(narrow)
        got = [(await stream.data())["data"]["files"]["ids"] for _ in range(MANY)]
    assert got == [[id] for id in expected]


async def test_one_that_takes_nothing_of_a_burst_ends_with_its_cursor_and_the_others_do_not(narrow: Web) -> None:
    async with AsyncExitStack() as stack:
        cookie = await narrow.cookie(await narrow.api.viewer("ada"))
        stuck = await stack.enter_async_context(narrow.socket(cookie, max_queue=1))
        quick = await stack.enter_async_context(narrow.socket(cookie))
        for peer in (stuck, quick):
            await peer.ask("1", SUBSCRIPTION % "")
        await until(lambda: sum(len(cohort.members) for cohort in narrow.edge.cohorts._all) == 2)
        reading = asyncio.create_task(ids_of(quick))
        expected = await burst(narrow)
        assert await reading == expected
        got, cursor = [], None
        while (message := await stuck.hear())["type"] == "next":
            got += message["payload"]["data"]["files"]["ids"]
            cursor = message["payload"]["data"]["files"]["cursor"]
        extensions = message["payload"][0]["extensions"]
        assert (extensions["code"], extensions["cursor"]) == ("SLOW_CONSUMER", cursor)
        assert 0 < len(got) < MANY
        await stuck.ask("2", f'subscription {{ files(after: "{cursor}") {{ ids }} }}')
        rest = [(await stuck.hear())["payload"]["data"]["files"]["ids"] for _ in expected[len(got) :]]
        assert got + [id for ids in rest for id in ids] == expected


async def test_others_are_answered_during_a_burst(narrow: Web) -> None:
    answers = 0

    async def asking() -> None:
        nonlocal answers
        async with narrow.client() as client:
            while True:
                response = await client.post("/graphql", json={"query": "{ slow(seconds: 0) }"})
                answers += response.json()["data"] == {"slow": "done"}

    async with AsyncExitStack() as stack:
        names = ["ada", "bob", "cid"]
        peers = [await subscribed(stack, narrow, name, SUBSCRIPTION % name) for name in names]
        await cohorts(narrow, len(names))
        expected = await burst(narrow)
        asker = asyncio.create_task(asking())
        assert await asyncio.gather(*map(ids_of, peers)) == [expected] * len(names)
        asker.cancel()
        await asyncio.gather(asker, return_exceptions=True)
    assert answers > 20
