"""Passwords: how they are hashed and compared."""

import asyncio
import base64
import hashlib
import unicodedata
from collections.abc import Callable
from typing import ParamSpec, TypeVar

import bcrypt

from virtool_gql.actors import current_actor
from virtool_gql.db.networks import network_of
from virtool_gql.db.room import Room
from virtool_gql.db.settings import SettingsWrapper
from virtool_gql.errors import BadUserInput
from virtool_gql.executors import run_in_thread

LONGEST_PASSWORD = 1_000
HASHED_AT_ONCE = 2

P = ParamSpec("P")
T = TypeVar("T")


class Passwords:
    """bcrypt over the SHA-256 of the password, so that bcrypt neither cuts at 72 bytes nor stops at a NUL.

    It runs in threads, few at once: a flood of logins takes neither the event loop nor the threads that files need. Of
    those who wait, each user and each network has its turn: a flood from one of them keeps nobody else waiting.
    """

    def __init__(self, rounds: int = 12) -> None:
        self._rounds = rounds
        self._nobody = bcrypt.gensalt(rounds).decode() + "." * 31
        self._room = Room(HASHED_AT_ONCE)

    async def hash(self, password: str) -> str:
        return (await self._in_turn(bcrypt.hashpw, _digest(password), bcrypt.gensalt(self._rounds))).decode()

    async def verify(self, password: str, password_hash: str | None) -> bool:
        """Tell whether the password has the hash; without a hash the answer is no, and takes the same time."""
        hashed = self._nobody if password_hash is None else password_hash
        equal = await self._in_turn(bcrypt.checkpw, _digest(password), hashed.encode())
        return equal and password_hash is not None and len(password) <= LONGEST_PASSWORD

    async def _in_turn(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run what takes long; whoever goes away meanwhile leaves its room only when the thread is done."""
        await self._room.enter(_party())
        running = asyncio.ensure_future(run_in_thread(function, *args, **kwargs))
        running.add_done_callback(lambda _: self._room.leave())
        return await asyncio.shield(running)


def _party() -> str:
    """Name whoever is at work: the user, or as long as nobody is known, where they come from."""
    actor = current_actor()
    return "" if actor is None else actor.user_id or network_of(actor.address)


class NewPasswords:
    """What a password must be before it is set, by these settings."""

    def __init__(self, settings: SettingsWrapper, passwords: Passwords) -> None:
        self._settings = settings
        self._passwords = passwords
        self.verify = passwords.verify

    async def check(self, password: str) -> None:
        """Raise BadUserInput when the password is not acceptable."""
        check_password(password, (await self._settings.get()).minimum_password_length)

    async def hash(self, password: str) -> str:
        """Give what is stored of an acceptable password."""
        await self.check(password)
        return await self._passwords.hash(password)


def check_password(password: str, minimum_length: int) -> None:
    if len(_normal(password)) < minimum_length:
        message = f"Password does not meet minimum length requirement ({minimum_length})."
        raise BadUserInput(message, path=["password"])
    if len(password) > LONGEST_PASSWORD:
        raise BadUserInput(f"A password has at most {LONGEST_PASSWORD} characters.", path=["password"])


def _digest(password: str) -> bytes:
    return base64.b64encode(hashlib.sha256(_normal(password).encode("utf-8", "surrogatepass")).digest())


def _normal(password: str) -> str:
    # NFC, because keyboards differ in how they compose the same letters.
    return unicodedata.normalize("NFC", password[: LONGEST_PASSWORD + 1])
