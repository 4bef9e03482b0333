"""The world outside on one local port: GitHub's API, NCBI, hosts of manifests and files, and all of their failures."""

import asyncio
import gzip
import hashlib
import json
import threading
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qs, urlsplit

from redis.asyncio import Redis

from tests.factories.database import LIMITS
from virtool_gql.config import Config
from virtool_gql.db.database import Database
from virtool_gql.db.outside import Outside
from virtool_gql.http import Client

SLUG = "virtool/ref-plant-viruses"


@dataclass(frozen=True, slots=True)
class Asked:
    """One request that came."""

    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]


@dataclass(slots=True)
class Reply:
    """One answer. `told` is the size that it is said to have (None: none is said), `cut` after how many bytes it ends.

    `pause` seconds lie between one `piece` bytes and the next. One that `hangs` never comes.
    """

    body: bytes = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    told: int | None = -1
    cut: int | None = None
    piece: int = 65_536
    pause: float = 0.0
    hangs: bool = False
    chunked: bool = False
    ranges: bool = True


def json_reply(value: Any, **values: Any) -> Reply:
    return Reply(json.dumps(value).encode(), headers={"content-type": "application/json"}, **values)


def gzipped(reply: Reply) -> Reply:
    """Give the reply compressed for the way."""
    headers = {**reply.headers, "content-encoding": "gzip"}
    return Reply(gzip.compress(reply.body), reply.status, headers)


def limited(seconds: float, now: float) -> Reply:
    """Give GitHub's answer to whoever has asked too often; it ends so many seconds after `now`."""
    headers = {"x-ratelimit-limit": "60", "x-ratelimit-remaining": "0", "x-ratelimit-reset": str(int(now + seconds))}
    return Reply(b'{"message": "API rate limit exceeded"}', 403, headers)


Answering = Reply | Callable[[Asked], Reply]


