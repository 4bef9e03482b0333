"""What an operation may do while it is being executed."""

import asyncio
import time

import pytest

from resolvers.root import schema
from tests.factories.groups import stored_group
from tests.factories.otus import stored_otu
from tests.factories.references import stored_reference
from tests.factories.users import PASSWORD, stored_user
from tests.web.serving import Stores, Web, served
from virtool_gql.access import Viewer
from virtool_gql.db.users import UserChanges
from virtool_gql.models.users import User
from virtool_gql.query import Eq, Page

GROUPS, MEMBERS = 30, 6
NESTED = """{ viewer { groups { members(first: 6) { groups { members(first: 6) { groups { members(first: 6) {
  handle } } } } } } } }"""
"""What costs little by its text and has a field for each way through groups and their members."""


@pytest.fixture
async def member(site: Web) -> Viewer:
    """Give one of some people who are all in many groups."""
    groups = [await stored_group(site.db, f"Group {number}") for number in range(GROUPS)]
    people = [
        await stored_user(site.db, f"member{number}", group_ids=[group.id for group in groups])
        for number in range(MEMBERS)
    ]
    return people[0][1]


async def test_an_answer_that_would_never_end_is_given_up_soon(site: Web, member: Viewer) -> None:
    headers = await site.cookie(member)
    begun = time.monotonic()
    answer = (await site.post(NESTED, headers)).json()
    assert time.monotonic() - begun < 5
    (error,) = answer["errors"]
    assert error["extensions"]["code"] == "QUERY_TOO_COMPLEX"
    assert error["message"] == "The answer has more than 20000 fields. Ask for smaller pages."


@pytest.mark.parametrize(("fields", "codes"), [(GROUPS * 2 + 2, []), (GROUPS * 2 + 1, ["QUERY_TOO_COMPLEX"])])
async def test_an_answer_has_so_many_fields_and_no_more(
    stores: Stores, member: Viewer, fields: int, codes: list[str]
) -> None:
    query = "query($id: ID!) { user(id: $id) { groups { name } } }"
    async with served(stores, on=schema, answer_fields=fields) as site:
        headers = await site.cookie(member)
        answer = (await site.post(query, headers, variables={"id": f"user_{member.user_id}"})).json()
    assert [error["extensions"]["code"] for error in answer.get("errors", [])] == codes


@pytest.mark.parametrize("changes", [UserChanges(administrator=False), UserChanges(active=False)])
async def test_whoever_loses_a_role_loses_it_also_for_the_rest_of_a_request(site: Web, changes: UserChanges) -> None:
    """Twenty mutations of one request last long enough for somebody to take the right away."""
    root = await site.api.viewer("root", administrator=True)
    mallory = await site.api.viewer("mallory", administrator=True)
    headers = await site.cookie(mallory)
    names = [f"friend{number}" for number in range(20)]
    made = " ".join(
        f'{name}: createUser(input: {{ handle: "{name}", password: "{PASSWORD}", administrator: true }})'
        " { errors { code } }"
        for name in names
    )
    asking = asyncio.create_task(site.post(f"mutation {{ {made} }}", headers))
    while not (await site.db.store.find(User, Eq("handle_key", names[0]), page=Page(first=1))).documents:  # noqa: ASYNC110 # the request goes on
        await asyncio.sleep(0)
    await site.db.users.update(root, mallory.user_id, changes)
    count = await site.db.store.count(User)
    answer = (await asking).json()
    assert {error["extensions"]["code"] for error in answer["errors"]} == {"UNAUTHENTICATED"}
    assert await site.db.store.count(User) <= count + 1, "one may have been written at that very moment"


async def test_whoever_is_signed_out_is_so_for_the_rest_of_a_request(site: Web) -> None:
    root = await site.api.viewer("root", administrator=True)
    headers = await site.cookie(root)
    ending = f'updateUser(input: {{ id: "user_{root.user_id}", forceReset: true }}) {{ errors {{ code }} }}'
    made = 'createLabel(input: { name: "x" }) { errors { code } }'
    (error,) = (await site.post(f"mutation {{ {ending} {made} }}", headers)).json()["errors"]
    assert (error["path"], error["extensions"]["code"]) == (["createLabel"], "UNAUTHENTICATED")


async def test_a_query_looks_once_what_may_be_read_of_references(site: Web) -> None:
    owner, root = await site.api.viewer("owner"), await site.api.viewer("root", administrator=True)
    reference = await stored_reference(site.db, user_id=owner.user_id)
    await stored_otu(site.db, reference.id, user_id=owner.user_id)
    query = "{ otus { nodes { mostRecentChange { otu { name } } } } history { nodes { id } } indexes { nodes { id } } }"
    for viewer, looks in ((owner, 1), (root, 0)):
        headers = await site.cookie(viewer)
        with site.api.statements() as statements:
            answer = (await site.post(query, headers)).json()
        assert answer["data"]["otus"]["nodes"][0]["mostRecentChange"]["otu"] is not None
        assert sum('FROM documents."references"' in statement for statement in statements) == looks
