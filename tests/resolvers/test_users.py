from msgspec import structs

from tests.factories.api import Api
from virtool_gql.access import Viewer
from virtool_gql.models.users import User

ONE = (
    "query($id: ID!) { user(id: $id) { handle administrator active groups { name } primaryGroup { name } createdAt } }"
)
LIST = "query($filter: UserFilter, $search: String) { users(filter: $filter, search: $search) { nodes { handle } } }"


async def test_users_are_there_for_everybody_who_is_signed_in(api: Api, owner: Viewer, stranger: Viewer) -> None:
    id = f"user_{owner.user_id}"
    assert await api.code(None, ONE, id=id) == "UNAUTHENTICATED"
    shown = await api.ask(stranger, ONE, id=id)
    assert shown.pop("createdAt") is not None
    assert shown == {
        "handle": "owner",
        "administrator": False,
        "active": True,
        "groups": [{"name": "Group of owner"}],
        "primaryGroup": None,
    }
    assert await api.ask(stranger, ONE, id="user_nothere1") is None


async def test_users_are_listed_by_handle_and_filtered(api: Api, owner: Viewer, administrator: Viewer) -> None:
    async def handles(**arguments: object) -> list[str]:
        return [node["handle"] for node in (await api.ask(owner, LIST, **arguments))["nodes"]]

    assert await api.code(None, LIST) == "UNAUTHENTICATED"
    assert await handles() == ["administrator", "owner"]
    assert await handles(filter={"administrator": True}) == ["administrator"]
    assert await handles(filter={"active": False}) == []
    assert await handles(filter={"groupId": f"group_{next(iter(owner.group_ids))}"}) == ["owner"]
    assert await handles(filter={"groupId": "group_nothere1"}) == []
    assert await handles(filter={"ids": [f"user_{administrator.user_id}"]}) == ["administrator"]
    assert await handles(search="OWN") == ["owner"]


async def test_changes_of_users_are_told_without_their_secrets(api: Api, owner: Viewer) -> None:
    after = await api.cursor(owner)
    user = (await api.db.store.get_many(User, [owner.user_id]))[owner.user_id]
    await api.db.store.replace(structs.replace(user, active=False))
    watch = "subscription($after: Cursor) { users(after: $after) { operation user { handle active } } }"
    async with api.subscribed(owner, watch, after=after) as watched:
        assert await watched.next() == {"operation": "UPDATE", "user": {"handle": "owner", "active": False}}
