import asyncpg
from redis.asyncio import Redis

from virtool_gql.embedded import ServiceUrls


async def test_the_services_answer_at_their_urls(services: ServiceUrls, redis: Redis) -> None:
    connection = await asyncpg.connect(services.postgres)
    assert await connection.fetchval("SELECT 1") == 1
    await connection.close()
    assert await redis.set("key", "value")
    assert await redis.get("key") == b"value"
