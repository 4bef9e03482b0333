"""Which numbers a document may hold: those that every store can, finite and within 64 bits.

A test is made for each type once, and looks at numbers alone: a sample has thousands of them, and hundreds are written
at once.
"""

import math
from collections.abc import Callable, Sequence
from functools import cache
from operator import attrgetter
from typing import Any

import msgspec
from msgspec import inspect

from virtool_gql.stores.fields import LARGEST_BIGINT

Test = Callable[[Any], bool]


@cache
def storable(kind: type[msgspec.Struct]) -> Test:
    """Give the test of whether all numbers in a value of the type can be stored."""
    return _test(inspect.type_info(kind)) or (lambda _: True)


def _test(type: inspect.Type) -> Test | None:
    """Give the test of a type; None when there are no numbers in its values."""
    match type:
        case inspect.StrType() | inspect.BoolType() | inspect.NoneType() | inspect.EnumType():
            return None
        case inspect.VarTupleType(inspect.FloatType()):
            return lambda values: all(map(math.isfinite, values))
        case inspect.VarTupleType(item):
            return _of_each(_test(item))
        case inspect.StructType():
            return _of_struct([(field.name, _test(field.type)) for field in type.fields])
        case inspect.UnionType(types):
            return _of_one([part for part in types if not isinstance(part, inspect.NoneType)])
        case _:
            return _anything


def _of_each(test: Test | None) -> Test | None:
    return None if test is None else lambda values: all(map(test, values))


def _of_struct(fields: Sequence[tuple[str, Test | None]]) -> Test | None:
    tests = [(attrgetter(name), test) for name, test in fields if test is not None]
    return (lambda struct: all(test(read(struct)) for read, test in tests)) if tests else None


def _of_one(types: Sequence[inspect.Type]) -> Test | None:
    if len(types) != 1:
        return _anything if any(map(_test, types)) else None
    test = _test(types[0])
    return None if test is None else lambda value: value is None or value is msgspec.UNSET or test(value)


def _anything(value: Any) -> bool:
    if isinstance(value, dict):
        return all(map(_anything, value.values()))
    if isinstance(value, list | tuple):
        return all(map(_anything, value))
    if isinstance(value, msgspec.Struct):
        return storable(type(value))(value)
    return _number(value)


def _number(value: Any) -> bool:
    if isinstance(value, int):
        return abs(value) <= LARGEST_BIGINT
    return not isinstance(value, float) or math.isfinite(value)
