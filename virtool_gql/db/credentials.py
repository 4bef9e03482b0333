"""What a user signs in with besides the password: sessions and API keys, and how all of them end at once.

Each session and key holds the `credentials_version` that its user had when it was made, and works only as long as the
user still has it. So the write that changes a password or a role ends them too, in one step: no crash, no sign-in that
is under way, and no Redis that is down at that moment lets one survive.
"""

from msgspec import structs

from virtool_gql.models.users import ApiKey, User
from virtool_gql.query import Eq, Page
from virtool_gql.stores.documents import Documents
from virtool_gql.stores.redis import Sessions


def ended(user: User) -> User:
    """Give the user without any session or key that works."""
    return structs.replace(user, credentials_version=user.credentials_version + 1)


class Credentials:
    """Clears away the sessions and keys that have ended."""

    def __init__(self, store: Documents, sessions: Sessions) -> None:
        self._store = store
        self._sessions = sessions

    async def forget(self, user_id: str, *, but: str | None = None) -> None:
        """Remove the user's keys and sessions, but the session of that token."""
        keys = (await self._store.find(ApiKey, Eq("user_id", user_id), page=Page(first=None))).documents
        if keys:
            await self._store.delete(*keys)
        await self._sessions.delete_of(user_id, but=but)
