"""The hold of one relay on the stream."""

import asyncio
import logging
import secrets

from redis.asyncio import Redis
from redis.exceptions import RedisError

logger = logging.getLogger(__name__)

LEASE_MILLISECONDS = 2_000
RENEW_SECONDS = 0.5

_TAKE = """
local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1
"""

_RENEW = """
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])
"""

_RELEASE = """
if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end
"""


class RelayLease:
    """One of all relays holds it. `held` is what was so a moment ago; the scripts that write look at the token again.

    Each holding has a token of its own: what a relay read before it lost the lease is void even if it gets it back.
    """

    key = "events:relay"

    def __init__(self, redis: Redis) -> None:
        self.token = ""
        self.held = False
        self._take = redis.register_script(_TAKE)
        self._renew = redis.register_script(_RENEW)
        self._release = redis.register_script(_RELEASE)

    async def take(self) -> bool:
        """Try to get hold of it."""
        self.token = secrets.token_hex(16)
        self.held = bool(await self._take(keys=[self.key], args=[self.token, LEASE_MILLISECONDS]))
        return self.held

    def lost(self) -> None:
        self.held = False

    async def keep(self) -> None:
        """Renew it for as long as this runs."""
        while True:
            await asyncio.sleep(RENEW_SECONDS)
            if self.held:
                await self._renew_once(self.token)

    async def release(self) -> None:
        """Let the next relay take over at once."""
        if not self.held:
            return
        self.held = False
        try:
            async with asyncio.timeout(1):
                await self._release(keys=[self.key], args=[self.token])
        except (RedisError, OSError, TimeoutError) as error:
            logger.info("The lease of the relay runs out by itself: %s", error)

    async def _renew_once(self, token: str) -> None:
        try:
            held = await self._renew(keys=[self.key], args=[token, LEASE_MILLISECONDS])
        except (RedisError, OSError):
            return
        if not held and token == self.token:
            self.held = False
