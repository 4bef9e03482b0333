import asyncio
import socket
from collections.abc import AsyncIterator

import pytest
import uvicorn
from starlette.responses import PlainTextResponse

from tests.factories.conditions import until
from virtool_gql.config import Config
from virtool_gql.serving import HEAD_BYTES, _uvicorn_config

HEAD = b"GET / HTTP/1.1\r\nhost: test\r\n"


@pytest.fixture
async def port() -> AsyncIterator[int]:
    server = uvicorn.Server(_uvicorn_config(PlainTextResponse("here"), Config()))
    server.config.lifespan = "off"
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        task = asyncio.create_task(server.serve(sockets=[listener]))
        await until(lambda: server.started)
        yield listener.getsockname()[1]
        server.should_exit = True
        await task


async def answer(port: int, *parts: bytes) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for part in parts:
        writer.write(part)
        await writer.drain()
    line = await asyncio.wait_for(reader.readline(), 10)
    writer.close()
    return line


async def test_a_head_of_usual_length_is_read(port: int) -> None:
    parts = [b"a: " + b"x" * 1000 + b"\r\n"] * 30
    assert b"200" in await answer(port, HEAD, *parts, b"\r\n")


@pytest.mark.parametrize("endless", [b"x" * 1000, b"a: b\r\n" * 100])
async def test_an_endless_head_is_refused(port: int, endless: bytes) -> None:
    count = HEAD_BYTES // len(endless) + 1
    assert b"431" in await answer(port, HEAD + b"a: ", *[endless] * count)
