"""What an operation may do while it is being executed."""

import time
from collections.abc import AsyncIterator

import pytest

from resolvers.root import schema
from tests.factories.users import stored_user
from tests.web.serving import Stores, Web, served
from virtool_gql.access import Viewer

GROUPS, MEMBERS = 30, 6
NESTED = """{ viewer { groups { members(first: 6) { groups { members(first: 6) { groups { members(first: 6) {
  handle } } } } } } } }"""
"""What costs little by its text and has a field for each way through groups and their members."""


@pytest.fixture
async def site(stores: Stores) -> AsyncIterator[Web]:
    async with served(stores, on=schema) as web:
        yield web


@pytest.fixture
async def member(site: Web) -> Viewer:
    """Give one of some people who are all in many groups."""
    groups = [await site.db.groups.create(f"Group {number}") for number in range(GROUPS)]
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
