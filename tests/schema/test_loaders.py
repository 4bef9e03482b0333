from msgspec import structs

from tests.factories.api import Api
from virtool_gql.access import Viewer
from virtool_gql.models.users import User

NESTED = "query($first: Int) { samples(first: $first) { nodes { user { handle } job { state } group { name } } } }"
WHO = """query($id: ID!) { sample(id: $id) {
    user { id handle active createdAt groups { name } } job { id } group { name } } }"""


async def test_the_number_of_statements_does_not_grow_with_the_page(api: Api, owner: Viewer) -> None:
    group_id = next(iter(owner.group_ids))
    for number in range(40):
        someone = await api.viewer(f"user{number}", group_ids=(group_id,)) if number % 10 == 0 else owner
        job = await api.job(owner)
        await api.sample(someone, job_id=job.id, group_id=group_id)
    counts = {}
    for first in (1, 10, 40):
        with api.statements() as statements:
            page = await api.ask(owner, NESTED, first=first)
        assert len(page["nodes"]) == first
        assert page["nodes"][0]["job"] == {"state": "WAITING"}
        assert page["nodes"][0]["group"] == {"name": "Group of owner"}
        counts[first] = len(statements)
    assert counts == {1: 4, 10: 4, 40: 4}


async def test_a_user_who_is_gone_is_shown_and_no_error(api: Api, owner: Viewer, stranger: Viewer) -> None:
    sample = await api.sample(stranger, job_id="nothere1", group_id="nothere1")
    user = (await api.db.store.get_many(User, [stranger.user_id]))[stranger.user_id]
    await api.db.store.delete(user)
    shown = await api.ask(owner, WHO, id=f"sample_{sample.id}")
    gone = {"id": f"user_{user.id}", "handle": "deleted user", "active": False, "createdAt": None, "groups": []}
    assert shown == {"user": gone, "job": None, "group": None}
    assert await api.ask(owner, "query($id: ID!) { user(id: $id) { handle } }", id=gone["id"]) is None


async def test_what_may_not_be_read_is_null_where_it_is_nested(api: Api, owner: Viewer, stranger: Viewer) -> None:
    job = await api.job(owner)
    sample = await api.sample(owner, job_id=job.id)
    assert (await api.ask(stranger, WHO, id=f"sample_{sample.id}"))["job"] is None
    assert (await api.ask(owner, WHO, id=f"sample_{sample.id}"))["job"] == {"id": f"job_{job.id}"}


async def test_loaders_remember_nothing(api: Api, owner: Viewer) -> None:
    context = api.context(owner)
    sample = await api.sample(owner, name="Old")
    query = "query($id: ID!) { sample(id: $id) { name } }"
    assert await api.ask(context, query, id=f"sample_{sample.id}") == {"name": "Old"}
    await api.db.store.replace(structs.replace(sample, name="New"))
    assert await api.ask(context, query, id=f"sample_{sample.id}") == {"name": "New"}
    context.caller.viewer = None
    assert await api.code(context, query, id=f"sample_{sample.id}") == "UNAUTHENTICATED"
