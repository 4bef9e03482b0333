"""The client itself: one for each process, with its connections, and what it knows of those who want to be left alone.

Nothing of a URL but its host is ever logged or told: keys and tokens travel in queries and headers.
"""

import asyncio
import logging
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Self, TypeVar

import httpx

from virtool_gql.errors import UpstreamUnavailable
from virtool_gql.executors import run_in_thread
from virtool_gql.http.answers import NOT_MODIFIED, PROXY_REFUSES, Answer
from virtool_gql.http.pauses import BRIEF, Patience, asked_wait, clock_time, is_limited, is_worth_another_try
from virtool_gql.version import running

logger = logging.getLogger(__name__)

for name in ("httpx", "httpcore"):
    logging.getLogger(name).setLevel(logging.WARNING)  # on INFO they write whole URLs, with the keys in them

T = TypeVar("T")

MOST_BYTES = 20 * 1024 * 1024
MOST_REDIRECTS = 5
FAILURES = (httpx.HTTPError, httpx.InvalidURL, TimeoutError)
"""All that can come of a call instead of an answer."""


class TooLarge(UpstreamUnavailable):
    """The answer has more bytes than somebody is ready to take."""


class Client:
    """Asks others, again where that helps, and never longer than it may.

    `upstream` is what people call whom we ask: `Could not reach GitHub`. `now` are seconds since 1970.
    """

    def __init__(
        self,
        proxy: str | None = None,
        *,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        chance: Callable[[], float] = random.random,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._proxy = proxy
        self._sleep = sleep
        self._chance = chance
        self._now = now
        self._opening = asyncio.Lock()
        self._opened: httpx.AsyncClient | None = None
        self._quiet_until: dict[str, float] = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        if self._opened is not None:
            await self._opened.aclose()
            self._opened = None

    async def get(  # noqa: PLR0913 - a call, and how it is bounded
        self,
        url: str,
        upstream: str,
        *,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, str] | None = None,
        patience: Patience = BRIEF,
        most_bytes: int = MOST_BYTES,
    ) -> Answer:
        """Give the answer, whatever its status; raise UpstreamUnavailable when there is none."""

        async def once(_: int) -> Answer:
            async with self.streamed(url, upstream, headers=headers, params=params, patience=patience) as response:
                return await _whole(response, upstream, most_bytes)

        return await self.tried(url, upstream, patience, once, lambda answer: (answer.status, answer.headers))

    async def tried(
        self,
        url: str,
        upstream: str,
        patience: Patience,
        attempt: Callable[[int], Awaitable[T]],
        told: Callable[[T], tuple[int, Mapping[str, str]]],
    ) -> T:
        """Make an attempt, and others after a pause, while that helps and there is time.

        `attempt` is given its number from 0 on. `told` gives what its result says of further tries.
        """
        clock = asyncio.get_running_loop().time
        deadline = clock() + patience.total
        for tries in range(patience.tries):
            self._check_quiet(url, upstream)
            result, failure, wait = None, None, None
            try:
                async with asyncio.timeout_at(deadline):
                    result = await attempt(tries)
            except FAILURES as error:
                failure = error
            else:
                status, headers = told(result)
                if not is_worth_another_try(status, headers):
                    return result
                wait = asked_wait(headers, self._now())
            pause = patience.pause(tries + 1, self._chance()) if wait is None else wait
            if tries + 1 == patience.tries or clock() + pause >= deadline:
                break
            logger.info("%s is asked again in %.1f s", upstream, pause)
            await self._sleep(pause)
        if result is None:
            raise self._unreachable(upstream, failure)
        self._mind_limit(url, upstream, *told(result), wait)
        return result

    def _mind_limit(self, url: str, upstream: str, status: int, headers: Mapping[str, str], wait: float | None) -> None:
        """Leave those alone who say that too many requests came."""
        if is_limited(status, headers):
            self._quiet_until[_host(url)] = self._now() + (wait or 0.0)
            self._check_quiet(url, upstream)
            raise UpstreamUnavailable(f"{upstream} takes no more requests at the moment")

    def _check_quiet(self, url: str, upstream: str) -> None:
        until = self._quiet_until.get(_host(url), 0.0)
        if until > self._now():
            raise UpstreamUnavailable(f"{upstream} takes no more requests before {clock_time(until)}")

    @staticmethod
    def _unreachable(upstream: str, failure: BaseException | None) -> UpstreamUnavailable:
        logger.warning("Could not reach %s: %s", upstream, type(failure).__name__)
        if isinstance(failure, httpx.ProxyError):
            return UpstreamUnavailable(f"Could not reach {upstream}: the proxy refuses")
        return UpstreamUnavailable(f"Could not reach {upstream}")

    @asynccontextmanager
    async def streamed(
        self,
        url: str,
        upstream: str,
        *,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, str] | None = None,
        patience: Patience,
    ) -> AsyncIterator[httpx.Response]:
        """Have the beginning of an answer while the block lasts.

        Redirects are followed, a few, and none to less safety.
        """
        client = await self._client()
        request = client.build_request(
            "GET",
            url,
            headers=dict(headers or {}),
            params=dict(params) if params else None,
            timeout=httpx.Timeout(patience.read, connect=patience.connect),
        )
        for _ in range(MOST_REDIRECTS):
            response = await client.send(request, stream=True)
            try:
                following = response.next_request
                if following is None:
                    if response.status_code == PROXY_REFUSES:
                        raise UpstreamUnavailable(f"Could not reach {upstream}: the proxy refuses")
                    yield response
                    return
            finally:
                await response.aclose()
            request = _safe(request, following)
        raise httpx.TooManyRedirects("Too many redirects.", request=request)

    async def _client(self) -> httpx.AsyncClient:
        async with self._opening:
            if self._opened is None:
                self._opened = await run_in_thread(self._open)  # reading all certificates takes a while
            return self._opened

    def _open(self) -> httpx.AsyncClient:
        no_cookies = CookieJar(DefaultCookiePolicy(allowed_domains=[]))
        agent = {"user-agent": f"virtool-gql/{running()}"}
        return httpx.AsyncClient(proxy=self._proxy, headers=agent, cookies=no_cookies)


def _safe(request: httpx.Request, following: httpx.Request) -> httpx.Request:
    """Give the request that a redirect asks for; httpx has taken the token off it if it goes to another host."""
    if request.url.scheme == "https" and following.url.scheme != "https":
        raise httpx.UnsupportedProtocol("A redirect leads to where nothing is encrypted.")
    return following


async def _whole(response: httpx.Response, upstream: str, most_bytes: int) -> Answer:
    body = bytearray()
    if response.status_code != NOT_MODIFIED:
        async for chunk in response.aiter_bytes():
            body += chunk
            if len(body) > most_bytes:
                raise TooLarge(f"The answer of {upstream} is larger than {most_bytes // 2**20} MB")
    return Answer(response.status_code, dict(response.headers), bytes(body))


def _host(url: str) -> str:
    try:
        return httpx.URL(url).netloc.decode()
    except httpx.InvalidURL:
        return ""
