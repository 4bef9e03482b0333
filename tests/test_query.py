"""The meaning of filters, orders and pages: the same in Python and in every store."""

import sys
from enum import StrEnum
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from tests.stores.fixtures import AnyStore
from tests.stores.plants import Part, Weed
from virtool_gql.models.documents import to_builtins
from virtool_gql.query import (
    And,
    Empty,
    Eq,
    Exists,
    Filter,
    Has,
    In,
    Keys,
    Not,
    Or,
    Order,
    Page,
    Range,
    Text,
    beyond,
    fold,
    keys_of,
    matches,
    total_order,
    value_at,
    within,
)


class Named(StrEnum):
    TOBACCO = "Tobacco"


SAMPLE = {
    "name": "Tobacco",
    "count": 3,
    "share": 0.5,
    "ready": True,
    "note": None,
    "labels": ["a", "b"],
    "nothing": [],
    "place": {"name": "field", "rows": [{"n": 1}, {"n": [2, 3]}]},
}


@pytest.mark.parametrize(
    "filter",
    [
        Eq("name", "Tobacco"),
        Eq("name", Named.TOBACCO),
        Eq("count", 3.0),
        Eq("note", None),
        Eq("nowhere.at.all", None),
        Eq("labels.0", None),
        Eq("place.name", "field"),
        In("count", (None, 3)),
        Range("name", gte="T", lt="U"),
        Range("count", gt=2.5, lte=3),
        Has("labels", "b"),
        Has("name", "Tobacco"),
        Has("place.rows.n", 3),
        Text("name", "TOBAC"),
        Exists("labels"),
        Empty("nothing"),
        Empty("note"),
        Empty("nowhere.at.all"),
        Empty("labels.0"),
        Empty("place.rows.n"),
        And(),
        Not(Or()),
    ],
)
def test_it_matches(filter: Filter) -> None:
    assert matches(filter, SAMPLE)


@pytest.mark.parametrize(
    "filter",
    [
        Eq("ready", 1),
        Eq("count", "3"),
        Eq("labels", "a"),
        Eq("share", None),
        In("name", ()),
        Range("ready", gte=0),
        Range("note"),
        Range("count", gte=1, lt="z"),
        Has("labels", "c"),
        Has("place.rows.n", value=True),
        Text("count", "3"),
        Text("name", "T.b"),
        Exists("note"),
        Exists("place.nothing"),
        Empty("labels"),
        Empty("name"),
        Empty("place"),
        Empty("place.rows"),
        Or(),
        Not(And()),
    ],
)
def test_it_does_not_match(filter: Filter) -> None:
    assert not matches(filter, SAMPLE)


def test_folding_keeps_the_number_of_letters() -> None:
    everything = "".join(map(chr, range(0xD800))) + "".join(map(chr, range(0xE000, sys.maxunicode + 1)))
    assert len(fold(everything)) == len(everything)


# What no store can hold: NUL and halves of surrogate pairs. Letters in many cases and scripts come often.
characters = st.one_of(
    st.sampled_from("aAbBkKsSßẞÄäÅå\u212a\u212b\u017fİ\u0131Σ\u03c3ςЖжǅǆ\U0001f600\uffff%_\\.*^$[](){}|?+-'\"\n \t"),
    st.characters(exclude_categories=("Cs",), exclude_characters="\0"),
)
texts = st.text(characters, max_size=3)
integers = st.one_of(st.integers(-2, 3), st.integers(-(2**53), 2**53))
floats = st.one_of(st.sampled_from([-0.5, 0.0, 1.0, 2.5]), st.floats(-1e15, 1e15))
scalars = st.one_of(st.none(), st.booleans(), integers, floats, texts)
anything = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=2), st.dictionaries(st.sampled_from(["a", "b"]), inner, max_size=2)
    ),
    max_leaves=4,
)
parts = st.builds(
    Part,
    name=st.none() | texts,
    size=st.none() | integers | floats,
    tags=st.lists(texts, max_size=2).map(tuple),
)
weeds = st.builds(
    dict,
    name=texts,
    height=floats,
    row=st.none() | integers,
    alive=st.booleans(),
    note=st.none() | texts,
    tags=st.lists(texts, max_size=2).map(tuple),
    numbers=st.lists(st.lists(integers, max_size=2).map(tuple), max_size=2).map(tuple),
    parts=st.lists(parts, max_size=2).map(tuple),
    place=st.none() | parts,
    anything=anything,
)
SCALAR_PATHS = ["id", "version", "name", "height", "row", "alive", "note", "place.name", "place.size"]
paths = st.sampled_from(
    [
        *SCALAR_PATHS,
        *("tags", "numbers", "parts", "place", "place.tags", "parts.name", "parts.tags", "parts.size"),
        *("anything", "anything.a", "anything.b", "anything.a.b", "name.a", "nowhere", "tags.0"),
    ]
)


@st.composite
def ranges(draw: st.DrawFn) -> Filter:
    bounds = draw(st.sampled_from([texts, integers, floats]))
    names = draw(st.sets(st.sampled_from(["gte", "gt", "lte", "lt"])))
    return Range(draw(paths), **{name: draw(bounds) for name in names})


