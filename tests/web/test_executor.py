import asyncio
from dataclasses import dataclass
from enum import Enum
from typing import Any

import pytest
import strawberry
from graphql import ExecutionResult, parse
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext

from virtool_gql.web.executor import AT_ONCE, AttributeExecutor


@strawberry.enum
class Colour(Enum):
    """A colour."""

    GREEN = "green"


@strawberry.type
class Leaf:
    """A leaf, of whose fields some hold what their types do not allow."""

    name: str
    veins: int | None
    colour: Colour
    widths: list[float]

    @strawberry.field
    def area(self, scale: int = 1) -> float:
        return scale * sum(self.widths)


def leaf(name: Any, veins: Any, colour: Any, widths: list[float]) -> Leaf:
    return Leaf(name=name, veins=veins, colour=colour, widths=widths)


@dataclass
class Torn:
    """Something that is no leaf and lacks most of one."""

    name: str = "torn"

    @property
    def veins(self) -> int:
        raise LookupError("It has none.")


@strawberry.type
class Query:
    """What is asked."""

    @strawberry.field
    def leaves(self, info: strawberry.Info) -> list[Leaf | None]:
        leaves: list[Leaf | None] = info.context
        return leaves


SCHEMA = strawberry.Schema(Query)._schema  # the one that executors take
FIELDS = """{ leaves { __typename ...Names veins colour widths area(scale: 2) wide: area @skip(if: true) } }
fragment Names on Leaf { name again: name }"""


def executed(by: Any, leaves: list[Any]) -> ExecutionResult:
    result: ExecutionResult = by.build(SCHEMA, parse(FIELDS), None, leaves).execute_operation()
    return result


@pytest.mark.parametrize(
    "one",
    [
        leaf("oak", 7, Colour.GREEN, [1.0, 2.5]),
        leaf("", None, Colour.GREEN, []),
        leaf("x", "many", Colour.GREEN, []),
        leaf("x", 2**40, Colour.GREEN, []),
        leaf(None, 1, Colour.GREEN, []),
        leaf("x", 1, "blue", []),
        leaf("x", 1, ValueError("no colour"), []),
        Torn(),
        None,
    ],
)
def test_answers_and_errors_are_those_of_graphql(one: Any) -> None:
    ours, theirs = (executed(by, [one, one]) for by in (AttributeExecutor, StrawberryGraphQLCoreExecutionContext))
    assert ours.data == theirs.data
    assert [error.formatted for error in ours.errors or ()] == [error.formatted for error in theirs.errors or ()]


async def test_others_have_their_turn_while_a_long_list_is_completed() -> None:
    leaves: list[Any] = [leaf(f"leaf {number}", number, Colour.GREEN, [1.0]) for number in range(5 * AT_ONCE)]
    leaves[7] = leaves[-1] = leaf("x", "many", Colour.GREEN, [])
    ours, theirs = (
        by.build(SCHEMA, parse(FIELDS), None, leaves).execute_operation()
        for by in (AttributeExecutor, StrawberryGraphQLCoreExecutionContext)
    )
    turns = 0

    async def others() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    task = asyncio.create_task(others())
    result = await ours
    task.cancel()
    assert turns >= 4
    assert result.data == theirs.data
    assert [error.formatted for error in result.errors] == [error.formatted for error in theirs.errors]


def test_nothing_of_an_event_stays_with_its_subscription() -> None:
    """A subscription may live for months; no public measure tells what its executor keeps."""
    subscription = AttributeExecutor.build(SCHEMA, parse(FIELDS), None, [leaf("oak", 7, Colour.GREEN, [1.0])])
    assert isinstance(subscription, AttributeExecutor)
    for _ in range(3):
        result = subscription.build_per_event_executor(None).execute_operation()
        assert isinstance(result, ExecutionResult)
        assert result.data == {
            "leaves": [
                {"__typename": "Leaf", "name": "oak", "again": "oak", "veins": 7, "colour": "GREEN"}
                | {"widths": [1.0], "area": 2.0}
            ]
        }
    assert not subscription._relevant_sub_fields
