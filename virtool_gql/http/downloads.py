"""Downloads of any size into a file, which go on where they were cut off."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import BinaryIO

import httpx

from virtool_gql.errors import UpstreamUnavailable
from virtool_gql.executors import run_in_thread
from virtool_gql.http.answers import OK, PARTIAL, UNSATISFIABLE
from virtool_gql.http.client import Client, TooLarge
from virtool_gql.http.pauses import STEADY, Patience

MOST_BYTES = 2 * 1024**3
BLOCK_BYTES = 1024 * 1024
RANGE = re.compile(r"bytes (\d+)-\d+/(\d+|\*)")

Progress = Callable[[float], None]


@dataclass(slots=True)
class _Status:
    """What an attempt has come to, for those who decide on the next one."""

    code: int
    headers: Mapping[str, str]


async def download(  # noqa: PLR0913 - a download, and how it is bounded
    client: Client,
    url: str,
    to: BinaryIO,
    upstream: str,
    *,
    size: int = 0,
    progress: Progress = lambda _: None,
    patience: Patience = STEADY,
    most_bytes: int = MOST_BYTES,
) -> int:
    """Write what is at the URL into an open file, and give its size; raise UpstreamUnavailable when that fails.

    `size` is what somebody has said of it, 0 when nobody has. The server knows better: with another size than its own
    a download is cut off, with another one than `size` it may well be right. Only where the server gives none, `size`
    tells that an end is missing. Progress goes from 0 to 1, whatever comes.
    """
    run = _Download(client, url, to, upstream, size, progress, patience, most_bytes)
    status = await client.tried(url, upstream, patience, run.attempt, lambda status: (status.code, status.headers))
    if status.code != OK:
        raise UpstreamUnavailable(f"{upstream} has nothing to download there: it answers {status.code}")
    await run_in_thread(to.flush)
    return run.received


@dataclass(slots=True)
class _Download:
    client: Client
    url: str
    to: BinaryIO
    upstream: str
    size: int
    progress: Progress
    patience: Patience
    most_bytes: int
    received: int = 0
    validator: str | None = None
    """By what the server knows the same bytes again; without it a download begins anew each time."""

    async def attempt(self, _: int) -> _Status:
        headers = {"accept-encoding": "identity", **self._going_on()}
        async with self.client.streamed(self.url, self.upstream, headers=headers, patience=self.patience) as response:
            if response.status_code == PARTIAL and _begin(response) == self.received and self.received:
                await self._take(response)
            elif response.status_code == OK:
                self._begin_anew(response)
                await self._take(response)
            elif response.status_code in {PARTIAL, UNSATISFIABLE}:
                self.received, self.validator = 0, None
                raise httpx.RemoteProtocolError("These are not the bytes that were asked for.")
            else:
                return _Status(response.status_code, dict(response.headers))
        return _Status(OK, {})

    def _going_on(self) -> dict[str, str]:
        if not self.received or self.validator is None:
            return {}
        return {"range": f"bytes={self.received}-", "if-range": self.validator}

    def _begin_anew(self, response: httpx.Response) -> None:
        etag, modified = response.headers.get("etag", ""), response.headers.get("last-modified")
        self.validator = etag if etag.startswith('"') else modified
        self.received = 0

    async def _take(self, response: httpx.Response) -> None:
        """Write the body behind what is there already, as it comes: nothing is decoded."""
        await run_in_thread(self._cut)
        length = response.headers.get("content-length", "")
        told = self.received + int(length) if length.isdigit() else None
        block = bytearray()
        try:
            async for chunk in response.aiter_raw():
                block += chunk
                if len(block) >= BLOCK_BYTES:
                    await self._write(block, told)
        finally:
            await self._write(block, told)
        endless = told is None and "transfer-encoding" not in response.headers
        if endless and self.received < self.size:
            raise httpx.RemoteProtocolError("The end is missing.")

    def _cut(self) -> None:
        self.to.seek(self.received)
        self.to.truncate()

    async def _write(self, block: bytearray, told: int | None) -> None:
        await run_in_thread(self.to.write, bytes(block))
        self.received += len(block)
        block.clear()
        if self.received > self.most_bytes:
            raise TooLarge(f"What {self.upstream} sends is larger than {self.most_bytes / 1e6:.0f} MB")
        total = told or self.size
        self.progress(min(self.received / total, 1.0) if total else 0.0)


def _begin(response: httpx.Response) -> int | None:
    match = RANGE.fullmatch(response.headers.get("content-range", ""))
    return int(match[1]) if match else None
