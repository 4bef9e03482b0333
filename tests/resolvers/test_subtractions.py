from typing import Any

from msgspec import structs

from tests.factories.api import Api
from tests.factories.labels import stored_subtraction
from virtool_gql.access import Viewer
from virtool_gql.models.files import FileType

ONE = """query($id: ID!) { subtraction(id: $id) { id name nickname count gc { a t g c n } ready deleted fileName
    file { name } user { handle } job { id } version } }"""
LIST = """query($search: String, $filter: SubtractionFilter, $orderBy: [SubtractionOrder!]) {
    subtractions(search: $search, filter: $filter, orderBy: $orderBy) { nodes { name } totalCount } }"""


async def names(api: Api, viewer: Viewer, **variables: Any) -> list[str]:
    return [node["name"] for node in (await api.ask(viewer, LIST, **variables))["nodes"]]


async def test_a_subtraction_is_there_for_everybody_who_is_signed_in(api: Api, owner: Viewer, stranger: Viewer) -> None:
    file = await api.file(owner, name="thaliana.fa.gz", type=FileType.SUBTRACTION)
    subtraction = await stored_subtraction(api.db, user_id=owner.user_id, nickname="Thale cress", file_id=file.id)
    id = f"subtraction_{subtraction.id}"
    assert await api.code(None, ONE, id=id) == "UNAUTHENTICATED"
    assert await api.ask(stranger, ONE, id=id) == {
        "id": id,
        "name": "Arabidopsis thaliana",
        "nickname": "Thale cress",
        "count": 7,
        "gc": {"a": 0.319, "t": 0.319, "g": 0.18, "c": 0.18, "n": 0.002},
        "ready": True,
        "deleted": False,
        "fileName": "thaliana.fa.gz",
        "file": {"name": "thaliana.fa.gz"},
        "user": {"handle": "owner"},
        "job": None,
        "version": 1,
    }
    for wrong in ("subtraction_nothere1", f"label_{subtraction.id}", subtraction.id, ""):
        assert await api.ask(stranger, ONE, id=wrong) is None


async def test_one_that_is_not_ready_knows_little(api: Api, owner: Viewer) -> None:
    subtraction = await stored_subtraction(api.db, ready=False, gc=None, count=None, file_id="gone0000")
    shown = await api.ask(owner, ONE, id=f"subtraction_{subtraction.id}")
    assert (shown["ready"], shown["gc"], shown["count"], shown["file"]) == (False, None, None, None)


async def test_subtractions_are_listed_by_name_filtered_searched_and_ordered(
    api: Api, owner: Viewer, stranger: Viewer
) -> None:
    rubus = await stored_subtraction(api.db, "Rubus idaeus", owner.user_id, nickname="raspberry")
    await stored_subtraction(api.db, "Malus domestica", stranger.user_id, nickname="apple", ready=False)
    last = await stored_subtraction(api.db, "Vitis vinifera", owner.user_id)
    await stored_subtraction(api.db, "Deleted", owner.user_id, deleted=True)
    assert await api.code(None, LIST) == "UNAUTHENTICATED"
    shown = await api.ask(stranger, LIST)
    assert [node["name"] for node in shown["nodes"]] == ["Malus domestica", "Rubus idaeus", "Vitis vinifera"]
    assert shown["totalCount"] == 3
    assert await names(api, owner, filter={"ready": True}) == ["Rubus idaeus", "Vitis vinifera"]
    assert await names(api, owner, filter={"ready": False}) == ["Malus domestica"]
    assert await names(api, owner, filter={"name": "Rubus idaeus"}) == ["Rubus idaeus"]
    assert await names(api, owner, filter={"ids": [f"subtraction_{rubus.id}", "x"]}) == ["Rubus idaeus"]
    assert await names(api, owner, filter={"userId": f"user_{stranger.user_id}"}) == ["Malus domestica"]
    assert await names(api, owner, filter={"createdAfter": last.created_at}) == ["Vitis vinifera"]
    assert await names(api, owner, search="APPLE malus") == ["Malus domestica"]
    assert await names(api, owner, search="deleted") == []
    by_nickname = [{"field": "NICKNAME", "direction": "DESC"}]
    assert await names(api, owner, orderBy=by_nickname) == ["Rubus idaeus", "Malus domestica", "Vitis vinifera"]


async def test_a_deleted_one_is_still_shown_by_its_id(api: Api, owner: Viewer) -> None:
    id = f"subtraction_{(await stored_subtraction(api.db, deleted=True)).id}"
    assert (await api.ask(owner, ONE, id=id))["deleted"] is True
    node = "query($id: ID!) { node(id: $id) { ... on Subtraction { name } } }"
    assert await api.ask(owner, node, id=id) == {"name": "Arabidopsis thaliana"}
    assert await names(api, owner) == []


async def test_changes_of_subtractions_are_told(api: Api, stranger: Viewer) -> None:
    after = await api.cursor(stranger)
    subtraction = await stored_subtraction(api.db, ready=False)
    (subtraction,) = await api.db.store.replace(structs.replace(subtraction, ready=True))
    await api.db.store.delete(subtraction)
    watch = """subscription($after: Cursor, $filter: SubtractionFilter) { subtractions(after: $after, filter: $filter) {
        operation ids subtraction { name ready } } }"""
    async with api.subscribed(stranger, watch, after=after) as watched:
        told = [await watched.next() for _ in range(3)]
    assert [(change["operation"], change["subtraction"]) for change in told] == [
        ("INSERT", {"name": "Arabidopsis thaliana", "ready": False}),
        ("UPDATE", {"name": "Arabidopsis thaliana", "ready": True}),
        ("DELETE", None),
    ]
    assert {change["ids"][0] for change in told} == {f"subtraction_{subtraction.id}"}
    async with api.subscribed(stranger, watch, after=after, filter={"ready": True}) as watched:
        assert (await watched.next())["operation"] == "UPDATE"
