"""Whether the server is alive, and whether it can work."""

import asyncio
from collections.abc import Awaitable
from typing import cast

from redis.asyncio import Redis
from redis.exceptions import RedisError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from virtool_gql.errors import VirtoolError
from virtool_gql.models.settings import Settings
from virtool_gql.stores.documents import Documents

ANSWER_SECONDS = 3.0


class Health:
    """The two questions that an orchestrator asks; they need no signing in."""

    def __init__(self, store: Documents, redis: Redis) -> None:
        self.store = store
        self.redis = redis

    def routes(self) -> list[Route]:
        return [Route("/health/live", live), Route("/health/ready", self.ready)]

    async def ready(self, _: Request) -> Response:
        """Tell whether the stores answer, and which does not."""
        store, redis = await asyncio.gather(
            _answers(self.store.get(Settings, "settings")), _answers(cast("Awaitable[object]", self.redis.ping()))
        )
        ready = store and redis
        return JSONResponse({"ready": ready, "store": store, "redis": redis}, 200 if ready else 503)


async def live(_: Request) -> Response:
    return JSONResponse({"alive": True})


async def _answers(question: Awaitable[object]) -> bool:
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            await question
    except (TimeoutError, OSError, VirtoolError, RedisError):
        return False
    return True
