"""Uploads: streamed to the disk, or leaving nothing behind."""

import asyncio
import os
import resource
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from tests.factories.conditions import until
from tests.web.serving import DEADLINE_SECONDS, PREFLIGHT, Stores, Web, served
from virtool_gql.access import Viewer
from virtool_gql.db.users import UserChanges
from virtool_gql.models.files import File
from virtool_gql.models.users import Permission
from virtool_gql.query import Page
from virtool_gql.web.uploads import sync_folder

OCTETS = {"content-type": "application/octet-stream"}


@pytest.fixture
async def uploader(web: Web) -> Viewer:
    return await web.api.viewer("uploader", Permission.UPLOAD_FILE)


async def rows(web: Web) -> list[File]:
    return (await web.db.store.find(File, page=Page(first=None))).documents


def left_behind(web: Web) -> list[str]:
    return [path.name for path in web.db.places.files.iterdir()]


async def upload(web: Web, headers: dict[str, str], content: Any = b"reads", **params: str) -> httpx.Response:
    params = {"name": "reads_1.fq.gz", "type": "READS", **params}
    async with web.client({**OCTETS, **headers}) as client:
        return await client.post("/uploads", params=params, content=content)


async def nothing_is_left(web: Web) -> None:
    async def empty() -> bool:
        return not await rows(web) and not left_behind(web)

    await until(empty)


async def test_the_bytes_arrive_and_the_file_is_answered(web: Web, uploader: Viewer) -> None:
    content = os.urandom(5_000_000)
    response = await upload(web, await web.cookie(uploader), content)
    assert response.status_code == 201
    (row,) = await rows(web)
    assert response.json() == {
        "id": f"file_{row.id}",
        "name": "reads_1.fq.gz",
        "type": "READS",
        "size": len(content),
        "ready": True,
        "createdAt": row.created_at,
        "uploadedAt": row.uploaded_at,
        "expiresAt": None,
        "downloadUrl": f"/downloads/files/file_{row.id}",
    }
    assert row.ready
    assert web.db.places.file(row.id).read_bytes() == content


async def test_an_upload_without_a_length_and_one_without_bytes_are_taken(web: Web, uploader: Viewer) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(3):
            yield b"abc"

    cookie = await web.cookie(uploader)
    assert (await upload(web, cookie, chunks())).json()["size"] == 9
    assert (await upload(web, cookie, b"")).json()["size"] == 0


@pytest.mark.parametrize("type", ["reads", "READS", "Reads", "reference", "SUBTRACTION", "hmm"])
async def test_the_type_may_be_written_in_any_case(web: Web, uploader: Viewer, type: str) -> None:
    assert (await upload(web, await web.cookie(uploader), type=type)).json()["type"] == type.upper()


@pytest.mark.parametrize(
    "params",
    [{}, {"name": "x"}, {"type": "reads"}, {"name": "x", "type": "pdf"}, {"name": "x", "type": "reads", "size": "1"}],
)
async def test_parameters_that_are_missing_or_unknown_are_refused(
    web: Web, uploader: Viewer, params: dict[str, str]
) -> None:
    async with web.client({**OCTETS, **await web.cookie(uploader)}) as client:
        response = await client.post("/uploads", params=params, content=b"x")
    assert (response.status_code, response.json()["code"]) == (400, "BAD_USER_INPUT")
    assert response.json()["requestId"] == response.headers["x-request-id"]
    await nothing_is_left(web)


@pytest.mark.parametrize("at", ["2126-01-31T12:00:00Z", "2126-01-31T13:00:00.000+01:00", "2126-01-31 13:00:00+01:00"])
async def test_an_upload_may_say_when_it_is_to_go(web: Web, uploader: Viewer, at: str) -> None:
    response = await upload(web, await web.cookie(uploader), expires_at=at)
    assert response.json()["expiresAt"] == "2126-01-31T12:00:00.000Z"
    (row,) = await rows(web)
    assert row.expires_at == "2126-01-31T12:00:00.000Z"


@pytest.mark.parametrize(
    "at", ["", "tomorrow", "2126-01-31", "2126-01-31T12:00:00", "2020-01-01T00:00:00Z", "x" * 9000]
)
async def test_an_end_that_cannot_be_is_refused(web: Web, uploader: Viewer, at: str) -> None:
    response = await upload(web, await web.cookie(uploader), expires_at=at)
    assert (response.status_code, response.json()["code"]) == (400, "BAD_USER_INPUT")
    await nothing_is_left(web)


@pytest.mark.parametrize("name", ["../../etc/passwd", "a\u202egpj.exe", "..\\..\\x", "/etc/passwd", "ü" * 100])
async def test_no_name_becomes_a_path(web: Web, uploader: Viewer, name: str) -> None:
    response = await upload(web, await web.cookie(uploader), name=name)
    assert response.status_code == 201
    (row,) = await rows(web)
    assert left_behind(web) == [row.id]


