"""GraphQL over server-sent events: distinct connections."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import orjson
import pytest

from tests.factories.conditions import until
from tests.web.serving import DEADLINE_SECONDS, Stores, Web, served
from virtool_gql.access import Viewer

EVENTS = {"accept": "text/event-stream"}


class Stream:
    """The client's end of a stream."""

    def __init__(self, response: httpx.Response) -> None:
        self.response = response
        self.lines = response.aiter_lines()

    async def hear(self) -> dict[str, str]:
        """Give the next event (its fields), or comment (as the field that has no name)."""
        fields: dict[str, str] = {}
        async with asyncio.timeout(DEADLINE_SECONDS):
            async for line in self.lines:
                if not line:
                    return fields
                name, _, value = line.partition(":")
                fields[name] = value.removeprefix(" ")
        raise EOFError

    async def event(self) -> dict[str, str]:
        while "event" not in (event := await self.hear()):
            pass
        return event

    async def data(self) -> Any:
        event = await self.event()
        assert event["event"] == "next"
        return orjson.loads(event["data"])

    async def over(self) -> bool:
        event = await self.event()
        assert event == {"event": "complete", "data": ""}
        with pytest.raises(EOFError):
            await self.hear()
        return True


@asynccontextmanager
async def streamed(
    web: Web, query: str, headers: dict[str, str] | None = None, method: str = "POST", **more: Any
) -> AsyncIterator[Stream]:
    request = {"query": query, **more}
    sent: dict[str, Any] = {"json": request} if method == "POST" else {"params": request}
    async with (
        web.client({**EVENTS, **(headers or {})}) as client,
        client.stream(method, "/graphql", **sent) as response,
    ):
        assert response.status_code == 200
        assert response.headers["content-type"] == "text/event-stream; charset=utf-8"
        assert response.headers["cache-control"] == "no-store"
        yield Stream(response)


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_subscription_streams_and_completes(web: Web, method: str) -> None:
    async with streamed(web, "subscription { lines { number } }", method=method) as stream:
        for number in (1, 2, 3):
            event = await stream.event()
            assert (event["event"], event["id"]) == ("next", str(number))
            assert orjson.loads(event["data"]) == {"data": {"lines": {"number": number}}}
        assert await stream.over()


async def test_changes_carry_their_cursor_as_the_id(web: Web, ada: Viewer) -> None:
    start = await web.db.hub.cursor()
    query = f'subscription {{ files(after: "{start}") {{ ids cursor }} }}'
    async with streamed(web, query, await web.cookie(ada)) as stream:
        file = await web.api.file(ada)
        event = await stream.event()
        change = orjson.loads(event["data"])["data"]["files"]
        assert change == {"ids": [file.id], "cursor": event["id"]}


async def test_last_event_id_resumes(web: Web, ada: Viewer) -> None:
    start = await web.db.hub.cursor()
    files = [(await web.api.file(ada)).id for _ in range(3)]
    cookie = await web.cookie(ada)
    query = f'subscription {{ files(after: "{start}") {{ ids }} }}'
    async with streamed(web, query, cookie) as stream:
        place = (await stream.event())["id"]
    for again in (query, "subscription { files { ids } }", "subscription($a: String) { files(after: $a) { ids } }"):
        async with streamed(web, again, {**cookie, "last-event-id": place}) as stream:
            assert [(await stream.data())["data"]["files"]["ids"] for _ in range(2)] == [[files[1]], [files[2]]]
    async with streamed(web, "subscription { lines { number } }", {"last-event-id": "2"}) as stream:
        assert (await stream.data())["data"]["lines"] == {"number": 3}


async def test_queries_and_mutations_stream_too(web: Web) -> None:
    for query in ("{ name }", "mutation { wait(seconds: 0) }"):
        async with streamed(web, query) as stream:
            assert "data" in await stream.data()
            assert await stream.over()


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("subscription {", "GRAPHQL_PARSE_FAILED"),
        ("subscription { nothing }", "GRAPHQL_VALIDATION_FAILED"),
        ("subscription { files { ids } }", "UNAUTHENTICATED"),
        ("subscription($n: Int!) { lines(last: $n) { number } }", "BAD_USER_INPUT"),
    ],
)
async def test_an_operation_that_cannot_run_is_told_in_the_stream(web: Web, query: str, code: str) -> None:
    async with streamed(web, query) as stream:
        result = await stream.data()
        assert result["errors"][0]["extensions"]["code"] == code
        assert await stream.over()


async def test_what_is_no_request_is_refused_as_json(web: Web) -> None:
    async with web.client(EVENTS) as client:
        assert (await client.post("/graphql", json={})).status_code == 400
        assert (await client.get("/graphql", params={"query": "mutation { wait(seconds: 0) }"})).status_code == 405
        bad_key = {"authorization": "Bearer wrong"}
        assert (await client.post("/graphql", json={"query": "{ name }"}, headers=bad_key)).status_code == 401


async def test_a_quiet_stream_is_kept_alive(stores: Stores) -> None:
    async with served(stores, keep_alive_seconds=0.1) as web:
        cookie = await web.cookie(await web.api.viewer("ada"))
        async with streamed(web, "subscription { files { ids } }", cookie) as stream:
            for _ in range(3):
                assert await stream.hear() == {"": ""}


async def test_an_ended_session_ends_its_streams(web: Web, ada: Viewer) -> None:
    token = await web.token(ada)
    headers = {"cookie": f"virtool_session={token}"}
    async with streamed(web, "subscription { files { ids } }", headers) as stream:
        await web.db.sign_in.logout(token)
        result = await stream.data()
        assert result["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
        assert await stream.over()


async def test_a_user_has_at_most_so_many_streams(stores: Stores) -> None:
    async with served(stores, streams_per_user=1) as web:
        cookie = await web.cookie(await web.api.viewer("ada"))
        query = "subscription { files { ids } }"
        async with streamed(web, query, cookie), web.client({**EVENTS, **cookie}) as client:
            response = await client.post("/graphql", json={"query": query})
            assert response.status_code == 429
        await until(lambda: not web.edge.presence._connections)


async def test_a_client_that_goes_leaves_nothing_behind(web: Web, ada: Viewer) -> None:
    async with streamed(web, "subscription { files { ids } }", await web.cookie(ada)):
        await until(lambda: web.edge.cohorts._all)
    await until(lambda: not web.edge.cohorts._all)
    await until(lambda: not web.edge.presence._connections)


async def test_a_client_that_does_not_read_is_ended_with_its_last_cursor(stores: Stores) -> None:
    async with served(stores, waiting_bytes=1_000_000) as web:
        ada = await web.api.viewer("ada", administrator=True)
        query = "subscription { files { filler(size: 300000) } }"
        async with streamed(web, query, await web.cookie(ada)) as stream:
            await until(lambda: web.edge.cohorts._all)
            while web.edge.cohorts._all:
                await web.api.file(ada)
            place = None
            while "id" in (event := await stream.event()):
                place = event["id"]
            extensions = orjson.loads(event["data"])["errors"][0]["extensions"]
            assert (extensions["code"], extensions["cursor"]) == ("SLOW_CONSUMER", place)
            assert await stream.over()
