"""What ends somebody's credentials ends all that they opened, on the running product."""

import asyncio
import contextlib
import json
import secrets
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosedError

from tests.live.server import PASSWORD, LiveServer, SignedIn

LATEST_SECONDS = 2.0
DEADLINE_SECONDS = 10.0
SIGNED_OUT = 4403
WATCH = "subscription { files { ids } }"
CREATE = """mutation($i: CreateUserInput!) { createUser(input: $i) { user { id } errors { message } } }"""
UPDATE = """mutation($i: UpdateUserInput!) { updateUser(input: $i) { user { id } errors { message } } }"""
ACCOUNT = """mutation($i: UpdateAccountInput!) { updateAccount(input: $i) { viewer { handle } errors { message } } }"""
LOGIN = """mutation($i: LoginInput!) { login(input: $i) { viewer { handle } resetCode errors { message } } }"""
RESET = """mutation($i: ResetPasswordInput!) { resetPassword(input: $i) {
    viewer { handle } resetCode errors { message } } }"""
KEY = """mutation($i: CreateApiKeyInput!) { createApiKey(input: $i) { key errors { message } } }"""
END_OTHERS = "mutation { endOtherSessions { count errors { message } } }"
OWN_PASSWORD = "her own password"
NEW_PASSWORD = "another password"

Headers = dict[str, str]


async def asked(server: LiveServer, headers: Headers, query: str, **variables: Any) -> dict[str, Any]:
    """Ask as a client of its own would; give the whole answer."""
    async with httpx.AsyncClient(base_url=server.url, timeout=60, headers=headers) as client:
        response = await client.post("/graphql", json={"query": query, "variables": variables})
    return dict(response.json())


async def logged_in(server: LiveServer, handle: str) -> Headers:
    """Sign in; give the header of the requests that follow."""
    async with httpx.AsyncClient(base_url=server.url, timeout=60) as client:
        body = {"query": LOGIN, "variables": {"i": {"handle": handle, "password": OWN_PASSWORD}}}
        login = (await client.post("/graphql", json=body)).json()["data"]["login"]
        assert login["viewer"] == {"handle": handle}
        return {"cookie": f"virtool_session={client.cookies['virtool_session']}"}


class Watcher:
    """A WebSocket or an event stream, read to its end."""

    def __init__(self, messages: AsyncIterator[str]) -> None:
        self.heard: list[str] = []
        self.task = asyncio.create_task(self._read(messages))

    async def _read(self, messages: AsyncIterator[str]) -> float:
        async for message in messages:
            self.heard.append(message)
        return asyncio.get_running_loop().time()

    async def ended(self) -> float:
        """Wait for the end; give the moment of it."""
        async with asyncio.timeout(DEADLINE_SECONDS):
            return await asyncio.shield(self.task)

    async def told_of(self, file_id: str) -> None:
        async with asyncio.timeout(DEADLINE_SECONDS):
            while not any(file_id in message for message in self.heard):
                assert not self.task.done()
                await asyncio.sleep(0.01)  # what a client hears sets no event


@asynccontextmanager
async def socket(server: LiveServer, headers: Headers) -> AsyncIterator[Watcher]:
    url = server.url.replace("http", "ws") + "/graphql"
    sent = {"origin": server.url, **headers}
    async with connect(url, subprotocols=["graphql-transport-ws"], additional_headers=sent) as connection:  # type: ignore[list-item] # a NewType of str
        await connection.send(json.dumps({"type": "connection_init"}))
        assert json.loads(await connection.recv())["type"] == "connection_ack"
        await connection.send(json.dumps({"id": "1", "type": "subscribe", "payload": {"query": WATCH}}))

        async def messages() -> AsyncIterator[str]:
            with contextlib.suppress(ConnectionClosedError):  # a signed-out socket closes with a code of its own
                async for message in connection:
                    yield str(message)
            assert connection.close_code == SIGNED_OUT

        async with reading(messages()) as watcher:
            yield watcher


@asynccontextmanager
async def stream(server: LiveServer, headers: Headers) -> AsyncIterator[Watcher]:
    sent = {"accept": "text/event-stream", **headers}
    async with (
        httpx.AsyncClient(base_url=server.url, timeout=60, headers=sent) as client,
        client.stream("POST", "/graphql", json={"query": WATCH}) as response,
        reading(response.aiter_lines()) as watcher,
    ):
        yield watcher


@asynccontextmanager
async def reading(messages: AsyncIterator[str]) -> AsyncIterator[Watcher]:
    watcher = Watcher(messages)
    try:
        yield watcher
    finally:
        watcher.task.cancel()
        await asyncio.wait([watcher.task])


@asynccontextmanager
async def watching(server: LiveServer, *who: Headers) -> AsyncIterator[list[Watcher]]:
    """Open a socket and a stream for each."""
    async with AsyncExitStack() as stack:
        yield [
            await stack.enter_async_context(open_one(server, headers))
            for headers in who
            for open_one in (socket, stream)
        ]


@pytest.fixture
def bob(client: SignedIn) -> tuple[str, str]:
    """Give the id and handle of a user who can sign in with OWN_PASSWORD."""
    handle = f"bob {secrets.token_hex(4)}"
    made = client.run(CREATE, i={"handle": handle, "password": OWN_PASSWORD, "forceReset": False})["createUser"]
    assert made["errors"] == []
    return made["user"]["id"], handle


async def key_of(server: LiveServer, cookie: Headers) -> Headers:
    answer = await asked(server, cookie, KEY, i={"name": "A key"})
    return {"authorization": f"Bearer {answer['data']['createApiKey']['key']}"}


async def is_out(server: LiveServer, headers: Headers) -> bool:
    answer = await asked(server, headers, "{ viewer { handle } }")
    return "errors" in answer or answer["data"]["viewer"] is None


