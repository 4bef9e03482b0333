"""The load: raw sockets that send the same request again and again, and count whole answers."""

import asyncio
import time
from dataclasses import dataclass

import psutil

HEADER_END = b"\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Figures:
    """What a run of requests came to; CPU is the server process's own."""

    requests: int
    seconds: float
    cpu_seconds: float
    median_ms: float
    p99_ms: float

    @property
    def per_second(self) -> float:
        return self.requests / self.seconds

    @property
    def cpu_us(self) -> float:
        return 1e6 * self.cpu_seconds / self.requests


def request_bytes(path: str, body: bytes, headers: dict[str, str]) -> bytes:
    lines = [f"POST {path} HTTP/1.1", "host: 127.0.0.1", f"content-length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join(lines).encode() + HEADER_END + body


async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: bytes) -> bytes:
    """Send a request, and give the body of its answer."""
    writer.write(request)
    head = (await reader.readuntil(HEADER_END)).lower()
    if not head.startswith(b"http/1.1 200"):
        raise RuntimeError(head.decode())
    length = int(head.split(b"content-length:")[1].split(b"\r\n")[0])
    return await reader.readexactly(length)


async def drive(port: int, pid: int, request: bytes, *, seconds: float, connections: int = 8) -> Figures:
    """Send the request over some connections for some seconds, each waiting for its answer."""
    process = psutil.Process(pid)
    times: list[float] = []
    before, start = process.cpu_times(), time.perf_counter()
    end = start + seconds
    await asyncio.gather(*(_worker(port, request, end, times) for _ in range(connections)))
    elapsed, after = time.perf_counter() - start, process.cpu_times()
    cpu = after.user + after.system - before.user - before.system
    times.sort()
    milliseconds = [1e3 * times[int(len(times) * part)] for part in (0.5, 0.99)]
    return Figures(len(times), elapsed, cpu, *milliseconds)


async def _worker(port: int, request: bytes, end: float, times: list[float]) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    while (start := time.perf_counter()) < end:
        await answer(reader, writer, request)
        times.append(time.perf_counter() - start)
    writer.close()
