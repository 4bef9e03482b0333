import base64
import json
from typing import Any

from tests.factories.api import Api
from virtool_gql.access import Viewer
from virtool_gql.errors import BadUserInput

PAGE = """query($first: Int, $after: String, $last: Int, $before: String, $by: [SampleOrder!]) {
    samples(first: $first, after: $after, last: $last, before: $before, orderBy: $by) {
        nodes { name } edges { cursor } totalCount
        pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }"""
BY_HOST = [{"field": "HOST", "direction": "DESC"}]


async def page(api: Api, viewer: Viewer, **arguments: Any) -> Any:
    return await api.ask(viewer, PAGE, **arguments)


def names(page: Any) -> list[str]:
    return [node["name"] for node in page["nodes"]]


async def test_pages_go_forwards_and_backwards_over_ties(api: Api, owner: Viewer) -> None:
    for number in range(7):
        await api.sample(owner, name=str(number), host="Rubus" if number < 5 else "Malus")
    everything = names(await page(api, owner, by=BY_HOST))
    assert len(everything) == 7
    forwards, after = [], None
    while True:
        found = await page(api, owner, first=2, after=after, by=BY_HOST)
        forwards += names(found)
        assert found["totalCount"] == 7
        assert found["pageInfo"]["hasPreviousPage"] is (after is not None)
        after = found["pageInfo"]["endCursor"]
        if not found["pageInfo"]["hasNextPage"]:
            break
    assert forwards == everything
    backwards, before = [], None
    while True:
        found = await page(api, owner, last=3, before=before, by=BY_HOST)
        backwards = names(found) + backwards
        before = found["pageInfo"]["startCursor"]
        if not found["pageInfo"]["hasPreviousPage"]:
            break
    assert backwards == everything


async def test_a_page_may_be_empty(api: Api, owner: Viewer) -> None:
    await api.sample(owner)
    found = await page(api, owner, first=0)
    assert names(found) == []
    assert found["totalCount"] == 1
    assert found["pageInfo"]["startCursor"] is None
    assert found["pageInfo"]["hasNextPage"] is True


async def test_pages_have_25_entries_and_at_most_100(api: Api, owner: Viewer) -> None:
    for _ in range(101):
        await api.sample(owner)
    assert len(names(await page(api, owner))) == 25
    assert len(names(await page(api, owner, last=100))) == 100
    for arguments in ({"first": 101}, {"first": -1}, {"last": -1}, {"last": 101}, {"first": 1, "last": 1}):
        assert await api.code(owner, PAGE, **arguments) == "BAD_USER_INPUT"


def forged(*parts: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(parts).encode()).decode().rstrip("=")


ORDER = "samples -created_at -id"


MALFORMED = [
    *("", "?", "\0", "abc", "ř", "A" * 10_000),
    forged("users -created_at -id", ["2026-01-01T00:00:00.000Z", "x"]),
    *(forged(ORDER, keys) for keys in (["x"], ["x", {}], ["x", ["y"]], "xy")),
    forged(ORDER),
]
ODD: list[list[Any]] = [[1, "x"], [None, None], [True, 2.5], ["", ""], ["\0", "x"], [2**63, "x"]]


async def test_a_malformed_cursor_is_refused(api: Api, owner: Viewer) -> None:
    await api.sample(owner)
    for cursor in MALFORMED:
        assert await api.code(owner, PAGE, after=cursor) == "BAD_USER_INPUT"
        assert await api.code(owner, PAGE, last=1, before=cursor) == "BAD_USER_INPUT"


async def test_a_cursor_with_odd_keys_does_no_harm(api: Api, owner: Viewer) -> None:
    await api.sample(owner)
    for keys in ODD:
        for error in (await api.run(owner, PAGE, after=forged(ORDER, keys))).errors or []:
            assert isinstance(error.original_error, BadUserInput)


async def test_a_cursor_belongs_to_its_ordering(api: Api, owner: Viewer) -> None:
    await api.sample(owner)
    cursor = (await page(api, owner))["pageInfo"]["endCursor"]
    assert await api.code(owner, PAGE, after=cursor, by=BY_HOST) == "BAD_USER_INPUT"


async def test_the_total_is_counted_only_when_asked_for(api: Api, owner: Viewer) -> None:
    await api.sample(owner)
    with api.statements() as statements:
        await api.ask(owner, "{ samples { nodes { name } } }")
    assert len(statements) == 1
    with api.statements() as statements:
        await api.ask(owner, "{ samples { nodes { name } totalCount } }")
    assert len(statements) == 2


async def test_what_is_searched_for_is_bounded(api: Api, owner: Viewer) -> None:
    query = "query($search: String, $ids: [ID!]) { samples(search: $search, filter: {ids: $ids}) { totalCount } }"
    assert await api.ask(owner, query, search="x " * 128, ids=["sample_x"] * 1_000) == {"totalCount": 0}
    assert await api.code(owner, query, search="x" * 257) == "BAD_USER_INPUT"
    assert await api.code(owner, query, ids=["sample_x"] * 1_001) == "BAD_USER_INPUT"
    assert await api.code(owner, query, search=" ".join("abcdefghijklmnopq")) == "BAD_USER_INPUT"
    for unspeakable in ("\0", "\ud800"):
        assert await api.code(owner, query, search=unspeakable) == "BAD_USER_INPUT"
