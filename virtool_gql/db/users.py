"""Users: who can sign in, and what each may do at this moment."""

from collections.abc import Callable, Iterable, Mapping

from msgspec import UNSET

from virtool_gql.access import Viewer, readable_users, viewer_of
from virtool_gql.db.creation import Turns, created_once, creation_key
from virtool_gql.db.credentials import Credential, Credentials, works
from virtool_gql.db.groups import gone_groups
from virtool_gql.db.instance import Instance
from virtool_gql.db.listing import Listing
from virtool_gql.db.names import handle_key, told_when_taken
from virtool_gql.db.passwords import NewPasswords
from virtool_gql.db.retries import retried
from virtool_gql.db.updates import check_version
from virtool_gql.db.user_drafts import UserDrafts
from virtool_gql.db.user_inputs import NewUser, UserChanges, changed, rules, seen_by
from virtool_gql.errors import BadUserInput, Conflict, DuplicateValue, Forbidden, NotFound
from virtool_gql.models.users import ApiKey, Group, User
from virtool_gql.query import Eq, Filter
from virtool_gql.stores.documents import Documents, first_of, modify
from virtool_gql.stores.sessions import Session

__all__ = ["NewUser", "UserChanges", "Users"]

FIRST_USER_ID = "first"
TAKEN = ("handle_key", "handle", "User already exists.")


