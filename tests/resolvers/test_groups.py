from tests.factories.api import Api
from virtool_gql.access import Viewer

ONE = "query($id: ID!) { group(id: $id) { id name permissions } }"
LIST = "query($search: String) { groups(search: $search) { nodes { name } totalCount } }"


async def test_groups_are_there_for_everybody_who_is_signed_in(api: Api, owner: Viewer, stranger: Viewer) -> None:
    id = f"group_{next(iter(owner.group_ids))}"
    assert await api.code(None, ONE, id=id) == "UNAUTHENTICATED"
    shown = {"id": id, "name": "Group of owner", "permissions": ["CREATE_SAMPLE", "UPLOAD_FILE"]}
    assert await api.ask(stranger, ONE, id=id) == shown
    assert await api.ask(stranger, ONE, id="group_nothere1") is None


async def test_groups_are_listed_by_name_and_searched(api: Api, stranger: Viewer) -> None:
    for name in ("b", "A", "c"):
        await api.db.groups.create(name)
    assert await api.code(None, LIST) == "UNAUTHENTICATED"
    shown = await api.ask(stranger, LIST)
    assert shown == {"nodes": [{"name": "A"}, {"name": "b"}, {"name": "c"}], "totalCount": 3}
    assert (await api.ask(stranger, LIST, search="B"))["nodes"] == [{"name": "b"}]


async def test_changes_of_groups_are_told(api: Api, stranger: Viewer) -> None:
    after = await api.cursor(stranger)
    await api.db.groups.create("Virologists")
    watch = "subscription($after: Cursor) { groups(after: $after) { operation group { name } } }"
    async with api.subscribed(stranger, watch, after=after) as watched:
        assert await watched.next() == {"operation": "INSERT", "group": {"name": "Virologists"}}
