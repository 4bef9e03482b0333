"""Users: who can sign in, and what each may do at this moment."""

from collections.abc import Iterable

from virtool_gql.access import Viewer, readable_users, viewer_of
from virtool_gql.db.groups import check_groups
from virtool_gql.db.instance import Instance
from virtool_gql.db.listing import Listing
from virtool_gql.db.names import comparable, user_handle
from virtool_gql.db.passwords import Passwords, check_password
from virtool_gql.db.settings import SettingsWrapper
from virtool_gql.errors import BadUserInput, Conflict, DuplicateValue
from virtool_gql.models.users import ApiKey, Group, User
from virtool_gql.query import Eq, Page

FIRST_USER_ID = "first"


class Users(Listing[User]):
    """The users, whom everybody who is signed in may read."""

    noun = "user"

    def __init__(self, instance: Instance, settings: SettingsWrapper, passwords: Passwords) -> None:
        super().__init__(instance, User, readable_users)
        self._settings = settings
        self._passwords = passwords

    async def any_exist(self) -> bool:
        return bool((await self.store.find(User, page=Page(first=1))).documents)

    async def create_first(self, handle: str, password: str) -> User:
        """Make the first user, an administrator; Conflict when there is a user.

        The first user's id is fixed, so that of many who try at once the store lets one win, also a store that
        cannot do more at once than insert one document.
        """
        taken = Conflict("Virtool already has at least one user.")
        if await self.any_exist():
            raise taken
        try:
            return await self._insert(await self._new(FIRST_USER_ID, handle, password, administrator=True))
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
        """Make a user, whose handle differs from all others by more than the case of its letters."""
        group_ids = tuple(dict.fromkeys(group_ids))
        await check_groups(self.store, group_ids)
        user = await self._new(
            self.instance.new_id(), handle, password, administrator=administrator, group_ids=group_ids
        )
        try:
            return await self._insert(user)
        except DuplicateValue as error:
            raise Conflict("User already exists.", path=["handle"]) from error

    async def by_handle(self, handle: str) -> User | None:
        """Give the user of a handle in any spelling of it that counts as the same."""
        try:
            key = comparable(user_handle(handle))
        except BadUserInput:
            return None
        found = await self.store.find(User, Eq("handle_key", key), page=Page(first=1))
        return found.documents[0] if found.documents else None

    async def viewer(self, user_id: str, key: ApiKey | None = None) -> Viewer | None:
        """Give what the user may do at this moment (through the key, if one is used); None when gone or deactivated."""
        user = await self.store.get(User, user_id)
        if user is None or not user.active:
            return None
        groups = await self.store.get_many(Group, user.group_ids) if user.group_ids else {}
        return viewer_of(user, groups.values(), key)

    async def viewers(self, user_ids: Iterable[str]) -> dict[str, Viewer]:
        """Give what several users may do at this moment, in two statements; without those gone or deactivated."""
        users = [user for user in (await self.store.get_many(User, set(user_ids))).values() if user.active]
        group_ids = {id for user in users for id in user.group_ids}
        groups = await self.store.get_many(Group, group_ids) if group_ids else {}
        return {user.id: viewer_of(user, [groups[id] for id in user.group_ids if id in groups]) for user in users}

    async def _new(
        self,
        id: str,
        handle: str,
        password: str,
        *,
        administrator: bool,
        group_ids: tuple[str, ...] = (),
    ) -> User:
        handle = user_handle(handle)
        check_password(password, (await self._settings.get()).minimum_password_length)
        password_hash = await self._passwords.hash(password)
        at = self.instance.clock()
        return User(
            id=id,
            handle=handle,
            handle_key=comparable(handle),
            password_hash=password_hash,
            administrator=administrator,
            group_ids=group_ids,
            created_at=at,
            last_password_change=at,
        )

    async def _insert(self, user: User) -> User:
        return (await self.store.insert(user))[0]
