"""Who is at work, as each task sees it."""

import asyncio

from virtool_gql.actors import Actor, acting, become, current_actor

ADA = Actor(user_id="ada", handle="Ada", action="plant")
STRANGER = Actor(user_id=None, handle="", address="192.0.2.1", action="login")


def test_nobody_is_at_work_but_in_the_block() -> None:
    assert current_actor() is None
    with acting(STRANGER):
        with acting(ADA):
            assert current_actor() == ADA
        assert current_actor() == STRANGER
    assert current_actor() is None


def test_a_stranger_becomes_somebody_until_the_block_ends() -> None:
    become("ada", "Ada")
    assert current_actor() is None
    with acting(STRANGER):
        become("ada", "Ada")
        assert current_actor() == Actor(user_id="ada", handle="Ada", address="192.0.2.1", action="login")
    assert current_actor() is None


async def test_a_task_inherits_the_actor_and_keeps_it_to_itself() -> None:
    async def worker(actor: Actor) -> Actor | None:
        with acting(actor):
            await asyncio.sleep(0)
            return current_actor()

    with acting(ADA):
        inherited = asyncio.create_task(_seen())
        others = [Actor(user_id=f"user{number}", handle="") for number in range(10)]
        assert await asyncio.gather(*map(worker, others)) == others
        assert current_actor() == ADA
    assert await inherited == ADA


async def _seen() -> Actor | None:
    return current_actor()
