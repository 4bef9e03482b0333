"""What a keyset page reads and tells, on lists of plain values."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from virtool_gql.errors import BadUserInput
from virtool_gql.models.documents import Timestamp
from virtool_gql.models.users import Group
from virtool_gql.query import EVERYTHING, Filter, Order, Page, matches, total_order
from virtool_gql.stores.pages import Wanted

ORDER = total_order([Order("name", descending=True)])


def group(id: str, name: str) -> Group:
    return Group(id=id, name=name, name_key=name, created_at=Timestamp("2026-01-01T00:00:00.000Z"))


GROUPS = [group(f"{number:02}", name) for number, name in enumerate("dcbbbbaa")]
GROUPS.sort(key=lambda each: (each.name, each.id), reverse=True)
KEYS = [(each.name, each.id) for each in GROUPS]


def values(document: Group) -> dict[str, Any]:
    return {"name": document.name, "id": document.id}


async def page(wanted: Wanted) -> tuple[list[Group], bool, bool]:
    passing = [each for each in GROUPS if matches(wanted.filter, values(each))]
    if wanted.backwards:
        passing.reverse()

    async def anything(rest: Filter, _: bool) -> bool:
        return any(matches(rest, values(each)) for each in GROUPS)

    found = await wanted.found(passing[: wanted.limit], anything)
    return found.documents, found.has_next, found.has_previous


places = some.none() | some.integers(0, len(GROUPS) - 1)


@given(after=places, before=places, size=some.integers(0, len(GROUPS) + 1), backwards=some.booleans())
async def test_a_page_lies_between_its_keys_and_knows_what_is_beyond(
    after: int | None, before: int | None, size: int, backwards: bool
) -> None:
    bounds = {"after": None if after is None else KEYS[after], "before": None if before is None else KEYS[before]}
    asked = Page(first=None, last=size, **bounds) if backwards else Page(first=size, **bounds)
    start, end = 0 if after is None else after + 1, len(GROUPS) if before is None else before
    between = GROUPS[start:end]
    expected = between[max(len(between) - size, 0) :] if backwards else between[:size]
    documents, has_next, has_previous = await page(Wanted(EVERYTHING, ORDER, asked))
    assert documents == expected
    if expected:
        assert has_next is (expected[-1] is not GROUPS[-1])
        assert has_previous is (expected[0] is not GROUPS[0])


async def test_all_are_one_page() -> None:
    assert await page(Wanted(EVERYTHING, ORDER, Page(first=None))) == (GROUPS, False, False)


def test_keys_of_another_ordering_are_refused() -> None:
    with pytest.raises(BadUserInput, match="another ordering"):
        _ = Wanted(EVERYTHING, ORDER, Page(after=("d",))).filter
