"""API keys: secrets by which scripts act for their users."""

import secrets
from collections.abc import Iterable
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from virtool_gql.access import Viewer, readable_keys
from virtool_gql.db.instance import Instance
from virtool_gql.db.listing import Listing
from virtool_gql.db.names import single_line
from virtool_gql.db.retries import retried
from virtool_gql.db.updates import to_values, with_values
from virtool_gql.errors import BadUserInput, Conflict, Forbidden
from virtool_gql.models.documents import NewId, Timestamp
from virtool_gql.models.users import ApiKey, Permission
from virtool_gql.query import Page
from virtool_gql.stores.digests import digest
from virtool_gql.stores.documents import modify

SECRET_BYTES = 32


class KeyChanges(msgspec.Struct, frozen=True, kw_only=True):
    """What is to change of a key; what is not set stays. `expires_at` None lets it work for ever."""

    name: str | UnsetType = UNSET
    permissions: tuple[Permission, ...] | UnsetType = UNSET
    administrator: bool | UnsetType = UNSET
    expires_at: Timestamp | UnsetType | None = UNSET


def new_secret() -> str:
    return secrets.token_urlsafe(SECRET_BYTES)


class ApiKeys(Listing[ApiKey]):
    """A user's own keys; nobody reads those of others. Whoever changes them has signed in with the password."""

    noun = "API key"

    def __init__(self, instance: Instance, new_secret: NewId = new_secret) -> None:
        super().__init__(instance, ApiKey, readable_keys)
        self._new_secret = new_secret

    async def create(
        self,
        viewer: Viewer,
        name: str,
        permissions: Iterable[Permission] = (),
        *,
        administrator: bool = False,
        expires_at: Timestamp | None = None,
    ) -> tuple[ApiKey, str]:
        """Make a key; give it with its secret, which is not kept. It gets no permission that its owner has not."""
        viewer.require_session()
        asked = KeyChanges(
            name=name, permissions=tuple(permissions), administrator=administrator, expires_at=expires_at
        )
        secret = self._new_secret()
        key = ApiKey(
            **self._values(viewer, asked),
            id=self.instance.new_id(),
            key_hash=digest(secret),
            user_id=viewer.user_id,
            credentials_version=viewer.credentials_version,
            created_at=self.instance.clock(),
        )
        return (await self.store.insert(key))[0], secret

    async def update(
        self, viewer: Viewer, id: str, changes: KeyChanges, *, expected_version: int | None = None
    ) -> ApiKey:
        """Change a key; it gets no permission that its owner has not."""
        viewer.require_session()
        await self.get(viewer, id)
        values = self._values(viewer, changes)

        def changed(key: ApiKey) -> ApiKey:
            if expected_version not in {None, key.version}:
                raise Conflict("The key was changed or used in the meantime; read it again.")
            return with_values(key, values)

        return await modify(self.store, ApiKey, id, changed, self.readable(viewer))

    async def delete(self, viewer: Viewer, id: str) -> ApiKey:
        viewer.require_session()
        return await retried(lambda: self._delete(viewer, id))

    async def _delete(self, viewer: Viewer, id: str) -> ApiKey:
        key = await self.get(viewer, id)
        await self.store.delete(key)
        return key

    async def delete_all(self, viewer: Viewer) -> int:
        """Delete the viewer's keys; give how many there were."""
        viewer.require_session()
        return await retried(lambda: self._delete_all(viewer))

    async def _delete_all(self, viewer: Viewer) -> int:
        keys = (await self.find(viewer, page=Page(first=None))).documents
        if keys:
            await self.store.delete(*keys)
        return len(keys)

    def _values(self, viewer: Viewer, changes: KeyChanges) -> dict[str, Any]:
        """Give the changes as they are stored; raise an error for what is not acceptable."""
        values = to_values(changes)
        if "name" in values:
            values["name"] = single_line(values["name"], "name", may_be_empty=False)
        if "permissions" in values:
            values["permissions"] = tuple(sorted(viewer.permissions & frozenset(values["permissions"])))
        if values.get("administrator") and not viewer.administrator:
            raise Forbidden("Only an administrator can make a key of an administrator.")
        if values.get("expires_at") is not None and values["expires_at"] <= self.instance.clock():
            raise BadUserInput("A key expires in the future.", path=["expires_at"])
        return values
