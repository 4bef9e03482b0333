"""Passwords: how they are hashed and compared."""

import asyncio
import base64
import hashlib
import unicodedata

import bcrypt

from virtool_gql.db.settings import SettingsWrapper
from virtool_gql.errors import BadUserInput
from virtool_gql.executors import run_in_thread

LONGEST_PASSWORD = 1_000
HASHED_AT_ONCE = 2


class Passwords:
    """bcrypt over the SHA-256 of the password, so that bcrypt neither cuts at 72 bytes nor stops at a NUL.

    It runs in threads, few at once: a flood of logins takes neither the event loop nor the threads that files need.
    """

    def __init__(self, rounds: int = 12) -> None:
        self._rounds = rounds
        self._nobody = bcrypt.gensalt(rounds).decode() + "." * 31
        self._room = asyncio.Semaphore(HASHED_AT_ONCE)

    async def hash(self, password: str) -> str:
        async with self._room:
            hashed = await run_in_thread(bcrypt.hashpw, _digest(password), bcrypt.gensalt(self._rounds))
        return hashed.decode()

    async def verify(self, password: str, password_hash: str | None) -> bool:
        """Tell whether the password has the hash; without a hash the answer is no, and takes the same time."""
        hashed = self._nobody if password_hash is None else password_hash
        async with self._room:
            equal = await run_in_thread(bcrypt.checkpw, _digest(password), hashed.encode())
        return equal and password_hash is not None and len(password) <= LONGEST_PASSWORD


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