@pytest.mark.parametrize("name", ["", "x\0y", "x" * 10_000, "..", "a\nb"])
async def test_a_name_that_cannot_be_is_refused(web: Web, uploader: Viewer, name: str) -> None:
    response = await upload(web, await web.cookie(uploader), name=name)
    assert (response.status_code, response.json()["code"]) == (400, "BAD_USER_INPUT")
    await nothing_is_left(web)


async def status_before_the_body(web: Web, headers: dict[str, str], length: int) -> int:
    """Send the head of an upload alone; give the status of the answer."""
    reader, writer = await opened(web, {**headers, "content-length": str(length)})
    try:
        async with asyncio.timeout(DEADLINE_SECONDS):
            return int((await reader.readline()).split()[1])
    finally:
        writer.transport.abort()


async def opened(web: Web, headers: dict[str, str]) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    host, port = web.address.split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    head = {"host": web.address, **OCTETS, **headers}
    lines = ["POST /uploads?name=x.fq&type=reads HTTP/1.1", *(f"{name}: {value}" for name, value in head.items())]
    writer.write("\r\n".join([*lines, "", ""]).encode())
    return reader, writer


async def test_rights_are_looked_at_before_the_first_byte(web: Web) -> None:
    reader = await web.api.viewer("reader")
    assert await status_before_the_body(web, {}, 1_000_000) == 401
    assert await status_before_the_body(web, await web.cookie(reader), 1_000_000) == 403
    await nothing_is_left(web)


async def test_a_file_larger_than_the_disk_is_refused_before_the_first_byte(web: Web, uploader: Viewer) -> None:
    assert await status_before_the_body(web, await web.cookie(uploader), 10**15) == 507
    await nothing_is_left(web)


@pytest.mark.parametrize(
    ("changes", "status"), [(UserChanges(active=False), 401), (UserChanges(group_ids=()), 403), (UserChanges(), 201)]
)
async def test_whoever_may_upload_no_more_when_the_last_byte_comes_leaves_nothing(
    web: Web, uploader: Viewer, ada: Viewer, changes: UserChanges, status: int
) -> None:
    async def slowly() -> AsyncIterator[bytes]:
        yield b"abc"
        await until(lambda: left_behind(web))
        await web.db.users.update(ada, uploader.user_id, changes)
        yield b"def"

    response = await upload(web, await web.cookie(uploader), slowly())
    assert response.status_code == status
    if status == 201:
        assert len(await rows(web)) == 1
    else:
        await nothing_is_left(web)


async def test_another_site_cannot_upload_with_the_cookie(web: Web, uploader: Viewer) -> None:
    cookie = await web.cookie(uploader)
    for simple in ("text/plain", "application/x-www-form-urlencoded", ""):
        assert (await upload(web, {**cookie, "content-type": simple})).status_code == 403
    assert (await upload(web, {**cookie, "content-type": "text/plain", **PREFLIGHT})).status_code == 201
    assert (await upload(web, {**await web.key(uploader), "content-type": "text/plain"})).status_code == 201
    form = {**cookie, "content-type": "multipart/form-data; boundary=x", **PREFLIGHT}
    assert (await upload(web, form)).status_code == 415


@pytest.mark.parametrize("framing", [{"content-length": "10000000"}, {"transfer-encoding": "chunked"}])
async def test_an_upload_that_is_cut_off_leaves_nothing(web: Web, uploader: Viewer, framing: dict[str, str]) -> None:
    _, writer = await opened(web, {**await web.cookie(uploader), **framing})
    writer.write(b"10000\r\n" + b"x" * 0x10000)
    await writer.drain()
    await until(lambda: left_behind(web))
    assert len(await rows(web)) == 1
    writer.transport.abort()
    await nothing_is_left(web)


async def test_a_limit_of_the_file_system_is_told(web: Web, uploader: Viewer) -> None:
    cookie = await web.cookie(uploader)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (3_000_000, hard))
    try:
        response = await upload(web, cookie, os.urandom(8_000_000))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert response.status_code == 507
    assert "room" in response.json()["message"]
    await nothing_is_left(web)


async def test_two_hundred_megabytes_take_little_memory(web: Web, uploader: Viewer) -> None:
    process = psutil.Process()
    block = os.urandom(1 << 20)
    before = highest = process.memory_info().rss

    async def chunks() -> AsyncIterator[bytes]:
        nonlocal highest
        for _ in range(200):
            yield block
            highest = max(highest, process.memory_info().rss)

    response = await upload(web, await web.cookie(uploader), chunks())
    assert response.json()["size"] == 200 << 20
    assert highest - before < 60 << 20


async def test_many_uploads_at_once_do_not_hold_up_the_loop(stores: Stores) -> None:
    async with served(stores) as web:
        uploader = await web.api.viewer("uploader", Permission.UPLOAD_FILE)
        cookie = await web.cookie(uploader)
        answers = await asyncio.gather(*(upload(web, cookie, os.urandom(1_000_000)) for _ in range(10)))
        assert {answer.status_code for answer in answers} == {201}
        assert len(left_behind(web)) == 10


def test_folders_are_synced(tmp_path: Path) -> None:
    sync_folder(tmp_path)
