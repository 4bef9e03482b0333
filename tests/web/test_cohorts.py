"""Subscriptions that share an execution, and those that must not."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest

from schema.context import Caller
from tests.factories.conditions import until
from tests.web.probe import EXECUTED, STUBBORN
from tests.web.serving import Peer, Stores, Web, served
from tests.web.test_sse import streamed
from virtool_gql.access import Viewer
from virtool_gql.web.cohorts import EVENTS_AT_ONCE, Turns, identity_of

TRACED = "subscription { files { ids traced handle } }"


@pytest.fixture
async def crowd(stores: Stores) -> AsyncIterator[Web]:
    async with served(stores, sockets_per_user=100) as web:
        EXECUTED.clear()
        yield web


async def members(web: Web, count: int) -> None:
    await until(lambda: sum(len(cohort.members) for cohort in web.edge.cohorts._all) == count)


async def subscribed(stack: AsyncExitStack, web: Web, headers: dict[str, str], query: str, **more: object) -> Peer:
    peer = await stack.enter_async_context(web.socket(headers))
    await peer.ask("1", query, **more)
    return peer


async def handles(peers: list[Peer]) -> list[str]:
    return [(await peer.hear())["payload"]["data"]["files"]["handle"] for peer in peers]


async def test_the_same_subscription_of_a_user_is_executed_once(crowd: Web) -> None:
    ada = await crowd.api.viewer("ada")
    sessions = [await crowd.cookie(ada) for _ in range(2)]
    async with AsyncExitStack() as stack:
        peers = [await subscribed(stack, crowd, sessions[number % 2], TRACED) for number in range(20)]
        await members(crowd, 20)
        assert len(crowd.edge.cohorts._all) == 1
        for _ in range(2):
            await crowd.api.file(ada)
            assert await handles(peers) == ["ada"] * 20
    assert len(EXECUTED) == 2
    await until(lambda: not crowd.edge.cohorts._all)


async def test_others_never_share(crowd: Web) -> None:
    ada, bob = await crowd.api.viewer("ada", administrator=True), await crowd.api.viewer("bob")
    key = await crowd.key(ada)
    async with AsyncExitStack() as stack:
        peers = [
            await subscribed(stack, crowd, headers, TRACED)
            for headers in (await crowd.cookie(ada), await crowd.cookie(bob), key)
        ]
        await members(crowd, 3)
        assert len(crowd.edge.cohorts._all) == 3
        await crowd.api.file(ada)
        assert await handles(peers) == ["ada", "bob", "ada"]
    assert len(EXECUTED) == 3


@pytest.mark.parametrize(
    ("query", "more"),
    [
        ("subscription { files { ids traced handle: handle } }", {}),
        ("subscription A { files { ids traced handle } }", {"operationName": "A"}),
        ("subscription($a: String) { files(after: $a) { ids traced handle } }", {"variables": {"a": None}}),
    ],
)
async def test_another_document_or_other_variables_do_not_share(
    crowd: Web, query: str, more: dict[str, object]
) -> None:
    cookie = await crowd.cookie(await crowd.api.viewer("ada"))
    async with AsyncExitStack() as stack:
        await subscribed(stack, crowd, cookie, TRACED)
        await subscribed(stack, crowd, cookie, query, **more)
        await members(crowd, 2)
        assert len(crowd.edge.cohorts._all) == 2


async def test_one_that_resumes_gets_what_it_missed_and_not_what_others_get(crowd: Web) -> None:
    ada = await crowd.api.viewer("ada")
    cookie = await crowd.cookie(ada)
    start = await crowd.db.hub.cursor()
    query = "subscription($a: String) { files(after: $a) { ids } }"
    files = [(await crowd.api.file(ada)).id for _ in range(3)]
    async with AsyncExitStack() as stack:
        for _ in range(2):
            peer = await subscribed(stack, crowd, cookie, query, variables={"a": start})
            assert [(await peer.hear())["payload"]["data"]["files"]["ids"] for _ in files] == [[id] for id in files]


async def test_sources_that_are_no_changes_are_never_shared(crowd: Web) -> None:
    cookie = await crowd.cookie(await crowd.api.viewer("ada"))
    async with AsyncExitStack() as stack:
        peers = [await subscribed(stack, crowd, cookie, "subscription { lines { number } }") for _ in range(2)]
        for peer in peers:
            assert [(await peer.hear())["payload"]["data"]["lines"]["number"] for _ in range(3)] == [1, 2, 3]


async def test_one_that_leaves_does_not_disturb_the_others(crowd: Web) -> None:
    ada = await crowd.api.viewer("ada")
    cookie = await crowd.cookie(ada)
    async with AsyncExitStack() as stack:
        first, second = [await subscribed(stack, crowd, cookie, TRACED) for _ in range(2)]
        await members(crowd, 2)
        await first.tell(id="1", type="complete")
        await members(crowd, 1)
        await crowd.api.file(ada)
        assert await handles([second]) == ["ada"]


async def test_a_cohort_that_all_have_left_ends_although_its_source_swallows_the_cancellation(crowd: Web) -> None:
    STUBBORN.clear()
    cookie = await crowd.cookie(await crowd.api.viewer("ada"))
    async with crowd.socket(cookie) as peer:
        await peer.ask("1", "subscription { stubborn { number } }")
        await until(lambda: STUBBORN)
        await peer.tell(id="1", type="complete")
        [task] = STUBBORN
        assert task is not None
        await until(task.done)


async def test_closing_waits_for_the_cohorts_that_all_have_left(stores: Stores) -> None:
    STUBBORN.clear()
    async with served(stores) as web:
        cookie = await web.cookie(await web.api.viewer("ada"))
        async with web.socket(cookie) as peer:
            await peer.ask("1", "subscription { stubborn { number } }")
            await until(lambda: STUBBORN)
            await peer.tell(id="1", type="complete")
            await until(lambda: not web.edge.cohorts._all)
    assert all(task is not None and task.done() for task in STUBBORN)


async def test_a_socket_and_an_event_stream_share(crowd: Web) -> None:
    ada = await crowd.api.viewer("ada")
    cookie = await crowd.cookie(ada)
    async with AsyncExitStack() as stack:
        peer = await subscribed(stack, crowd, cookie, TRACED)
        stream = await stack.enter_async_context(streamed(crowd, TRACED, cookie))
        await members(crowd, 2)
        assert len(crowd.edge.cohorts._all) == 1
        await crowd.api.file(ada)
        assert (await stream.data())["data"] == (await peer.hear())["payload"]["data"]
    assert len(EXECUTED) == 1


async def test_turns_are_given_a_few_at_a_time_in_order() -> None:
    turns, taken, passes = Turns(), list[int](), 0

    async def take(number: int) -> None:
        await turns.take()
        taken.append(number)

    tasks = [asyncio.create_task(take(number)) for number in range(10 * EVENTS_AT_ONCE)]
    tasks[3].cancel()
    while not all(task.done() for task in tasks):
        before = len(taken)
        await asyncio.sleep(0)
        assert len(taken) - before <= EVENTS_AT_ONCE
        passes += 1
    assert passes >= 10
    assert taken == [number for number in range(10 * EVENTS_AT_ONCE) if number != 3]
    async with asyncio.timeout(5):
        await turns.take()


def test_identities_of_strangers_are_nothing() -> None:
    assert identity_of(Caller(None, "192.0.2.1")) is None
    assert identity_of(Caller(Viewer(user_id="u", handle="h", key_id="k"), "192.0.2.1")) == ("u", "k")
