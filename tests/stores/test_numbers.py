import math
from typing import Any

import msgspec
import pytest
from msgspec import UNSET, UnsetType, structs

from tests.stores.plants import Part, Plant
from virtool_gql.models.labels import Label
from virtool_gql.models.samples import Quality, Sample
from virtool_gql.models.subtractions import Subtraction
from virtool_gql.models.users import User
from virtool_gql.stores.collections import COLLECTIONS
from virtool_gql.stores.numbers import storable

QUALITY = Quality(
    count=3,
    encoding="Sanger",
    length=(1, 2),
    gc=50.0,
    bases=((1.0, 2.0), (3.0,)),
    composition=((25.0,),),
    sequences=(0, 3),
)
SAMPLE = Sample(id="s", name="s", unique_key=None, user_id="u", quality=QUALITY, created_at="", updated_at="")  # type: ignore[arg-type] # no moment is needed


class Loose(msgspec.Struct):
    """Something whose fields may be left out or be of several types."""

    maybe: tuple[float, ...] | UnsetType | None = UNSET
    either: int | str | None = None
    pair: tuple[int, float] = (0, 0.0)
    inner: Part | None = None
    kinds: tuple[str, ...] = ()


@pytest.mark.parametrize("wrong", [math.nan, math.inf, -math.inf, 2**63, -(2**63), 2**70], ids=repr)
@pytest.mark.parametrize(
    "fields",
    [
        lambda number: {"height": number},
        lambda number: {"row": number},
        lambda number: {"numbers": ((1, 2), (3, number))},
        lambda number: {"parts": (Part(size=1), Part(size=number))},
        lambda number: {"place": Part(size=number)},
        lambda number: {"anything": {"a": [1, {"b": [number]}]}},
        lambda number: {"anything": Part(size=number)},
    ],
)
def test_numbers_that_no_store_holds_are_found_wherever_they_are(fields: Any, wrong: float) -> None:
    assert storable(Plant)(Plant(id="p", **fields(7)))
    assert not storable(Plant)(Plant(id="p", **fields(wrong)))


@pytest.mark.parametrize("number", [0, 1.5, -(2**63) + 1, 2**63 - 1, 1e300, None, True], ids=repr)
def test_all_others_can_be_stored(number: Any) -> None:
    assert storable(Plant)(Plant(id="p", anything=[number]))


@pytest.mark.parametrize(
    "quality",
    [
        {"count": 2**63},
        {"gc": math.nan},
        {"length": (1, 2**63)},
        {"bases": ((1.0,), (math.inf,))},
        {"composition": ((math.nan, 1.0),)},
        {"sequences": (1, 2**64)},
    ],
    ids=repr,
)
def test_a_quality_is_looked_through(quality: dict[str, Any]) -> None:
    assert storable(Sample)(SAMPLE)
    assert storable(Sample)(structs.replace(SAMPLE, quality=None))
    assert not storable(Sample)(structs.replace(SAMPLE, quality=structs.replace(QUALITY, **quality)))


def test_what_may_be_left_out_or_of_several_types() -> None:
    test = storable(Loose)
    assert test(Loose())
    assert test(Loose(maybe=None, either="a", inner=Part()))
    assert test(Loose(maybe=(1.0,), either=3))
    assert not test(Loose(maybe=(math.nan,)))
    assert not test(Loose(either=2**63))
    assert not test(Loose(pair=(0, math.nan)))
    assert not test(Loose(inner=Part(size=math.inf)))


def test_there_is_a_test_for_every_collection() -> None:
    assert {Label, Sample, Subtraction, User} <= set(COLLECTIONS)
    for kind in COLLECTIONS:
        assert storable(kind) is storable(kind)