def filters_over(values: SearchStrategy[Any]) -> SearchStrategy[Filter]:
    leaves: SearchStrategy[Filter] = st.one_of(
        st.builds(Eq, paths, values),
        st.builds(In, paths, st.lists(values, max_size=3).map(tuple)),
        ranges(),
        st.builds(Has, paths, values.filter(lambda value: value is not None)),
        st.builds(Text, paths, texts),
        st.builds(Exists, paths),
        st.builds(Empty, paths),
    )
    return st.recursive(
        leaves,
        lambda inner: st.one_of(
            st.lists(inner, max_size=3).map(lambda some: And(*some)),
            st.lists(inner, max_size=3).map(lambda some: Or(*some)),
            st.builds(Not, inner),
        ),
        max_leaves=5,
    )


def scalars_in(value: Any) -> list[Any]:
    """Give the scalars of a document, so that filters often hit."""
    if isinstance(value, dict):
        return [scalar for item in value.values() for scalar in scalars_in(item)]
    if isinstance(value, list | tuple):
        return [scalar for item in value for scalar in scalars_in(item)]
    return [value]


@st.composite
def worlds(draw: st.DrawFn) -> tuple[list[Weed], list[Filter]]:
    """Give documents, and filters that ask for what is in them."""
    fields = draw(st.lists(weeds, min_size=1, max_size=8))
    documents = [Weed(id=f"w{number}", **given) for number, given in enumerate(fields)]
    present = [scalar for document in documents for scalar in scalars_in(to_builtins(document))]
    values = st.one_of(st.sampled_from(present), scalars)
    return documents, draw(st.lists(filters_over(values), min_size=1, max_size=8))


orders = st.lists(
    st.builds(Order, st.sampled_from(SCALAR_PATHS), st.booleans()), max_size=3, unique_by=lambda o: o.path
)


def in_order(documents: list[Weed], order: tuple[Order, ...]) -> list[str]:
    """Sort in Python: null first, text by code point."""
    builtins = [to_builtins(document) for document in documents]
    for key in reversed(order):
        builtins.sort(
            key=lambda each, path=key.path: (value_at(each, path) is not None, value_at(each, path)),  # type: ignore[misc]
            reverse=key.descending,
        )
    return [each["id"] for each in builtins]


property_test = settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)


@property_test
@given(world=worlds())
async def test_a_filter_means_the_same_everywhere(
    documents_store: AnyStore, world: tuple[list[Weed], list[Filter]]
) -> None:
    documents = await documents_store.insert(*world[0])
    try:
        for filter in world[1]:
            expected = {document.id for document in documents if matches(filter, to_builtins(document))}
            found = await documents_store.find(Weed, filter, (), Page(first=None))
            assert {document.id for document in found.documents} == expected, filter
            assert await documents_store.count(Weed, filter) == len(expected)
    finally:
        await documents_store.delete(*documents)


@property_test
@given(world=worlds(), order=orders, size=st.integers(1, 3))
async def test_pages_are_the_whole_in_order(
    documents_store: AnyStore, world: tuple[list[Weed], list[Filter]], order: list[Order], size: int
) -> None:
    documents = await documents_store.insert(*world[0])
    complete = total_order(order)
    try:
        for where in (And(), world[1][0]):
            matching = [document for document in documents if matches(where, to_builtins(document))]
            expected = in_order(matching, complete)
            assert await onwards(documents_store, where, order, size) == expected
            assert await backwards(documents_store, where, order, size) == expected
    finally:
        await documents_store.delete(*documents)


async def onwards(store: AnyStore, where: Filter, order: list[Order], size: int) -> list[str]:
    ids: list[str] = []
    after: Keys | None = None
    while True:
        found = await store.find(Weed, where, order, Page(first=size, after=after))
        assert found.has_previous is bool(ids)
        ids += [document.id for document in found.documents]
        if not found.has_next:
            return ids
        after = keys_of(to_builtins(found.documents[-1]), total_order(order))


async def backwards(store: AnyStore, where: Filter, order: list[Order], size: int) -> list[str]:
    ids: list[str] = []
    before: Keys | None = None
    while True:
        found = await store.find(Weed, where, order, Page(last=size, before=before))
        assert found.has_next is bool(ids)
        ids = [document.id for document in found.documents] + ids
        if not found.has_previous:
            return ids
        before = keys_of(to_builtins(found.documents[0]), total_order(order))


@given(worlds(), orders)
def test_beyond_parts_the_order_at_its_keys(world: tuple[list[Weed], list[Filter]], order: list[Order]) -> None:
    documents, complete = world[0], total_order(order)
    ids = in_order(documents, complete)
    for place, id in enumerate(ids):
        keys = keys_of(to_builtins(next(each for each in documents if each.id == id)), complete)
        after = {each.id for each in documents if matches(beyond(complete, keys), to_builtins(each))}
        before = {each.id for each in documents if matches(beyond(complete, keys, backwards=True), to_builtins(each))}
        assert (after, before) == (set(ids[place + 1 :]), set(ids[:place]))


@settings(max_examples=200, deadline=None)
@given(world=worlds())
def test_within_asks_the_same_of_what_is_at_a_path(world: tuple[list[Weed], list[Filter]]) -> None:
    documents, filters = world
    for document in map(to_builtins, documents):
        for filter in filters:
            expected = matches(filter, document)
            assert matches(within("weed", filter), {"weed": document, **dict.fromkeys(document)}) is expected
            assert matches(within("a.b", filter), {"a": {"b": document}}) is expected
            assert matches(within("weed", filter), {"weed": None}) is matches(filter, {})
