import msgspec
import pytest
import strawberry

from schema.inputs import containing, equal, having, having_one, nothing_in, partial, present, with_ids
from virtool_gql.db.samples import RightsChanges, SampleChanges
from virtool_gql.errors import BadUserInput
from virtool_gql.query import NOTHING, matches

UNSET = strawberry.UNSET


def test_what_is_left_out_stays_unset_and_null_goes_where_it_may() -> None:
    assert partial(SampleChanges, name="New", host=UNSET) == SampleChanges(name="New", host=msgspec.UNSET)
    assert partial(RightsChanges, group_id=None, all_read=UNSET) == RightsChanges(group_id=None)
    for kind, name in ((SampleChanges, "name"), (SampleChanges, "library_type"), (RightsChanges, "all_read")):
        with pytest.raises(BadUserInput, match="cannot be null") as refused:
            partial(kind, **{name: None})
        assert refused.value.path == (name,)


def test_a_filter_that_is_left_out_or_null_passes_everything() -> None:
    for value in (UNSET, None):
        for filter in (equal("x", value), present("x", value), with_ids("x", "job", value), containing(value, "x")):
            assert matches(filter, {})


def test_filters_match_what_they_say() -> None:
    assert matches(equal("ready", value=False), {"ready": False})
    assert not matches(equal("ready", value=False), {})
    assert matches(present("user_id", value=False), {"user_id": None})
    assert matches(present("user_id", value=True), {"user_id": "u"})
    assert matches(with_ids("id", "job", ["job_a", "sample_b"]), {"id": "a"})
    assert not matches(with_ids("id", "job", ["sample_b", "?"]), {"id": "b"})
    assert matches(with_ids("id", "job", []), {"id": "b"}) == matches(NOTHING, {})


def test_lists_hold_one_of_the_ids_or_nothing() -> None:
    held = {"label_ids": ["a", "b"]}
    assert matches(having("label_ids", "label", ["label_x", "label_b"]), held)
    assert not matches(having("label_ids", "label", ["label_x", "sample_b", "b"]), held)
    assert not matches(having("label_ids", "label", []), held)
    assert matches(having_one("label_ids", "label", "label_a"), held)
    assert not matches(having_one("label_ids", "label", "label_x"), held)
    assert matches(nothing_in("label_ids", value=False), held)
    assert not matches(nothing_in("label_ids", value=True), held)
    for value in (UNSET, None):
        for filter in (having("x", "label", value), having_one("x", "label", value), nothing_in("x", value)):
            assert matches(filter, held)
    with pytest.raises(BadUserInput, match="At most 100"):
        having("label_ids", "label", [f"label_{number}" for number in range(101)])


def test_each_word_is_looked_for_in_each_field() -> None:
    leaf = {"name": "Leaf 12", "host": "Rubus idaeus"}
    assert matches(containing(" leaf  RUBUS ", "name", "host"), leaf)
    assert not matches(containing("leaf malus", "name", "host"), leaf)
