"""Setting a new password with a reset code, by those who are told at their login that they must."""

from typing import Any

from msgspec import structs

from virtool_gql.actors import become
from virtool_gql.db.credentials import Credentials, ended
from virtool_gql.db.instance import Instance
from virtool_gql.db.passwords import NewPasswords
from virtool_gql.db.sign_in import ResetNeeded, SignedIn, SignIn, Visitor
from virtool_gql.errors import BadUserInput, NotFound
from virtool_gql.models.users import User
from virtool_gql.stores.documents import modify
from virtool_gql.stores.redis import RateLimit
from virtool_gql.stores.reset_codes import Reset


class Resets:
    """What a reset code opens: a new password, once, and nothing else."""

    def __init__(
        self,
        instance: Instance,
        new_passwords: NewPasswords,
        credentials: Credentials,
        sign_in: SignIn,
        limit: RateLimit,
    ) -> None:
        self._store = instance.store
        self._clock = instance.clock
        self._new_passwords = new_passwords
        self._credentials = credentials
        self._sign_in = sign_in
        self._codes = credentials.codes
        self._limit = limit

    async def reset(self, code: str, password: str, visitor: Visitor) -> SignedIn | ResetNeeded:
        """Set the password and sign in; a password that is not acceptable changes nothing and gives a new code."""
        await self._limit.take(visitor.address)
        reset = await self._codes.take(code)
        if reset is None:
            raise _invalid()
        user = _check(await self._store.get(User, reset.user_id), reset)
        become(user.id, user.handle)
        try:
            password_hash = await self._new_passwords.hash(password)
        except BadUserInput as error:
            return ResetNeeded(code=await self._codes.create(reset), error=error)
        user = await self._replaced(reset, password_hash)
        await self._credentials.forget(user.id)
        await self._limit.forget(visitor.address)
        return await self._sign_in.enter(user, visitor, remember=reset.remember)

    async def _replaced(self, reset: Reset, password_hash: str) -> User:
        values: dict[str, Any] = {
            "password_hash": password_hash,
            "force_reset": False,
            "last_password_change": self._clock(),
        }
        try:
            return await modify(
                self._store, User, reset.user_id, lambda user: ended(structs.replace(_check(user, reset), **values))
            )
        except NotFound as error:
            raise _invalid() from error


def _check(user: User | None, reset: Reset) -> User:
    """Give the user if the code still counts: whatever ends their sessions ends it too."""
    counts = user is not None and user.active and user.force_reset
    if user is None or not counts or user.credentials_version != reset.credentials_version:
        raise _invalid()
    return user


def _invalid() -> BadUserInput:
    return BadUserInput("Invalid reset code. Sign in again for another.", path=["reset_code"])
