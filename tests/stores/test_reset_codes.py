import asyncio

from redis.asyncio import Redis

from virtool_gql.stores.reset_codes import Reset, ResetCodes

RESET = Reset(user_id="bob", credentials_version=3, remember=True)


async def test_a_code_is_taken_once(redis: Redis) -> None:
    codes = ResetCodes(redis)
    code = await codes.create(RESET)
    taken = await asyncio.gather(*(codes.take(code) for _ in range(100)))
    assert [reset for reset in taken if reset is not None] == [RESET]


async def test_a_code_lasts_ten_minutes_and_is_not_kept(redis: Redis) -> None:
    code = await ResetCodes(redis).create(RESET)
    [key] = await redis.keys()
    assert 598 <= await redis.ttl(key) <= 600
    assert code.encode() not in key + await redis.get(key)


async def test_what_is_no_code_opens_nothing(redis: Redis) -> None:
    codes = ResetCodes(redis)
    code = await codes.create(RESET)
    for wrong in ("", code[:-1], code + "x", "\0", "\ud800", "x" * 1_000_000):
        assert await codes.take(wrong) is None
    assert await codes.take(code) == RESET
