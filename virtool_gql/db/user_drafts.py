"""Users before they are stored: every value checked, the password hashed."""

from collections.abc import Iterable
from typing import Any

from virtool_gql.db.groups import check_groups, gone_groups
from virtool_gql.db.instance import Instance
from virtool_gql.db.names import comparable, user_handle
from virtool_gql.db.passwords import NewPasswords
from virtool_gql.db.updates import to_values
from virtool_gql.db.user_inputs import NewUser, UserChanges, changed, email_address
from virtool_gql.errors import BadUserInput
from virtool_gql.models.users import User


class UserDrafts:
    """What people say of users, as it is stored; raises BadUserInput for what is not acceptable."""

    def __init__(self, instance: Instance, new_passwords: NewPasswords) -> None:
        self._store = instance.store
        self._clock = instance.clock
        self._new_passwords = new_passwords

    async def new(self, id: str, new: NewUser, key: str | None = None) -> User:
        handle, email = user_handle(new.handle), email_address(new.email)
        group_ids = await self._groups(new.group_ids)
        await self._check_primary_group(new.primary_group_id)
        password_hash = await self._new_passwords.hash(new.password)
        at = self._clock()
        user = User(
            id=id,
            handle=handle,
            handle_key=comparable(handle),
            creation_key=key,
            password_hash=password_hash,
            administrator=new.administrator,
            group_ids=group_ids,
            force_reset=new.force_reset,
            email=email,
            created_at=at,
            last_password_change=at,
        )
        return changed(user, {"primary_group_id": new.primary_group_id})

    async def values(self, changes: UserChanges) -> dict[str, Any]:
        values = to_values(changes)
        if "handle" in values:
            handle = user_handle(values["handle"])
            values |= {"handle": handle, "handle_key": comparable(handle)}
        if "email" in values:
            values["email"] = email_address(values["email"])
        if "group_ids" in values:
            values["group_ids"] = await self._groups(values["group_ids"])
        await self._check_primary_group(values.get("primary_group_id"))
        if "password" in values:
            password_hash = await self._new_passwords.hash(values.pop("password"))
            values |= {"password_hash": password_hash, "last_password_change": self._clock()}
        return values

    async def _groups(self, group_ids: Iterable[str]) -> tuple[str, ...]:
        unique = tuple(dict.fromkeys(group_ids))
        await check_groups(self._store, unique)
        return unique

    async def _check_primary_group(self, group_id: str | None) -> None:
        if group_id is not None and await gone_groups(self._store, [group_id]):
            raise BadUserInput("Primary group does not exist.", path=["primary_group_id"])
