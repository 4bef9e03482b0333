"""One large upload: how fast it streams to the disk, and how much memory the server takes for it."""

import asyncio
import json
import time
from pathlib import Path

import psutil

from benchmarks.load import HEADER_END
from benchmarks.setting import setting

CHUNK = bytes(range(256)) * 4096


async def main(megabytes: int = 2_048) -> None:
    async with setting() as scene:
        server = psutil.Process(scene.ours.pid)
        before = server.memory_info().rss
        start = time.perf_counter()
        size = await _upload(scene.ours.port, scene.cookie, megabytes)
        seconds = time.perf_counter() - start
        peak = _peak(scene.ours.pid)
    print(f"{size / 2**20:.0f} MiB in {seconds:.1f} s, {size / 2**20 / seconds:.0f} MiB/s to the disk")
    print(f"server memory {before / 2**20:.0f} MiB before, {peak / 2**20:.0f} MiB at its peak")


async def _upload(port: int, cookie: str, megabytes: int) -> int:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    lines = [
        "POST /uploads?name=large.fq&type=READS HTTP/1.1",
        "host: 127.0.0.1",
        "content-type: application/octet-stream",
        f"content-length: {megabytes * len(CHUNK)}",
        f"cookie: {cookie}",
    ]
    writer.write("\r\n".join(lines).encode() + HEADER_END)
    for _ in range(megabytes):
        writer.write(CHUNK)
        await writer.drain()
    head = await reader.readuntil(HEADER_END)
    length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
    answer = json.loads(await reader.readexactly(length))
    writer.close()
    if answer.get("size") != megabytes * len(CHUNK):
        raise RuntimeError(str(answer))
    return int(answer["size"])


def _peak(pid: int) -> int:
    """Give the most memory a process has held, in bytes, as the kernel has counted it."""
    status = Path(f"/proc/{pid}/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) * 1024
