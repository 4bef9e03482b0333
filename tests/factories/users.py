"""Users, and viewers with just the permissions that a test is about."""

from collections.abc import Iterable

from virtool_gql.access import Viewer
from virtool_gql.db.database import Database
from virtool_gql.models.users import Permission, User

PASSWORD = "correct horse"


def viewer_named(
    handle: str,
    *permissions: Permission,
    administrator: bool = False,
    groups: Iterable[str] = (),
    key_id: str | None = None,
) -> Viewer:
    """Give a viewer whose id is the handle."""
    return Viewer(
        user_id=handle,
        handle=handle,
        administrator=administrator,
        group_ids=frozenset(groups),
        permissions=frozenset(Permission) if administrator else frozenset(permissions),
        key_id=key_id,
    )


async def stored_user(
    db: Database, handle: str, *, administrator: bool = False, group_ids: Iterable[str] = ()
) -> tuple[User, Viewer]:
    """Make a user who can sign in with PASSWORD."""
    user = await db.users.create(handle, PASSWORD, administrator=administrator, group_ids=group_ids)
    viewer = await db.users.viewer(user.id)
    assert viewer is not None
    return user, viewer
