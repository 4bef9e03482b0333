"""What a user signs in with besides the password: sessions and API keys, and how all of them end at once.

Each session and key holds the `credentials_version` that its user had when it was made, and works only as long as the
user still has it. So the write that changes a password or a role ends them too, in one step: no crash, no sign-in that
is under way, and no Redis that is down at that moment lets one survive. Who changes their own password stays signed in:
that write also names the one session that it keeps, until the next write of this kind.
"""

import logging
from typing import TypeAlias

from msgspec import structs

from virtool_gql.errors import StaleDocument, UpstreamUnavailable
from virtool_gql.models.users import ApiKey, User
from virtool_gql.query import Eq, Page
from virtool_gql.stores.documents import Documents
from virtool_gql.stores.reset_codes import ResetCodes
from virtool_gql.stores.sessions import Session, Sessions

log = logging.getLogger(__name__)

Credential: TypeAlias = ApiKey | Session


def ended(user: User, *, but: str | None = None) -> User:
    """Give the user without any session or key that works, but the session of that id."""
    return structs.replace(user, credentials_version=user.credentials_version + 1, kept_session_id=but)


def works(user: User, credential: Credential) -> bool:
    """Tell whether the session or key still stands for the user."""
    if credential.user_id != user.id:
        return False
    if credential.credentials_version == user.credentials_version:
        return True
    return isinstance(credential, Session) and credential.id == user.kept_session_id


class Credentials:
    """The sessions and reset codes, and the clearing away of sessions and keys that have ended."""

    def __init__(self, store: Documents, sessions: Sessions, codes: ResetCodes) -> None:
        self._store = store
        self.sessions = sessions
        self.codes = codes

    async def forget(self, user_id: str) -> None:
        """Remove the user's keys and sessions that work no more.

        None of them opens anything; so a store that does not answer now is no error of whoever ended them.
        """
        try:
            await self._forget(user_id)
        except (StaleDocument, UpstreamUnavailable) as error:
            log.warning("Sessions and keys that ended could not be cleared away: %s", error.message)

    async def _forget(self, user_id: str) -> None:
        user = await self._store.get(User, user_id)
        keys = (await self._store.find(ApiKey, Eq("user_id", user_id), page=Page(first=None))).documents
        useless = [key for key in keys if user is None or not works(user, key)]
        if useless:
            await self._store.delete(*useless)
        sessions = await self.sessions.of(user_id)
        ids = [session.id for session in sessions if user is None or not works(user, session)]
        await self.sessions.delete_many(user_id, ids)
