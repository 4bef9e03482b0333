import asyncio

import pytest

from schema.connections import TURN, in_turns, listing
from virtool_gql.cancellation import cancelled
from virtool_gql.errors import BadUserInput
from virtool_gql.models.documents import Timestamp
from virtool_gql.models.jobs import Job
from virtool_gql.query import Order, Page
from virtool_gql.workflows import Workflow

JOB = Job(
    id="job1",
    workflow=Workflow.NUVS,
    args={},
    user_id="u",
    proc=1,
    mem=1,
    created_at=Timestamp("2026-01-01T00:00:00.000Z"),
)
BY_STAGE = listing(Job, [Order("stage"), Order("workflow", descending=True)])


def test_a_cursor_holds_the_keys_of_its_document() -> None:
    assert BY_STAGE.keys(BY_STAGE.cursor(JOB), "after") == (None, "nuvs", "job1")
    assert BY_STAGE.keys(None, "after") is None


def test_a_cursor_belongs_to_its_collection_and_ordering() -> None:
    for other in (listing(Job, [Order("stage"), Order("workflow")]), listing(Job, [])):
        with pytest.raises(BadUserInput, match="another list or ordering") as refused:
            other.keys(BY_STAGE.cursor(JOB), "before")
        assert refused.value.path == ("before",)


def test_a_page_is_at_either_end() -> None:
    keys = (None, "nuvs", "job1")
    cursor = BY_STAGE.cursor(JOB)
    assert BY_STAGE.page(None, None, None, None) == Page(first=25)
    assert BY_STAGE.page(0, cursor, None, cursor) == Page(first=0, after=keys, before=keys)
    assert BY_STAGE.page(None, None, 100, cursor) == Page(first=None, last=100, before=keys)


@pytest.mark.parametrize(("first", "last"), [(-1, None), (101, None), (None, -1), (None, 101), (1, 1)])
def test_sizes_are_bounded(first: int | None, last: int | None) -> None:
    with pytest.raises(BadUserInput):
        BY_STAGE.page(first, None, last, None)


async def test_others_have_their_turn_while_a_page_is_put_together() -> None:
    turns = 0

    async def others() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    task = asyncio.create_task(others())
    assert [entry async for entry in in_turns(range(100))] == list(range(100))
    await cancelled(task)
    assert turns >= 100 // TURN - 1
