"""One event to many sockets: our subscriptions beside a raw `websockets.broadcast` of one text."""

import asyncio
import json
import os
import statistics
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import psutil
from websockets import Origin, Subprotocol
from websockets.asyncio.client import ClientConnection, connect

from benchmarks.load import answer, request_bytes
from benchmarks.setting import Setting, fill, free_port, setting, started

QUERY = """subscription {
  samples {
    cursor operation ids at
    sample { id name host isolate locale notes paired ready createdAt updatedAt user { handle } job { state progress } }
  }
}"""
RENAME = "mutation($input: UpdateSampleInput!) { updateSample(input: $input) { errors { message } } }"
EVENTS = 15


@dataclass(slots=True)
class Crowd:
    """Many sockets of one server, and when the last of them got each event."""

    sockets: list[ClientConnection]
    got: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(0))
    text: str = ""

    async def read(self, socket: ClientConnection) -> None:
        async for message in socket:
            self.text = str(message)
            self.got.release()

    async def everyone(self) -> None:
        for _ in self.sockets:
            await self.got.acquire()


async def main(count: int = 1_000) -> None:
    async with setting(VT_LIMIT_SOCKETS_PER_USER=str(count + 10)) as scene:
        (sample,) = await fill(scene.services.postgres, scene.user_id, 1)
        before = _own_bytes(scene.ours.pid)
        ours, text, idle = await _ours(scene, f"sample_{sample.id}", count)
        peer = await _peer(text, count)
    print(f"{(idle - before) / count / 1024:.1f} KiB of memory for each idle subscriber of ours")
    print(f"{count} sockets, {len(text)} bytes an event, one event at a time, median of {EVENTS}")
    print(f"load average {os.getloadavg()[0]:.1f}")
    print(f"{'':24}{'last ms':>10}{'CPU us/delivery':>17}")
    print(f"{'virtool-gql':24}{ours[0]:10.1f}{ours[1]:17.1f}")
    print(f"{'websockets.broadcast':24}{peer[0]:10.1f}{peer[1]:17.1f}")
    print(f"ratio to the peer, by time {peer[0] / ours[0]:.3f}, by CPU {peer[1] / ours[1]:.3f}")
    print("ours includes the mutation, its transaction and the relay; the peer repeats a text")


async def _ours(scene: Setting, sample_id: str, count: int) -> tuple[tuple[float, float], str, int]:
    address = f"ws://127.0.0.1:{scene.ours.port}/graphql"
    crowd = Crowd([await _subscribed(address, scene, str(number)) for number in range(count)])
    idle = _own_bytes(scene.ours.pid)
    readers = [asyncio.create_task(crowd.read(socket)) for socket in crowd.sockets]
    headers = {"content-type": "application/json", "cookie": scene.cookie}
    reader, writer = await asyncio.open_connection("127.0.0.1", scene.ours.port)

    async def publish(number: int) -> None:
        variables = {"input": {"id": sample_id, "host": f"Host {number:05}"}}
        body = json.dumps({"query": RENAME, "variables": variables}).encode()
        done = json.loads(await answer(reader, writer, request_bytes("/graphql", body, headers)))
        if done["data"]["updateSample"]["errors"]:
            raise RuntimeError(str(done))

    figures = await _measure(crowd, publish, scene.ours.pid)
    await _close(crowd, readers)
    writer.close()
    return figures, crowd.text, idle


def _own_bytes(pid: int) -> int:
    return int(psutil.Process(pid).memory_full_info().uss)


async def _subscribed(address: str, scene: Setting, id: str) -> ClientConnection:
    socket = await connect(
        address,
        subprotocols=[Subprotocol("graphql-transport-ws")],
        additional_headers={"Cookie": scene.cookie},
        origin=Origin(f"http://127.0.0.1:{scene.ours.port}"),
        compression=None,
        ping_interval=None,
    )
    await socket.send('{"type":"connection_init"}')
    await socket.recv()
    await socket.send(json.dumps({"id": id, "type": "subscribe", "payload": {"query": QUERY}}))
    await socket.send('{"type":"ping"}')  # answered after the subscribe message was taken
    await socket.recv()
    return socket


async def _peer(text: str, count: int) -> tuple[float, float]:
    port = free_port()
    command = [sys.executable, "-m", "benchmarks.peers", "fanout", str(port)]
    with started(command, dict(os.environ), port) as peer:
        address = f"ws://127.0.0.1:{port}"
        sockets = [await connect(address, compression=None, ping_interval=None) for _ in range(count)]
        crowd = Crowd(sockets)
        readers = [asyncio.create_task(crowd.read(socket)) for socket in sockets]
        async with connect(address, compression=None, ping_interval=None) as publisher:

            async def publish(_: int) -> None:
                await publisher.send(text)

            figures = await _measure(crowd, publish, peer.pid)
        await _close(crowd, readers)
    return figures


async def _measure(crowd: Crowd, publish: Callable[[int], Awaitable[None]], pid: int) -> tuple[float, float]:
    process, times = psutil.Process(pid), list[float]()
    await publish(0)
    await crowd.everyone()
    before = process.cpu_times()
    for number in range(1, EVENTS + 1):
        start = time.perf_counter()
        await asyncio.gather(publish(number), crowd.everyone())
        times.append(1e3 * (time.perf_counter() - start))
    after = process.cpu_times()
    cpu = after.user + after.system - before.user - before.system
    return statistics.median(times), 1e6 * cpu / EVENTS / len(crowd.sockets)


async def _close(crowd: Crowd, readers: list[asyncio.Task[None]]) -> None:
    for reader in readers:
        reader.cancel()
    await asyncio.gather(*readers, return_exceptions=True)
    for socket in crowd.sockets:
        socket.transport.abort()
