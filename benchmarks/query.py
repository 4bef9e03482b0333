"""A page of 25 samples with their users and jobs: our GraphQL beside a hand-written Starlette endpoint."""

import asyncio
import json
import os
import statistics
import sys

from benchmarks.load import Figures, answer, drive, request_bytes
from benchmarks.setting import Setting, fill, free_port, setting, started

QUERY = """query Page($first: Int!) {
  samples(first: $first, orderBy: [{ field: CREATED_AT, direction: DESC }]) {
    nodes {
      id name host isolate locale notes paired ready createdAt updatedAt
      user { handle }
      job { state progress }
    }
    pageInfo { hasNextPage }
  }
}"""
SAMPLES = 2_000
ROUNDS = 7


async def main(seconds: float = 1.5) -> None:
    async with setting() as scene:
        await fill(scene.services.postgres, scene.user_id, SAMPLES)
        port = free_port()
        environment = {
            **os.environ,
            "PEER_POSTGRES": _plain(scene.services.postgres),
            "PEER_REDIS": scene.services.redis,
        }
        command = [sys.executable, "-m", "benchmarks.peers", "query", str(port)]
        with started(command, environment, port) as peer:
            await _compare(scene, peer.port, peer.pid, seconds)


def _plain(url: str) -> str:
    return url.replace("postgresql+asyncpg://", "postgresql://")


async def _compare(scene: Setting, peer_port: int, peer_pid: int, seconds: float) -> None:
    headers = {"content-type": "application/json", "cookie": scene.cookie}
    body = json.dumps({"query": QUERY, "variables": {"first": 25}}).encode()
    ours, hand = request_bytes("/graphql", body, headers), request_bytes("/samples", b"", headers)
    await _check_equal(scene.ours.port, ours, peer_port, hand)
    rounds = [
        (
            await drive(scene.ours.port, scene.ours.pid, ours, seconds=seconds),
            await drive(peer_port, peer_pid, hand, seconds=seconds),
        )
        for _ in range(ROUNDS)
    ]
    _print(rounds)


async def _check_equal(our_port: int, ours: bytes, peer_port: int, hand: bytes) -> None:
    answers = []
    for port, request in ((our_port, ours), (peer_port, hand)):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        answers.append(json.loads(await answer(reader, writer, request))["data"])
        writer.close()
    if answers[0] != answers[1]:
        raise RuntimeError(f"The two servers answer differently:\n{answers[0]}\n{answers[1]}")


def _print(rounds: list[tuple[Figures, Figures]]) -> None:
    print(f"median and spread of {len(rounds)} rounds that take turns, load average {os.getloadavg()[0]:.1f}")
    print(f"{'':24}{'CPU us/req':>22}{'req/s':>8}{'p50 ms':>9}{'p99 ms':>9}")
    for name, side in (("virtool-gql", 0), ("hand-written Starlette", 1)):
        runs = [pair[side] for pair in rounds]
        cpu = sorted(run.cpu_us for run in runs)
        fields = ("per_second", "median_ms", "p99_ms")
        rate, median, p99 = (statistics.median(getattr(run, field) for run in runs) for field in fields)
        spread = f"{statistics.median(cpu):.0f} ({cpu[0]:.0f}-{cpu[-1]:.0f})"
        print(f"{name:24}{spread:>22}{rate:8.0f}{median:9.2f}{p99:9.2f}")
    ratios = sorted(hand.cpu_us / ours.cpu_us for ours, hand in rounds)
    print(f"ratio to the peer by CPU {statistics.median(ratios):.3f} ({ratios[0]:.3f}-{ratios[-1]:.3f})")
