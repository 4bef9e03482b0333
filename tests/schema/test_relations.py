import asyncio

from tests.factories.api import Api
from tests.factories.labels import stored_label
from virtool_gql.access import Viewer

QUERY = """query($first: Int) { samples(first: $first) {
  nodes { job { user { handle } } }
  edges { node { ...Relations  ... on Sample { group { name } } } }
} }
fragment Relations on Sample { user { primaryGroup { name } } job { user { handle } } }"""


async def test_related_entities_of_a_page_are_fetched_at_once_at_every_depth(api: Api, owner: Viewer) -> None:
    group_id = next(iter(owner.group_ids))
    for number in range(30):
        someone = await api.viewer(f"user{number}", group_ids=(group_id,)) if number % 10 == 0 else owner
        await api.sample(someone, job_id=(await api.job(owner)).id, group_id=group_id)
    counts = {}
    for first in (1, 30):
        with api.statements() as statements:
            page = await api.ask(owner, QUERY, first=first)
        assert page["nodes"] == [{"job": {"user": {"handle": "owner"}}}] * first
        assert all(edge["node"]["group"] == {"name": "Group of owner"} for edge in page["edges"])
        assert all(edge["node"]["job"]["user"] == {"handle": "owner"} for edge in page["edges"])
        counts[first] = len(statements)
    assert counts[30] == counts[1]


async def test_several_related_entities_are_fetched_at_once_at_every_depth(api: Api, owner: Viewer) -> None:
    labels = [await stored_label(api.db, name, owner.user_id) for name in ("b", "A", "B c")]
    for number in range(30):
        await api.sample(owner, label_ids=(labels[number % 3].id, labels[0].id, "gone0000"), subtraction_ids=())
    query = """query($first: Int) { samples(first: $first) { nodes {
        labels { name sampleCount user { handle } } subtractions { name } } } }"""
    counts = {}
    for first in (3, 30):
        with api.statements() as statements:
            page = await api.ask(owner, query, first=first)
        counts[first] = len(statements)
    assert counts == {3: 4, 30: 4}
    b = {"name": "b", "sampleCount": 30, "user": {"handle": "owner"}}
    other = {"sampleCount": 10, "user": {"handle": "owner"}}
    assert page["nodes"][0] == {"labels": [b, {"name": "B c", **other}], "subtractions": []}
    assert page["nodes"][1] == {"labels": [{"name": "A", **other}, b], "subtractions": []}


async def test_what_a_directive_leaves_out_is_left_out(api: Api, owner: Viewer) -> None:
    await api.sample(owner, job_id=(await api.job(owner)).id)
    query = "query($with: Boolean!) { samples { nodes { id job @include(if: $with) { state } } } }"
    assert "job" not in (await api.ask(owner, query, **{"with": False}))["nodes"][0]
    assert (await api.ask(owner, query, **{"with": True}))["nodes"][0]["job"] == {"state": "WAITING"}


async def test_fragments_that_spread_each_other_twice_do_not_double_the_work(api: Api, owner: Viewer) -> None:
    await api.sample(owner)
    doubling = " ".join(f"fragment F{n} on Sample {{ ...F{n + 1} ...F{n + 1} }}" for n in range(60))
    query = f"{{ samples {{ nodes {{ ...F0 }} }} }} {doubling} fragment F60 on Sample {{ user {{ handle }} }}"
    async with asyncio.timeout(10):
        assert (await api.ask(owner, query))["nodes"] == [{"user": {"handle": "owner"}}]
