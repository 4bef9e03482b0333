"""API keys: secrets by which scripts act for their users."""

import hashlib
import secrets
from collections.abc import Iterable

from virtool_gql.access import Viewer, readable_keys
from virtool_gql.db.instance import Instance
from virtool_gql.db.listing import Listing
from virtool_gql.db.names import single_line
from virtool_gql.errors import Forbidden
from virtool_gql.models.documents import NewId
from virtool_gql.models.users import ApiKey, Permission

SECRET_BYTES = 32


def new_secret() -> str:
    return secrets.token_urlsafe(SECRET_BYTES)


def key_hash(secret: str) -> str:
    """Give what is kept of a key; its 256 random bits need no slow hash."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


class ApiKeys(Listing[ApiKey]):
    """A user's own keys; nobody reads those of others."""

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
    ) -> tuple[ApiKey, str]:
        """Make a key; give it with its secret, which is not kept. It gets no permission that its owner has not."""
        _signed_in_by_password(viewer)
        if administrator and not viewer.administrator:
            raise Forbidden("Only an administrator can make a key of an administrator.")
        secret = self._new_secret()
        key = ApiKey(
            id=self.instance.new_id(),
            name=single_line(name, "name", may_be_empty=False),
            key_hash=key_hash(secret),
            user_id=viewer.user_id,
            permissions=tuple(sorted(viewer.permissions & frozenset(permissions))),
            administrator=administrator,
            created_at=self.instance.clock(),
        )
        return (await self.store.insert(key))[0], secret

    async def delete(self, viewer: Viewer, id: str) -> ApiKey:
        _signed_in_by_password(viewer)
        key = await self.get(viewer, id)
        await self.store.delete(key)
        return key


def _signed_in_by_password(viewer: Viewer) -> None:
    """Keep a stolen key from making others that outlive it."""
    if viewer.key_id is not None:
        raise Forbidden("An API key can neither make nor delete API keys; sign in with your password.")
