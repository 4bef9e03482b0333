"""What people change of themselves: address, password, how they like to work, and where they are signed in."""

from typing import Any

import msgspec
from msgspec import UNSET, UnsetType, structs

from virtool_gql.access import Viewer
from virtool_gql.db.credentials import Credentials, ended, works
from virtool_gql.db.instance import Instance
from virtool_gql.db.passwords import NewPasswords
from virtool_gql.db.updates import to_values, with_values
from virtool_gql.db.user_inputs import email_address
from virtool_gql.errors import BadUserInput, Conflict, NotFound, Unauthenticated
from virtool_gql.models.users import User
from virtool_gql.stores.documents import modify
from virtool_gql.stores.redis import RateLimit
from virtool_gql.stores.sessions import Session
from virtool_gql.workflows import Workflow

ANALYSES = frozenset({Workflow.PATHOSCOPE_BOWTIE, Workflow.NUVS})


class AccountChanges(msgspec.Struct, frozen=True, kw_only=True):
    """What is to change of an account; what is not set stays."""

    email: str | UnsetType = UNSET
    password: str | UnsetType = UNSET


class SettingsChanges(msgspec.Struct, frozen=True, kw_only=True):
    """What is to change of how somebody works; what is not set stays."""

    show_ids: bool | UnsetType = UNSET
    show_versions: bool | UnsetType = UNSET
    skip_quick_analyze_dialog: bool | UnsetType = UNSET
    quick_analyze_workflow: Workflow | UnsetType = UNSET


class Account:
    """A viewer's own user and sessions. An API key only reads them."""

    def __init__(
        self, instance: Instance, new_passwords: NewPasswords, credentials: Credentials, limit: RateLimit
    ) -> None:
        self._store = instance.store
        self._clock = instance.clock
        self._new_passwords = new_passwords
        self._credentials = credentials
        self._sessions = credentials.sessions
        self._limit = limit

    async def get(self, viewer: Viewer) -> User:
        user = await self._store.get(User, viewer.user_id)
        if user is None:
            raise Unauthenticated
        return user

    async def update(
        self, viewer: Viewer, changes: AccountChanges, *, old_password: str | None = None, token: str | None = None
    ) -> User:
        """Change the e-mail address or the password, which ends all keys and sessions but that of the token."""
        viewer.require_session()
        values: dict[str, Any] = {} if changes.email is UNSET else {"email": email_address(changes.email)}
        if changes.password is UNSET:
            return await modify(self._store, User, viewer.user_id, lambda user: with_values(user, values))
        values |= await self._new_password(viewer, changes.password, old_password)
        session = await self._session(token)

        def change(user: User) -> User:
            if user.credentials_version != viewer.credentials_version:
                raise Conflict("Your password or your role was changed in the meantime; try again.")
            kept = session.id if session is not None and works(user, session) else None
            return ended(structs.replace(user, **values), but=kept)

        user = await modify(self._store, User, viewer.user_id, change)
        await self._credentials.forget(user.id)
        return user

    async def _new_password(self, viewer: Viewer, password: str, old_password: str | None) -> dict[str, Any]:
        """Give what is stored of a new password. A stolen session is no way to guess the old one."""
        await self._new_passwords.check(password)
        if old_password is None:
            raise BadUserInput("The old password is needed to set a new one.", path=["old_password"])
        await self._limit.take(viewer.user_id)
        user = await self.get(viewer)
        if not await self._new_passwords.verify(old_password, user.password_hash):
            raise BadUserInput("Invalid credentials.", path=["old_password"])
        await self._limit.forget(viewer.user_id)
        password_hash = await self._new_passwords.hash(password)
        return {"password_hash": password_hash, "force_reset": False, "last_password_change": self._clock()}

    async def update_settings(self, viewer: Viewer, changes: SettingsChanges) -> User:
        """Change how the viewer likes to work."""
        viewer.require_session()
        if changes.quick_analyze_workflow is not UNSET and changes.quick_analyze_workflow not in ANALYSES:
            raise BadUserInput("This workflow is no analysis.", path=["quick_analyze_workflow"])
        values = to_values(changes)

        def change(user: User) -> User:
            return with_values(user, {"settings": with_values(user.settings, values)})

        return await modify(self._store, User, viewer.user_id, change)

    async def sessions(self, viewer: Viewer) -> list[Session]:
        """Give the viewer's sessions, the one that was used last first."""
        user = await self.get(viewer)
        return [session for session in await self._sessions.of(user.id) if works(user, session)]

    async def session_id(self, token: str | None) -> str | None:
        """Give the id of the token's session."""
        session = await self._session(token)
        return session.id if session else None

    async def end_session(self, viewer: Viewer, id: str) -> None:
        """End one of the viewer's sessions; those of others are not there for them."""
        viewer.require_session()
        if id not in {session.id for session in await self.sessions(viewer)}:
            raise NotFound("There is no session of that id.", path=["id"])
        await self._sessions.delete_many(viewer.user_id, [id])

    async def end_other_sessions(self, viewer: Viewer, token: str | None) -> int:
        """End all of the viewer's sessions but that of the token; tell how many there were."""
        viewer.require_session()
        own = await self.session_id(token)
        others = [session.id for session in await self.sessions(viewer) if session.id != own]
        await self._sessions.delete_many(viewer.user_id, others)
        return len(others)

    async def _session(self, token: str | None) -> Session | None:
        return None if token is None else (await self._sessions.peek_many([token])).get(token)