class World:
    """Answers by path, each with what is set for it: the first of several once, the last for ever."""

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.url = ""
        self._answers: dict[str, list[Answering]] = defaultdict(list)
        self._open: set[asyncio.Task[None]] = set()

    def set(self, path: str, *answers: Answering) -> None:
        self._answers[path] = list(answers)

    def paths(self) -> list[str]:
        return [asked.path for asked in self.asked]

    def release(self, name: str, body: bytes = b"", *, id: int = 1, **values: Any) -> dict[str, Any]:
        """Give a release as GitHub tells of it, and have its file."""
        path = f"/download/{name}/reference.json.gz"
        self.set(path, Reply(body, headers={"etag": f'"{hashlib.sha256(body).hexdigest()}"'}))
        asset = {
            "name": "reference.json.gz",
            "size": len(body),
            "browser_download_url": f"{self.url}{path}",
            "content_type": "application/gzip",
        }
        told = {
            "id": id,
            "tag_name": name,
            "name": name,
            "body": f"What is new in {name}",
            "html_url": f"https://github.com/{SLUG}/releases/tag/{name}",
            "published_at": "2026-02-03T04:05:06Z",
            "draft": False,
            "prerelease": False,
            "assets": [asset],
        }
        return told | values

    def publish(self, *releases: dict[str, Any], slug: str = SLUG) -> None:
        """Have releases on GitHub, the latest one first, which is not told again to whoever knows it."""
        self.set(f"/repos/{slug}/releases/latest", _unless_known(releases[0]) if releases else Reply(status=404))
        self.set(f"/repos/{slug}/releases", _unless_known(list(releases)))
        for release in releases:
            self.set(f"/repos/{slug}/releases/{release['id']}", json_reply(release))

    @asynccontextmanager
    async def open(self) -> AsyncIterator["World"]:
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        try:
            yield self
        finally:
            server.close()
            for task in self._open:
                task.cancel()
            await asyncio.gather(*self._open, return_exceptions=True)
            await server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._open.add(task)
        try:
            with suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
                while await self._answered(reader, writer):
                    pass
        finally:
            self._open.discard(task)
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()

    async def _answered(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Answer one request; tell whether another may follow on the connection."""
        first, *lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        target = urlsplit(first.split(" ")[1])
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines if line)}
        query = {name: values[0] for name, values in parse_qs(target.query).items()}
        asked = Asked(target.path, query, headers)
        self.asked.append(asked)
        reply = self._reply(asked)
        if reply.hangs:
            await asyncio.Event().wait()
        return await _send(writer, _part(asked, reply))

    def _reply(self, asked: Asked) -> Reply:
        answers = self._answers.get(asked.path)
        if not answers:
            return Reply(b'{"message": "Not Found"}', 404)
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        return answer if isinstance(answer, Reply) else answer(asked)


def _unless_known(value: Any) -> Callable[[Asked], Reply]:
    etag = f'W/"{hashlib.sha256(json.dumps(value).encode()).hexdigest()[:16]}"'

    def reply(asked: Asked) -> Reply:
        if asked.headers.get("if-none-match") == etag:
            return Reply(status=304, headers={"etag": etag})
        told = json_reply(value)
        return Reply(told.body, headers={**told.headers, "etag": etag})

    return reply


def _part(asked: Asked, reply: Reply) -> Reply:
    """Give what was asked for of a reply: all of it, or all from a byte on."""
    wanted = asked.headers.get("range", "").removeprefix("bytes=").removesuffix("-")
    if not (wanted and reply.ranges and reply.status == HTTPStatus.OK):
        return reply
    if asked.headers.get("if-range") != reply.headers.get("etag"):
        return reply
    begin, size = int(wanted), len(reply.body)
    if begin >= size:
        return Reply(status=416, headers={"content-range": f"bytes */{size}"})
    headers = {**reply.headers, "content-range": f"bytes {begin}-{size - 1}/{size}"}
    return Reply(reply.body[begin:], 206, headers, cut=reply.cut, piece=reply.piece, pause=reply.pause)


async def _send(writer: asyncio.StreamWriter, reply: Reply) -> bool:
    told = len(reply.body) if reply.told == -1 else reply.told
    headers = dict(reply.headers)
    if reply.chunked:
        headers["transfer-encoding"] = "chunked"
    elif told is not None:
        headers["content-length"] = str(told)
    else:
        headers["connection"] = "close"
    lines = [f"HTTP/1.1 {reply.status} {HTTPStatus(reply.status).phrase}", *(f"{n}: {v}" for n, v in headers.items())]
    writer.write(("\r\n".join(lines) + "\r\n\r\n").encode())
    body = reply.body if reply.cut is None else reply.body[: reply.cut]
    for begin in range(0, len(body), reply.piece):
        piece = body[begin : begin + reply.piece]
        writer.write(b"%x\r\n%s\r\n" % (len(piece), piece) if reply.chunked else piece)
        await writer.drain()
        if reply.pause:
            await asyncio.sleep(reply.pause)
    if reply.chunked and reply.cut is None:
        writer.write(b"0\r\n\r\n")
    await writer.drain()
    return reply.cut is None and told is not None


class Waits:
    """What a client waits for between its tries: it is noted, and takes no time."""

    def __init__(self) -> None:
        self.seconds: list[float] = []
        self.now = 1_800_000_000.0

    async def sleep(self, seconds: float) -> None:
        self.seconds.append(seconds)
        self.now += seconds
        await asyncio.sleep(0)

    def client(self, proxy: str | None = None, chance: float = 0.5) -> Client:
        return Client(proxy, sleep=self.sleep, chance=lambda: chance, now=lambda: self.now)


def outside(world: World, client: Client, clock: Callable[[], Any], **settings: Any) -> Outside:
    """Give the way to the world, with other settings if need be."""
    return Outside(Config(github_url=world.url, ncbi_url=world.url, **settings), client, clock)


def reaching(db: Database, redis: Redis, way: Outside) -> Database:
    """Give the same database with a way to the world."""
    clock, new_id = db.instance.clock, db.instance.new_id
    return Database(
        db.store.store, redis, db.hub, db.places, job_limits=LIMITS, clock=clock, new_id=new_id, outside=way
    )


@contextmanager
def world_in_a_thread() -> Iterator[World]:
    """Have the world for tests without an event loop of their own."""
    world, ready = World(), threading.Event()
    loop, stopped = asyncio.new_event_loop(), asyncio.Event()

    async def live() -> None:
        async with world.open():
            ready.set()
            await stopped.wait()

    thread = threading.Thread(target=lambda: loop.run_until_complete(live()))
    thread.start()
    try:
        assert ready.wait(10)
        yield world
    finally:
        loop.call_soon_threadsafe(stopped.set)
        thread.join()
        loop.close()
