import asyncio
import time

import pytest

from virtool_gql.actors import Actor, acting
from virtool_gql.db.passwords import Passwords, check_password
from virtool_gql.errors import BadUserInput
from virtool_gql.executors import run_in_thread


@pytest.fixture
def passwords() -> Passwords:
    return Passwords(rounds=4)


@pytest.mark.parametrize("password", ["correct horse", "a\0b", "ü" * 200, "\ud800", "x" * 1_000])
async def test_a_password_is_known_again_and_no_other(passwords: Passwords, password: str) -> None:
    hashed = await passwords.hash(password)
    assert await passwords.verify(password, hashed)
    assert not await passwords.verify(password + "x", hashed)
    assert not await passwords.verify(password[:-1], hashed)


async def test_bytes_beyond_the_limit_of_bcrypt_count(passwords: Passwords) -> None:
    assert not await passwords.verify("x" * 72 + "b", await passwords.hash("x" * 72 + "a"))
    assert not await passwords.verify("a\0c", await passwords.hash("a\0b"))


async def test_the_same_letters_from_another_keyboard_are_the_same_password(passwords: Passwords) -> None:
    assert await passwords.verify("Bla\u0308tter", await passwords.hash("Blätter"))


async def test_nobody_has_a_password(passwords: Passwords) -> None:
    assert not await passwords.verify("", None)
    assert not await passwords.verify("correct horse", None)


async def test_the_answer_for_nobody_takes_as_long() -> None:
    passwords = Passwords(rounds=9)
    hashed = await passwords.hash("correct horse")
    known = min([await _seconds(passwords, hashed) for _ in range(5)])
    unknown = min([await _seconds(passwords, None) for _ in range(5)])
    assert 0.5 < unknown / known < 2


async def _seconds(passwords: Passwords, hashed: str | None) -> float:
    started = time.perf_counter()
    await passwords.verify("wrong", hashed)
    return time.perf_counter() - started


async def test_hashing_leaves_the_event_loop_free() -> None:
    passwords = Passwords(rounds=11)
    turns = 0
    hashing = asyncio.gather(*(passwords.hash("correct horse") for _ in range(4)))
    while not hashing.done():
        await asyncio.sleep(0)
        turns += 1
    assert turns > 100
    assert len(set(await hashing)) == 4


async def test_a_flood_from_one_address_keeps_nobody_else_waiting() -> None:
    passwords = Passwords(rounds=6)
    done: list[str] = []

    async def verify(address: str) -> None:
        with acting(Actor(user_id=None, handle="", address=address)):
            await passwords.verify("wrong", None)
        done.append(address)

    flood = [f"2001:db8::{number:x}" for number in range(40)]  # which one client can have
    await asyncio.gather(*(verify(address) for address in (*flood, "192.0.2.1")))
    assert done.index("192.0.2.1") < 6


async def test_who_begins_and_goes_away_again_and_again_takes_no_more_threads() -> None:
    passwords = Passwords(rounds=12)
    begun = time.perf_counter()
    await passwords.verify("wrong", None)
    one = time.perf_counter() - begun
    for _ in range(40):
        task = asyncio.create_task(passwords.verify("wrong", None))
        await asyncio.sleep(0.001)
        task.cancel()
    begun = time.perf_counter()
    await run_in_thread(lambda: None)
    assert time.perf_counter() - begun < 2 * one, "others need threads, too"
    assert not await passwords.verify("wrong", None), "the room is there again when they are done"


def test_the_length_is_checked() -> None:
    check_password("12345678", 8)
    with pytest.raises(BadUserInput, match=r"minimum length requirement \(8\)"):
        check_password("1234567", 8)
    with pytest.raises(BadUserInput, match="at most 1000"):
        check_password("x" * 1_001, 8)