async def ended_in_time(watchers: list[Watcher], since: float) -> None:
    """Wait until all have ended, soon enough after what ended them was answered."""
    for watcher in watchers:
        assert await watcher.ended() - since < LATEST_SECONDS


@pytest.mark.parametrize(
    "change",
    [{"password": NEW_PASSWORD}, {"forceReset": True}, {"active": False}, {"administrator": True}],
    ids=["password", "force reset", "deactivation", "role"],
)
async def test_an_administrators_change_ends_all_that_a_user_opened(
    server: LiveServer, client: SignedIn, bob: tuple[str, str], change: dict[str, Any]
) -> None:
    id, handle = bob
    cookies = [await logged_in(server, handle) for _ in range(2)]
    key = await key_of(server, cookies[0])
    async with watching(server, *cookies, key) as watchers:
        assert not any([await is_out(server, headers) for headers in (*cookies, key)])
        assert client.run(UPDATE, i={"id": id, **change})["updateUser"]["errors"] == []
        done = asyncio.get_running_loop().time()
        assert all([await is_out(server, headers) for headers in (*cookies, key)])
        await ended_in_time(watchers, done)
    login = (await asked(server, {}, LOGIN, i={"handle": handle, "password": OWN_PASSWORD}))["data"]["login"]
    told = {
        "password": "Invalid username or password.",
        "active": "User is deactivated. Ask an administrator to activate you.",
    }
    assert [error["message"] for error in login["errors"]] == [told[name] for name in change if name in told]
    assert (login["resetCode"] is not None) == ("forceReset" in change)


async def test_an_own_new_password_leaves_what_its_session_opened(
    server: LiveServer, client: SignedIn, bob: tuple[str, str], tmp_path: Any
) -> None:
    own, other = [await logged_in(server, bob[1]) for _ in range(2)]
    key = await key_of(server, own)
    change = {"oldPassword": OWN_PASSWORD, "password": NEW_PASSWORD}
    async with watching(server, own) as staying, watching(server, other, key) as ending:
        answer = await asked(server, own, ACCOUNT, i=change)
        done = asyncio.get_running_loop().time()
        assert answer["data"]["updateAccount"] == {"viewer": {"handle": bob[1]}, "errors": []}
        await ended_in_time(ending, done)
        reads = tmp_path / "reads.fq"
        reads.write_text("@r\nACGT\n+\nIIII\n")
        file_id = client.upload(reads)
        for watcher in staying:
            await watcher.told_of(file_id)
    assert [await is_out(server, headers) for headers in (own, other, key)] == [False, True, True]
    assert not await is_out(server, await key_of(server, own))


async def test_ending_other_sessions_ends_what_they_opened(server: LiveServer, bob: tuple[str, str]) -> None:
    own, other = [await logged_in(server, bob[1]) for _ in range(2)]
    async with watching(server, own) as staying, watching(server, other) as ending:
        answer = await asked(server, own, END_OTHERS)
        done = asyncio.get_running_loop().time()
        assert answer["data"]["endOtherSessions"] == {"count": 1, "errors": []}
        await ended_in_time(ending, done)
        assert not any(watcher.task.done() for watcher in staying)


async def test_a_forced_reset_is_walked_through(server: LiveServer, client: SignedIn, bob: tuple[str, str]) -> None:
    id, handle = bob
    client.run(UPDATE, i={"id": id, "forceReset": True})
    async with httpx.AsyncClient(base_url=server.url, timeout=60) as browser:

        async def run(query: str, **input: Any) -> dict[str, Any]:
            response = await browser.post("/graphql", json={"query": query, "variables": {"i": input}})
            return dict(next(iter(response.json()["data"].values())))

        login = await run(LOGIN, handle=handle, password=OWN_PASSWORD, remember=True)
        assert (login["viewer"], login["errors"], dict(browser.cookies)) == (None, [], {})
        failed = await run(RESET, resetCode=login["resetCode"], password="short")
        assert (failed["viewer"], dict(browser.cookies)) == (None, {})
        again = await run(RESET, resetCode=login["resetCode"], password=NEW_PASSWORD)
        assert [error["message"] for error in again["errors"]] == ["Invalid reset code. Sign in again for another."]
        done = await run(RESET, resetCode=failed["resetCode"], password=NEW_PASSWORD)
        assert done == {"viewer": {"handle": handle}, "resetCode": None, "errors": []}
        [cookie] = browser.cookies.jar
        assert cookie.expires is not None
        assert not cookie.is_expired(now=int(cookie.expires) - 60)
        answer = await browser.post("/graphql", json={"query": "{ viewer { handle sessions { current remember } } }"})
    sessions = [{"current": True, "remember": True}]
    assert answer.json()["data"]["viewer"] == {"handle": handle, "sessions": sessions}


@pytest.mark.parametrize("length", [1_000_000, 10_000_000])
async def test_huge_passwords_hold_up_nobody(server: LiveServer, bob: tuple[str, str], length: int) -> None:
    cookie = await logged_in(server, bob[1])
    huge = "x" * length
    for headers, query, input in (
        ({}, LOGIN, {"handle": bob[1], "password": huge}),
        ({}, RESET, {"resetCode": "code", "password": huge}),
        (cookie, ACCOUNT, {"oldPassword": OWN_PASSWORD, "password": huge}),
    ):
        answer = await asked(server, headers, query, i=input)
        if length > 1024 * 1024:
            assert answer["errors"][0]["extensions"]["code"] == "PAYLOAD_TOO_LARGE"
        else:
            assert "errors" not in answer
            assert next(iter(answer["data"].values()))["errors"]
    assert not await is_out(server, cookie)
    assert PASSWORD not in server.log.read_text()
