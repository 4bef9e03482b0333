"""What Redis keeps besides sessions: rate limits, the lists of waiting jobs, and signals between processes."""

import asyncio
import logging
import math
import random
import secrets
from collections.abc import AsyncGenerator, AsyncIterator, Iterable
from contextlib import aclosing, asynccontextmanager

from redis.asyncio import Redis
from redis.asyncio.client import PubSub
from redis.exceptions import ConnectionError as Unconnected
from redis.exceptions import TimeoutError as Unanswered

from virtool_gql.errors import RateLimited
from virtool_gql.events.connections import answering, open_client, text_of
from virtool_gql.stores.digests import digest
from virtool_gql.workflows import Workflow, queue_name

logger = logging.getLogger(__name__)

BLOCK_SECONDS = 5.0
"""How long a blocking command waits at a time."""

SHORTEST_BLOCK = 0.01
"""Redis 6 takes less than a millisecond for no limit at all."""

LISTEN_SECONDS = 1.0
RECONNECT_SECONDS = 0.2

_TAKE = """
local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]
local window = tonumber(ARGV[2])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - window)
local taken = redis.call('ZCARD', KEYS[1])
if taken >= tonumber(ARGV[1]) then
  return math.ceil(redis.call('ZRANGE', KEYS[1], 0, 0, 'WITHSCORES')[2] + window - now)
end
redis.call('ZADD', KEYS[1], now, ARGV[3])
redis.call('PEXPIRE', KEYS[1], math.ceil(window / 1000))
return 0
"""

_PUSH = """
if redis.call('LPOS', KEYS[1], ARGV[1]) == false then
  redis.call('RPUSH', KEYS[1], ARGV[1])
end
"""


def connect(url: str) -> Redis:
    """Open a client that reconnects by itself; `unix://` and `redis://` URLs alike. It decodes nothing.

    A command is tried for about two seconds, so that a restart of Redis goes unnoticed. One whose answer got lost may
    have been carried out twice.
    """
    return open_client(url, retries=8)


class RateLimit:
    """At most `limit` takes in any window of `seconds` for one key, counted over all processes."""

    def __init__(self, redis: Redis, name: str, limit: int, seconds: int) -> None:
        self._redis = redis
        self._name = name
        self._limit = limit
        self._seconds = seconds
        self._take = redis.register_script(_TAKE)

    async def take(self, key: str) -> None:
        """Count one take; raise RateLimited, which says how long to wait, when there are too many."""
        window_microseconds = self._seconds * 1_000_000
        with answering("Redis"):
            wait_microseconds = await self._take(
                keys=[self._key(key)],
                args=[self._limit, window_microseconds, secrets.token_hex(8)],
            )
        if wait_microseconds:
            seconds = math.ceil(wait_microseconds / 1_000_000)
            raise RateLimited(f"Too many tries; try again in {seconds} second{'' if seconds == 1 else 's'}.")

    async def forget(self, key: str) -> None:
        with answering("Redis"):
            await self._redis.delete(self._key(key))

    def _key(self, key: str) -> str:
        return f"rate_{self._name}_{digest(key)}"


class JobQueues:
    """The lists of waiting jobs, one for each workflow.

    An id is in its list once, however often it is pushed, but `pop` may give it a second time (pushed again after it
    was popped) and may lose it (its taker died): the job's lease decides who runs it, and a sweep pushes again what
    got lost.
    """

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._push = redis.register_script(_PUSH)
        self._served: Workflow | None = None

    async def push(self, workflow: Workflow, job_id: str) -> None:
        with answering("Redis"):
            await self._push(keys=[queue_name(workflow)], args=[job_id])

    async def pop(self, workflows: Iterable[Workflow], timeout_seconds: float) -> str | None:
        """Take the id that waits longest in one of the lists; wait for one; None after the time.

        The lists are looked at in the order given, but from the one after the list that was served last, so that a
        list which is never empty starves no other.
        """
        names = {queue_name(workflow): workflow for workflow in self._in_turn(list(workflows))}
        if not names:
            await asyncio.sleep(timeout_seconds)
            return None
        deadline = asyncio.get_running_loop().time() + timeout_seconds
        left = timeout_seconds
        while True:
            with answering("Redis"):
                popped = await self._redis.blpop(list(names), timeout=min(max(left, SHORTEST_BLOCK), BLOCK_SECONDS))
            if popped is not None:
                self._served = names[text_of(popped[0])]
                return text_of(popped[1])
            left = deadline - asyncio.get_running_loop().time()
            if left <= 0:
                return None

    async def put_back(self, workflow: Workflow, job_id: str) -> None:
        """Give an id back to the head of its list, when there is no room for the job here."""
        with answering("Redis"):
            async with self._redis.pipeline(transaction=True) as both:
                both.lrem(queue_name(workflow), 0, job_id)
                both.lpush(queue_name(workflow), job_id)
                await both.execute()

    async def remove(self, job_id: str) -> bool:
        """Take the id out of every list; tell whether it was in one."""
        with answering("Redis"):
            async with self._redis.pipeline(transaction=True) as every:
                for workflow in Workflow:
                    every.lrem(queue_name(workflow), 0, job_id)
                return any(await every.execute())

    async def waiting(self) -> set[str]:
        """Give all ids that wait in the lists."""
        with answering("Redis"):
            async with self._redis.pipeline(transaction=True) as every:
                for workflow in Workflow:
                    every.lrange(queue_name(workflow), 0, -1)
                return {job_id.decode() for ids in await every.execute() for job_id in ids}

    def _in_turn(self, workflows: list[Workflow]) -> list[Workflow]:
        if self._served not in workflows:
            return workflows
        turn = workflows.index(self._served) + 1
        return workflows[turn:] + workflows[:turn]


class Signals:
    """Short messages to every process: cancelled jobs, grown logs, filled outboxes."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def send(self, channel: str, message: str) -> None:
        with answering("Redis"):
            await self._redis.publish(channel, message)

    async def listen(self, channel: str) -> AsyncGenerator[str, None]:
        """Give the messages from now on, over reconnections; what is sent while there is no connection is lost.

        "Now" is when the first message is awaited; `listening` is for those who must know that they listen.
        """
        async with self.listening(channel) as messages:
            async for message in messages:
                yield message

    @asynccontextmanager
    async def listening(self, channel: str) -> AsyncIterator[AsyncIterator[str]]:
        """Give the messages since the block began."""
        async with self._redis.pubsub() as pubsub:
            with answering("Redis"):
                await pubsub.subscribe(channel)
                while await pubsub.get_message(timeout=LISTEN_SECONDS) is None:
                    pass
            async with aclosing(_messages(pubsub)) as messages:
                yield messages


async def _messages(pubsub: PubSub) -> AsyncGenerator[str, None]:
    connected = True
    while True:
        try:
            message = await pubsub.get_message(ignore_subscribe_messages=True, timeout=LISTEN_SECONDS)
        except (Unconnected, Unanswered) as error:
            if connected:
                logger.warning("Redis does not answer; signals wait until it is back: %s", error)
            connected = False
            await asyncio.sleep(RECONNECT_SECONDS * random.uniform(0.5, 1.5))  # noqa: S311 - jitter, no secret
            continue
        connected = True
        if message is not None:
            yield message["data"].decode()