class Users(Listing[User]):
    """The users, whom everybody who is signed in may read."""

    noun = "user"

    def __init__(self, instance: Instance, new_passwords: NewPasswords, credentials: Credentials) -> None:
        super().__init__(instance, User, readable_users)
        self._drafts = UserDrafts(instance, new_passwords)
        self._credentials = credentials
        self._turns = Turns()

    def meant(self, viewer: Viewer, where: Filter) -> Filter:
        """Give what a filter means to the viewer. Whoever loses a role is signed out, and hears no more changes."""
        return seen_by(viewer, where)

    async def any_exist(self) -> bool:
        return await any_users(self.store)

    async def create_first(self, handle: str, password: str) -> User:
        """Make the first user, an administrator; Conflict when there is a user.

        The first user's id is fixed, so that of many who try at once the store lets one win, also a store that
        cannot do more at once than insert one document.
        """
        new = NewUser(handle=handle, password=password, force_reset=False, administrator=True)
        taken = Conflict("Virtool already has at least one user.")
        async with self._turns.of(FIRST_USER_ID):
            if await self.any_exist():
                raise taken
            try:
                return (await self.store.insert(await self._drafts.new(FIRST_USER_ID, new)))[0]
            except DuplicateValue as error:
                raise taken from error

    async def create(
        self,
        handle: str,
        password: str,
        *,
        administrator: bool = False,
        group_ids: Iterable[str] = (),
    ) -> User:
        """Make a user, for whoever need not be asked for their rights: the operator."""
        group_ids = tuple(group_ids)
        return await self._create(
            NewUser(
                handle=handle, password=password, force_reset=False, administrator=administrator, group_ids=group_ids
            )
        )

    async def add(self, viewer: Viewer, new: NewUser, *, idempotency_key: str | None = None) -> User:
        """Make a user as an administrator; the same one's same idempotency key gives the same user again."""
        viewer.require_administrator()
        key = creation_key(viewer, idempotency_key)
        async with self._turns.of(key):
            return await created_once(self.store, User, key, lambda: self._add(viewer, new, key))

    async def _add(self, viewer: Viewer, new: NewUser, key: str | None) -> User:
        """Make a user, unless the administrator lost the right to it while the password waited to be hashed."""
        user = await self._drafts.new(self.instance.new_id(), new, key)
        await _acting_administrator(self.store, viewer)
        return await self._insert(user)

    async def _create(self, new: NewUser) -> User:
        return await self._insert(await self._drafts.new(self.instance.new_id(), new))

    async def _insert(self, user: User) -> User:
        """Keep a new user, whose handle differs from all others by more than the case of its letters."""
        with told_when_taken(*TAKEN):
            user = (await self.store.insert(user))[0]
        return await self._without_gone_groups(user)

    async def update(
        self, viewer: Viewer, id: str, changes: UserChanges, *, expected_version: int | None = None
    ) -> User:
        """Change a user as an administrator; what ends their sessions and keys does so at once."""
        viewer.require_administrator()
        await self.get(viewer, id)
        _refuse_to_oneself(viewer, id, changes)
        values = await self._drafts.values(changes)

        def change(user: User) -> User:
            check_version(user, expected_version, self.noun)
            return changed(user, values)

        with told_when_taken(*TAKEN):
            before, after = await retried(lambda: self._replace(viewer, id, change))
        if before.credentials_version != after.credentials_version:
            await self._credentials.forget(id)
        return await self._without_gone_groups(after) if "group_ids" in values else after

    async def _replace(self, viewer: Viewer, id: str, change: Callable[[User], User]) -> tuple[User, User]:
        """Give the user before and after the change.

        Whoever takes an administrator's power away is written together with them: of two who do it to each other at
        the same moment one comes too late, so that there is always an administrator.
        """
        async with self.store.transaction() as documents:
            before = await documents.get(User, id)
            if before is None:
                raise NotFound("There is no user of that id.")
            after = change(before)
            if after is before:
                return before, before
            acting = await _acting_administrator(documents, viewer)
            loses_power = rules(before) and not rules(after)
            after = (await documents.replace(after, *([acting] if loses_power else [])))[0]
        return before, after

    async def _without_gone_groups(self, user: User) -> User:
        """Take the groups away that were deleted while the user was written, and that the deletion cannot have seen."""
        gone = await gone_groups(self.store, user.group_ids)
        if not gone:
            return user

        def without(now: User) -> User:
            return changed(now, {"group_ids": tuple(id for id in now.group_ids if id not in gone)})

        return await modify(self.store, User, user.id, without)

    async def by_handle(self, handle: str) -> User | None:
        """Give the user of a handle in any spelling of it that counts as the same."""
        key = handle_key(handle)
        return None if key is None else await first_of(self.store, User, Eq("handle_key", key))

    async def viewer(self, user_id: str, credential: Credential | None = None) -> Viewer | None:
        """Give what the user may do at this moment; None when gone, deactivated, or when the credential has ended."""
        user = await self.store.get(User, user_id)
        if user is None or not user.active or not (credential is None or works(user, credential)):
            return None
        groups = await self.store.get_many(Group, user.group_ids) if user.group_ids else {}
        return viewer_of(user, groups.values(), credential if isinstance(credential, ApiKey) else None)

    async def viewers(self, sessions: Mapping[str, Session]) -> dict[str, Viewer]:
        """Give what users may do at this moment, by their sessions, in two statements; without what has ended."""
        users = await self.store.get_many(User, {session.user_id for session in sessions.values()})
        users = {id: user for id, user in users.items() if user.active}
        group_ids = {id for user in users.values() for id in user.group_ids}
        groups = await self.store.get_many(Group, group_ids) if group_ids else {}
        viewers = {
            id: viewer_of(user, [groups[id] for id in user.group_ids if id in groups]) for id, user in users.items()
        }
        return {
            token: viewers[session.user_id]
            for token, session in sessions.items()
            if session.user_id in users and works(users[session.user_id], session)
        }


async def any_users(store: Documents) -> bool:
    return await first_of(store, User) is not None


def _refuse_to_oneself(viewer: Viewer, id: str, changes: UserChanges) -> None:
    if id != viewer.user_id:
        return
    if changes.administrator is False:
        raise BadUserInput("Users cannot modify their own administrative status.", path=["administrator"])
    if changes.active is False:
        raise BadUserInput("Users cannot deactivate themselves.", path=["active"])
    if changes.password is not UNSET:
        raise BadUserInput("Change your own password in your account, which asks for the old one.", path=["password"])


async def _acting_administrator(documents: Documents, viewer: Viewer) -> User:
    """Give the administrator who is at work, as they are at this moment."""
    user = await documents.get(User, viewer.user_id)
    if user is None or not rules(user):
        raise Forbidden("You are no administrator any more.")
    if user.credentials_version != viewer.credentials_version:
        raise Conflict("Your password or your role was changed in the meantime; try again.")
    return user
