"""Signing in: passwords, sessions and API keys."""

import hmac
from collections.abc import Sequence
from datetime import timedelta

import msgspec
from msgspec import structs

from virtool_gql.access import Viewer
from virtool_gql.db.credentials import Credentials
from virtool_gql.db.instance import Instance
from virtool_gql.db.names import HANDLE_LENGTH, comparable, handle_key
from virtool_gql.db.networks import network_of
from virtool_gql.db.passwords import Passwords
from virtool_gql.db.users import Users
from virtool_gql.errors import BadUserInput, NotFound
from virtool_gql.models.documents import Timestamp, moment_of
from virtool_gql.models.users import ApiKey, User
from virtool_gql.query import Eq
from virtool_gql.stores.digests import digest
from virtool_gql.stores.documents import first_of, modify
from virtool_gql.stores.redis import RateLimit
from virtool_gql.stores.reset_codes import Reset
from virtool_gql.stores.sessions import Session

LOGINS_A_MINUTE = 10
KEY_USE_NOTED_EVERY = timedelta(minutes=1)


class Visitor(msgspec.Struct, frozen=True, kw_only=True):
    """Whoever is about to sign in: from where, with which program, and the session that the new one replaces."""

    address: str
    agent: str = ""
    session_token: str | None = None


class SignedIn(msgspec.Struct, frozen=True, kw_only=True):
    """A session has started; its token is for the cookie alone."""

    token: str
    remember: bool


class ResetNeeded(msgspec.Struct, frozen=True, kw_only=True):
    """A new password must be set with the code; the error says why the last one was not."""

    code: str
    error: BadUserInput | None = None


class SignIn:
    """Who somebody is, by password, session token or API key. Nothing here tells whether a handle exists."""

    def __init__(
        self,
        instance: Instance,
        users: Users,
        passwords: Passwords,
        credentials: Credentials,
        limit: RateLimit,
    ) -> None:
        self._store = instance.store
        self._clock = instance.clock
        self._new_id = instance.new_id
        self._users = users
        self._passwords = passwords
        self._codes = credentials.codes
        self._sessions = credentials.sessions
        self._limit = limit

    async def login(
        self, handle: str, password: str, visitor: Visitor, *, remember: bool = False
    ) -> SignedIn | ResetNeeded:
        """Start a session in place of the visitor's; who must choose a new password gets a reset code instead."""
        tries = _tries_of(handle, visitor.address)
        await self._limit.take(tries)
        user = await self._users.by_handle(handle)
        known = await self._passwords.verify(password, user.password_hash if user else None)
        if user is None or not known:
            raise BadUserInput("Invalid username or password.")
        if not user.active:
            raise BadUserInput("User is deactivated. Ask an administrator to activate you.")
        await self._limit.forget(tries)
        if user.force_reset:
            reset = Reset(user_id=user.id, credentials_version=user.credentials_version, remember=remember)
            return ResetNeeded(code=await self._codes.create(reset))
        return await self.enter(user, visitor, remember=remember)

    async def enter(self, user: User, visitor: Visitor, *, remember: bool) -> SignedIn:
        """Start a session in place of the visitor's."""
        token = await self.start_session(
            user, remember=remember, address=visitor.address, replaces=visitor.session_token, agent=visitor.agent
        )
        return SignedIn(token=token, remember=remember)

    async def start_session(
        self, user: User, *, remember: bool, address: str, replaces: str | None = None, agent: str = ""
    ) -> str:
        """Start a session and give its token, always a new one. It works if the user is still as they were read."""
        if replaces is not None:
            await self._sessions.delete(replaces)
        at = self._clock()
        return await self._sessions.create(
            Session(
                id=self._new_id(),
                user_id=user.id,
                credentials_version=user.credentials_version,
                created_at=at,
                last_used_at=at,
                address=address,
                agent=agent,
                remember=remember,
            ),
        )

    async def logout(self, token: str) -> None:
        await self._sessions.delete(token)

    async def by_session(self, token: str) -> Viewer | None:
        """Give the viewer of a session, and count it as used."""
        session = await self._sessions.get(token)
        return await self._users.viewer(session.user_id, session) if session else None

    async def still_sessions(self, tokens: Sequence[str]) -> dict[str, Viewer]:
        """Give the viewers of the sessions that there still are, without counting them as used."""
        return await self._users.viewers(await self._sessions.peek_many(tokens))

    async def by_key(self, key: str, handle: str | None = None) -> Viewer | None:
        """Give the viewer of an API key; a handle, if it is given, must be that of the key's owner."""
        api_key = await first_of(self._store, ApiKey, Eq("key_hash", digest(key)))
        viewer = await self._by_stored_key(api_key)
        if api_key is None or viewer is None or (handle is not None and not _same(handle, viewer.handle)):
            return None
        await self._note_use(api_key)
        return viewer

    async def again(self, viewer: Viewer, token: str | None) -> Viewer | None:
        """Give what a viewer may do by now, whom a session (that of the token) or an API key has signed in."""
        if viewer.key_id is not None:
            return await self._by_stored_key(await self._store.get(ApiKey, viewer.key_id))
        if token is not None:
            return (await self.still_sessions([token])).get(token)
        return await self._users.viewer(viewer.user_id)

    async def _by_stored_key(self, key: ApiKey | None) -> Viewer | None:
        if key is None or (key.expires_at is not None and key.expires_at <= self._clock()):
            return None
        return await self._users.viewer(key.user_id, key)

    async def _note_use(self, key: ApiKey) -> None:
        at = self._clock()
        if _is_recent(key.last_used_at, at):
            return
        try:
            await modify(self._store, ApiKey, key.id, lambda now: _used(now, at))
        except NotFound:
            return  # deleted just now; this request came before


def _used(key: ApiKey, at: Timestamp) -> ApiKey:
    return key if _is_recent(key.last_used_at, at) else structs.replace(key, last_used_at=at)


def _is_recent(last: Timestamp | None, at: Timestamp) -> bool:
    return last is not None and moment_of(at) - moment_of(last) < KEY_USE_NOTED_EVERY


def _tries_of(handle: str, address: str) -> str:
    return f"{handle_key(handle) or ''} {network_of(address)}"


def _same(handle: str, other: str) -> bool:
    first, second = (comparable(text[:HANDLE_LENGTH]).encode("utf-8", "surrogatepass") for text in (handle, other))
    return len(handle) <= HANDLE_LENGTH and hmac.compare_digest(first, second)
