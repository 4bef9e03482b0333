"""Records of GenBank, as NCBI gives them by their accession."""

import asyncio
import random
import re
from collections.abc import Awaitable, Callable

from redis.asyncio import Redis

from virtool_gql.access import Viewer
from virtool_gql.db.genbank_records import Record, record_of
from virtool_gql.db.outside import Outside
from virtool_gql.errors import BadUserInput, NotFound, RateLimited, UpstreamUnavailable
from virtool_gql.executors import run_in_thread
from virtool_gql.http import BRIEF, Answer, TooLarge
from virtool_gql.http.answers import BAD_REQUEST, NOT_FOUND, OK
from virtool_gql.stores.redis import RateLimit

ACCESSION = re.compile(r"[A-Z]{1,6}(_[A-Z]{0,6})?[0-9]{5,14}(\.[0-9]{1,4})?")
"""An accession as NCBI makes them, with or without its version: `NC_001929.1`, `AY123456`, `NZ_CP012345`."""

REQUESTS_PER_SECOND = 3
REQUESTS_PER_SECOND_WITH_A_KEY = 10
REQUESTS_OF_A_USER_PER_MINUTE = 60
"""A third of what all users together have."""

LONGEST_WAIT_SECONDS = 1.5
MOST_BYTES = 10_000_000
TOOL = {"tool": "virtool", "email": "dev@virtool.ca"}
"""By what NCBI wants to know who asks."""


class GenBank:
    """Asks NCBI, no more often than it allows, counted over all processes."""

    def __init__(
        self, outside: Outside, redis: Redis, *, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    ) -> None:
        self._outside = outside
        self._sleep = sleep
        key = outside.config.ncbi_api_key
        self._of_users = RateLimit(redis, "ncbi_of_user", REQUESTS_OF_A_USER_PER_MINUTE, 60)
        self._rate = RateLimit(redis, "ncbi", REQUESTS_PER_SECOND_WITH_A_KEY if key else REQUESTS_PER_SECOND, 1)

    async def get(self, viewer: Viewer, accession: str) -> Record:
        """Give the record of an accession."""
        wanted = accession.strip().upper()
        if not ACCESSION.fullmatch(wanted):
            raise BadUserInput("That is no accession; one looks like NC_001929 or AY123456.1.", path=["accession"])
        await self._of_users.take(viewer.user_id)
        await self._turn()
        try:
            answer = await self._asked(wanted)
        except TooLarge:
            message = f"The record {wanted} is larger than {MOST_BYTES // 1_000_000} MB."
            raise BadUserInput(message, path=["accession"]) from None
        if answer.status not in {OK, BAD_REQUEST, NOT_FOUND}:
            raise UpstreamUnavailable("Could not reach NCBI")
        return await run_in_thread(_read, answer, wanted)

    async def _asked(self, accession: str) -> Answer:
        config = self._outside.config
        params = {"db": "nuccore", "id": accession, "rettype": "gb", "retmode": "text", **TOOL}
        if config.ncbi_api_key:
            params["api_key"] = config.ncbi_api_key
        url = f"{config.ncbi_url}/efetch.fcgi"
        return await self._outside.client.get(url, "NCBI", params=params, patience=BRIEF, most_bytes=MOST_BYTES)

    async def _turn(self) -> None:
        """Wait until one more request is allowed."""
        waited = 0.0
        while True:
            try:
                await self._rate.take("efetch")
            except RateLimited:
                if waited > LONGEST_WAIT_SECONDS:
                    raise RateLimited("Too many ask NCBI at this moment; try again in a few seconds.") from None
            else:
                return
            pause = random.uniform(0.1, 0.3)  # noqa: S311 - jitter, no secret
            await self._sleep(pause)
            waited += pause


def _read(answer: Answer, accession: str) -> Record:
    if answer.status == BAD_REQUEST and "api key" in answer.text.lower():
        raise UpstreamUnavailable("NCBI refuses the key of this server; tell an administrator")
    record = record_of(answer.text) if answer.status == OK else None
    if record is None:
        raise NotFound(f"There is no record {accession} in GenBank.", path=["accession"])
    return record


__all__ = ["GenBank", "Record"]
