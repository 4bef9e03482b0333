"""What whoever runs the machine does for users who are locked out; nobody is asked for rights here."""

import secrets
from collections.abc import Iterable
from datetime import timedelta

from msgspec import structs

from virtool_gql.db.credentials import ended
from virtool_gql.db.database import Database
from virtool_gql.db.passwords import NewPasswords, Passwords
from virtool_gql.errors import BadUserInput, Conflict, NotFound
from virtool_gql.models.documents import moment_of, timestamp
from virtool_gql.models.users import Permission, User
from virtool_gql.stores.documents import modify

GENERATED_LENGTH = 20


class Operators:
    """Users and keys as an operator makes and mends them."""

    def __init__(self, db: Database, passwords: Passwords) -> None:
        self._db = db
        self._new_passwords = NewPasswords(db.settings, passwords)

    async def new_password(self) -> str:
        """Make a password up, long enough for the settings; it holds 120 random bits or more."""
        length = max(GENERATED_LENGTH, (await self._db.settings.get()).minimum_password_length)
        return secrets.token_urlsafe(length)[:length]

    async def create_administrator(self, handle: str, password: str) -> User:
        return await self._db.users.create(handle, password, administrator=True)

    async def reset_password(self, handle: str, password: str, *, activate: bool = False, keep: bool = False) -> User:
        """Set a user's password and end all their sessions and keys.

        They must choose another at the next login, unless it is to be kept.
        """
        user = await self._user(handle)
        password_hash, at = await self._new_passwords.hash(password), self._db.instance.clock()

        def reset(user: User) -> User:
            active = user.active or activate
            changes = {"password_hash": password_hash, "force_reset": not keep, "active": active}
            return ended(structs.replace(user, **changes, last_password_change=at))

        user = await modify(self._db.store, User, user.id, reset)
        await self._db.credentials.forget(user.id)
        return user

    async def create_key(
        self,
        handle: str,
        name: str,
        permissions: Iterable[Permission] = (),
        *,
        administrator: bool = False,
        days: int | None = None,
    ) -> tuple[User, str]:
        """Make an API key of a user; give its secret. What the user may not do is refused."""
        user = await self._user(handle)
        viewer = await self._db.users.viewer(user.id)
        if viewer is None:
            raise Conflict(f"{user.handle} is deactivated, and so would be the key.")
        wanted = frozenset(permissions)
        lacking = sorted(wanted - viewer.permissions)
        if lacking:
            raise BadUserInput(f"{user.handle} does not have the permission {lacking[0].name}.")
        at = moment_of(self._db.instance.clock())
        expires_at = None if days is None else timestamp(at + timedelta(days=days))
        _, secret = await self._db.keys.create(viewer, name, wanted, administrator=administrator, expires_at=expires_at)
        return user, secret

    async def _user(self, handle: str) -> User:
        user = await self._db.users.by_handle(handle)
        if user is None:
            raise NotFound("There is no user of that handle.")
        return user
