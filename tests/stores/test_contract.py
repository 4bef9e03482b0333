"""What every store of documents does, on real servers."""

import asyncio
import random
from typing import Any

import msgspec
import pytest
from msgspec import UNSET, structs

from tests.stores.fixtures import AT, AnyStore
from tests.stores.plants import Part, Plant, Weed
from virtool_gql.errors import BadUserInput, DuplicateValue, NotFound, StaleDocument
from virtool_gql.models.changes import Change, Operation
from virtool_gql.models.documents import to_builtins
from virtool_gql.query import NOTHING, Empty, Eq, Exists, Has, Order, Page, Range, Text
from virtool_gql.stores.documents import modify


async def changes(store: AnyStore) -> list[Change]:
    """Take what waits in the outbox."""
    waiting = await store.waiting(100_000)
    await store.remove([id for id, _ in waiting])
    return [msgspec.json.decode(payload, type=Change) for _, payload in waiting]


async def told(store: AnyStore) -> list[tuple[Operation, str, int]]:
    return [(change.operation, change.ids[0], change.document["version"]) for change in await changes(store)]


def plants(*ids: str) -> list[Plant]:
    return [Plant(id=id, name=f"Plant {id}") for id in ids]


async def test_it_gives_back_what_it_was_given(documents_store: AnyStore) -> None:
    plant = Plant(
        id="p",
        name="Ünïcödé \U0001f331 \u202e \\ \" ' % _ $ .",
        height=0.1,
        row=2**53,
        tags=("b", "a", "b"),
        numbers=((1, 2), (), (3,)),
        parts=(Part(name="leaf", size=0.5, tags=("x",)), Part()),
        place=Part(name=None, size=7),
        anything={"list": [1, [2.5, None]], "deep": {"": True, "a.b": "$"}, "int": 2**40},
    )
    written = await documents_store.insert(plant)
    assert written == [structs.replace(plant, version=1)]
    assert await documents_store.get(Plant, "p") == written[0]


async def test_it_gets_one_that_passes_the_filter(documents_store: AnyStore) -> None:
    (plant,) = await documents_store.insert(*plants("a"))
    assert await documents_store.get(Plant, "a", Eq("alive", value=True)) == plant
    assert await documents_store.get(Plant, "a", Eq("alive", value=False)) is None
    assert await documents_store.get(Plant, "b") is None
    assert await documents_store.get(Weed, "a") is None


async def test_it_gets_many_by_id(documents_store: AnyStore) -> None:
    a, b, c = await documents_store.insert(*plants("a", "b", "c"))
    assert await documents_store.get_many(Plant, ["c", "a", "x", "a"]) == {"a": a, "c": c}
    assert await documents_store.get_many(Plant, iter("abc"), Text("name", "T B")) == {"b": b}
    assert await documents_store.get_many(Plant, []) == {}


async def test_it_finds_a_page_in_order(documents_store: AnyStore) -> None:
    names = [None, "b", "B", "ä", "a", "\U0001f600", "\uffff"]
    await documents_store.insert(*(Plant(id=f"{number}", note=name) for number, name in enumerate(names)))
    by_note = (Order("note"),)
    found = await documents_store.find(Plant, order=by_note, page=Page(first=None))
    assert [plant.note for plant in found.documents] == [None, "B", "a", "b", "ä", "\uffff", "\U0001f600"]
    assert (found.has_next, found.has_previous) == (False, False)
    second = await documents_store.find(Plant, order=by_note, page=Page(first=2, after=("B", "2")))
    assert ([plant.note for plant in second.documents], second.has_next, second.has_previous) == (
        ["a", "b"],
        True,
        True,
    )
    last = await documents_store.find(Plant, order=by_note, page=Page(last=2))
    assert [plant.note for plant in last.documents] == ["\uffff", "\U0001f600"]
    assert (last.has_next, last.has_previous) == (False, True)


async def test_a_page_after_everything_is_empty(documents_store: AnyStore) -> None:
    await documents_store.insert(*plants("a", "b"))
    found = await documents_store.find(Plant, page=Page(first=5, after=("b",)))
    assert (found.documents, found.has_next, found.has_previous) == ([], False, True)
    found = await documents_store.find(Plant, page=Page(last=5, before=("a",)))
    assert (found.documents, found.has_next, found.has_previous) == ([], True, False)


async def test_a_cursor_of_a_deleted_document_stays_a_place(documents_store: AnyStore) -> None:
    _, b, _ = await documents_store.insert(*plants("a", "b", "c"))
    await documents_store.delete(b)
    found = await documents_store.find(Plant, page=Page(first=5, after=("b",)))
    assert ([plant.id for plant in found.documents], found.has_previous) == (["c"], True)


async def test_it_counts(documents_store: AnyStore) -> None:
    await documents_store.insert(*plants("a", "b"), Plant(id="c", tags=("x",)))
    assert await documents_store.count(Plant) == 3
    assert await documents_store.count(Plant, Has("tags", "x")) == 1
    assert await documents_store.count(Plant, NOTHING) == 0


async def test_it_counts_by_what_lists_hold(documents_store: AnyStore) -> None:
    await documents_store.insert(
        Plant(id="a", tags=("x", "y", "x"), alive=True),
        Plant(id="b", tags=("y", "Y", "z"), alive=False),
        Plant(id="c", tags=("x", "$x", "y's", "")),
        *plants("d"),
    )
    asked = ["x", "y", "$x", "y's", "", "nothing", "x"]
    counts = await documents_store.tally(Plant, "tags", asked)
    assert counts == {"x": 2, "y": 2, "$x": 1, "y's": 1, "": 1, "nothing": 0}
    assert await documents_store.tally(Plant, "tags", iter("xyz"), Eq("alive", value=True)) == {"x": 2, "y": 1, "z": 0}
    assert await documents_store.tally(Plant, "tags", ["x"], NOTHING) == {"x": 0}
    assert await documents_store.tally(Plant, "tags", ["x", "z"], Has("tags", "y")) == {"x": 1, "z": 1}
    assert await documents_store.tally(Plant, "tags", []) == {}
    async with documents_store.transaction() as transaction:
        await transaction.insert(Plant(id="e", tags=("x",)))
        assert await transaction.tally(Plant, "tags", ["x"]) == {"x": 3}
    with pytest.raises(BadUserInput):
        await documents_store.tally(Plant, "tags", ["\0"])


async def test_it_finds_what_lists_hold_nothing(documents_store: AnyStore) -> None:
    (_, b) = await documents_store.insert(Plant(id="a", tags=("x",)), *plants("b"))
    assert (await documents_store.find(Plant, Empty("tags"))).documents == [b]


async def test_a_replaced_document_is_the_next_version(documents_store: AnyStore) -> None:
    (first,) = await documents_store.insert(*plants("a"))
    (second,) = await documents_store.replace(structs.replace(first, name="new"))
    assert (second.version, second.name) == (2, "new")
    assert await documents_store.get(Plant, "a") == second


async def test_a_stale_document_is_neither_replaced_nor_deleted(documents_store: AnyStore) -> None:
    (first,) = await documents_store.insert(*plants("a"))
    (second,) = await documents_store.replace(first)
    await changes(documents_store)
    with pytest.raises(StaleDocument):
        await documents_store.replace(structs.replace(first, name="late"))
    with pytest.raises(StaleDocument):
        await documents_store.delete(first)
    with pytest.raises(StaleDocument):
        await documents_store.replace(*plants("nobody"))
    assert await documents_store.get(Plant, "a") == second
    assert await changes(documents_store) == []


async def test_a_write_of_many_is_whole_or_not_at_all(documents_store: AnyStore) -> None:
    a, b = await documents_store.insert(*plants("a", "b"))
    await documents_store.replace(b)
    await changes(documents_store)
    for write in (documents_store.replace, documents_store.delete):
        with pytest.raises(StaleDocument):
            await write(a, b)
    with pytest.raises(DuplicateValue):
        await documents_store.insert(*plants("c", "a"))
    assert await documents_store.get(Plant, "a") == a
    assert await documents_store.count(Plant) == 2
    assert await changes(documents_store) == []


async def test_a_taken_value_is_named(documents_store: AnyStore) -> None:
    await documents_store.insert(Plant(id="a", code="x", place=Part(name="field"), row=1))
    for double, path in (
        (Plant(id="a"), ("id",)),
        (Plant(id="b", code="x"), ("code",)),
        (Plant(id="b", place=Part(name="field"), row=1), ("place.name", "row")),
    ):
        with pytest.raises(DuplicateValue) as caught:
            await documents_store.insert(double)
        assert caught.value.path == path
    (other,) = await documents_store.insert(Plant(id="b", place=Part(name="field"), row=2))
    with pytest.raises(DuplicateValue) as caught:
        await documents_store.replace(structs.replace(other, code="x"))
    assert caught.value.path == ("code",)
    assert len(await changes(documents_store)) == 2


async def test_null_is_shared_by_any_number(documents_store: AnyStore) -> None:
    field = Part(name="field")
    await documents_store.insert(*plants("a", "b"), Plant(id="c", place=field), Plant(id="d", place=field))
    assert await documents_store.count(Plant) == 4


async def test_of_many_who_modify_one_document_none_is_lost(documents_store: AnyStore, crowd: int) -> None:
    people = min(50, crowd // 10)
    await documents_store.insert(Plant(id="a", row=0))

    def one_more(plant: Plant) -> Plant:
        return structs.replace(plant, row=(plant.row or 0) + 1)

    async def patient() -> None:
        while True:
            try:
                await modify(documents_store, Plant, "a", one_more)
            except StaleDocument:
                continue
            return

    await asyncio.gather(*(patient() for _ in range(people)))
    plant = await documents_store.get(Plant, "a")
    assert plant
    assert (plant.row, plant.version) == (people, people + 1)
    assert [version for _, _, version in await told(documents_store)] == list(range(1, people + 2))


async def test_modify_writes_nothing_where_nothing_changes(documents_store: AnyStore) -> None:
    (plant,) = await documents_store.insert(*plants("a"))
    assert await modify(documents_store, Plant, "a", lambda same: same) == plant
    with pytest.raises(NotFound):
        await modify(documents_store, Plant, "a", lambda same: same, Eq("name", "x"))


async def test_thousands_are_written_at_once(documents_store: AnyStore, crowd: int) -> None:
    many = plants(*(f"{number:05}" for number in range(crowd)))
    random.Random(1).shuffle(many)  # noqa: S311 - any order
    first = await documents_store.insert(*many)
    second = await documents_store.replace(*first)
    assert {plant.version for plant in second} == {2}
    assert [plant.id for plant in second] == [plant.id for plant in many]
    await documents_store.delete(*second)
    assert await documents_store.count(Plant) == 0
    operations = [operation for operation, _, _ in await told(documents_store)]
    assert operations == [each for each in (Operation.INSERT, Operation.UPDATE, Operation.DELETE) for _ in range(crowd)]


async def test_nothing_is_written_of_nothing(documents_store: AnyStore) -> None:
    assert await documents_store.insert() == []
    assert await documents_store.replace() == []
    await documents_store.delete()


async def test_every_write_is_announced(documents_store: AnyStore, announced: list[None]) -> None:
    (first,) = await documents_store.insert(Plant(id="a", name="old", secret="s"))
    (second,) = await documents_store.replace(structs.replace(first, name="new"))
    await documents_store.delete(second)
    assert len(announced) == 3
    insert, update, delete = await changes(documents_store)
    partial = {name: value for name, value in to_builtins(second).items() if name != "secret"}
    partial = msgspec.json.decode(msgspec.json.encode(partial))
    assert insert == Change(
        collection="plants",
        operation=Operation.INSERT,
        ids=("a",),
        at=AT,
        document={**partial, "name": "old", "version": 1},
    )
    assert (update.operation, update.document) == (Operation.UPDATE, partial)
    assert (delete.operation, delete.document) == (Operation.DELETE, partial)


async def test_a_silent_collection_is_not_announced(documents_store: AnyStore, announced: list[None]) -> None:
    (weed,) = await documents_store.insert(Weed(id="w"))
    (weed,) = await documents_store.replace(weed)
    await documents_store.delete(weed)
    assert (await changes(documents_store), announced) == ([], [])


async def test_the_outbox_gives_the_oldest_first(documents_store: AnyStore) -> None:
    for id in "abc":
        await documents_store.insert(*plants(id))
    oldest = await documents_store.waiting(2)
    assert [msgspec.json.decode(payload)["ids"] for _, payload in oldest] == [["a"], ["b"]]
    await documents_store.remove([id for id, _ in oldest])
    assert [id for _, id, _ in await told(documents_store)] == ["c"]


async def test_a_transaction_is_done_as_a_whole(documents_store: AnyStore, announced: list[None]) -> None:
    (a, b) = await documents_store.insert(*plants("a", "b"))
    await changes(documents_store)
    announced.clear()
    async with documents_store.transaction() as transaction:
        (again,) = await transaction.replace(structs.replace(a, name="A"))
        await transaction.insert(Weed(id="w"), *plants("c"))
        await transaction.delete(b)
        assert await transaction.get(Plant, "a") == again
        assert await transaction.count(Plant) == 2
        assert announced == []
        assert await documents_store.waiting(10) == []
    assert len(announced) == 1
    assert await told(documents_store) == [
        (Operation.UPDATE, "a", 2),
        (Operation.INSERT, "c", 1),
        (Operation.DELETE, "b", 1),
    ]


async def test_a_transaction_that_raises_leaves_nothing(documents_store: AnyStore, announced: list[None]) -> None:
    (a, b) = await documents_store.insert(*plants("a", "b"))
    await changes(documents_store)
    announced.clear()

    async def fail() -> None:
        async with documents_store.transaction() as transaction:
            await transaction.replace(structs.replace(a, name="A"))
            await transaction.delete(b)
            await transaction.insert(*plants("c"))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()
    assert (await documents_store.find(Plant)).documents == [a, b]
    assert (await changes(documents_store), announced) == ([], [])


async def test_a_transaction_within_a_transaction_is_the_same(documents_store: AnyStore) -> None:
    async def fail() -> None:
        async with documents_store.transaction() as outer:
            async with outer.transaction() as inner:
                assert inner is outer
                await inner.insert(*plants("a"))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()
    assert await documents_store.count(Plant) == 0


async def test_a_refused_write_leaves_nothing_of_its_transaction(documents_store: AnyStore) -> None:
    await documents_store.insert(*plants("a"))

    async def fail() -> None:
        async with documents_store.transaction() as transaction:
            await transaction.insert(*plants("b"))
            await transaction.insert(*plants("a"))

    with pytest.raises(DuplicateValue):
        await fail()
    assert await documents_store.count(Plant) == 1


async def test_several_collections_are_written_at_once(documents_store: AnyStore) -> None:
    with pytest.raises(DuplicateValue):
        await documents_store.insert(*plants("a"), Weed(id="w"), *plants("a"))
    assert (await documents_store.count(Plant), await documents_store.count(Weed)) == (0, 0)
    written = await documents_store.insert(*plants("a"), Weed(id="w"), *plants("b"))
    assert [each.id for each in written] == ["a", "w", "b"]
    await documents_store.delete(*written)
    assert (await documents_store.count(Plant), await documents_store.count(Weed)) == (0, 0)


@pytest.mark.parametrize(
    "value", ["\0", "a\0b", "\ud800", float("nan"), float("inf"), 2**70, {"a\0": 1}, [["\0"]]], ids=repr
)
async def test_it_refuses_what_no_store_can_hold(documents_store: AnyStore, value: object) -> None:
    with pytest.raises(BadUserInput):
        await documents_store.insert(*plants("a"), Plant(id="b", anything=value))
    assert (await documents_store.count(Plant), await changes(documents_store)) == (0, [])


@pytest.mark.parametrize("text", ["\0", "\ud800"], ids=repr)
async def test_it_refuses_to_look_for_what_no_store_can_hold(documents_store: AnyStore, text: str) -> None:
    for filter in (Eq("name", text), Text("name", text), Range("name", gt=text), Has("tags", text), Eq("id", text)):
        with pytest.raises(BadUserInput):
            await documents_store.find(Plant, filter)


async def test_a_big_document_is_kept(documents_store: AnyStore) -> None:
    big = Plant(id="big", note="".join(random.Random(1).choices("ACGT", k=5_000_000)))  # noqa: S311 - any letters
    (big,) = await documents_store.insert(big)
    assert await documents_store.get(Plant, "big", Exists("note")) == big
    (change,) = await changes(documents_store)
    assert change.document["note"] == big.note


async def test_a_cancelled_transaction_leaves_nothing(documents_store: AnyStore) -> None:
    inside = asyncio.Event()

    async def write() -> None:
        async with documents_store.transaction() as transaction:
            await transaction.insert(*plants("a"))
            inside.set()
            await transaction.insert(*plants(*(f"b{number}" for number in range(500))))
            await asyncio.Event().wait()

    task = asyncio.create_task(write())
    await inside.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert (await documents_store.count(Plant), await changes(documents_store)) == (0, [])


async def test_what_is_kept_apart_outlives_replacements_by_those_who_did_not_read_it(
    documents_store: AnyStore,
) -> None:
    place = Part(name="field", tags=("x",))
    first, second = await documents_store.insert(
        Weed(id="a", anything=[1, {"b": "c"}], place=place), Weed(id="b", anything="y")
    )
    found = (await documents_store.find(Weed, order=[Order("id")])).documents
    assert await documents_store.get(Weed, "b") == second
    await documents_store.replace(structs.replace(found[0], name="nettle"), structs.replace(second, anything=None))
    many = await documents_store.get_many(Weed, ["a"])
    await documents_store.replace(structs.replace(many["a"], height=2.0))
    assert await documents_store.get_many(Weed, ["a", "b"], whole=True) == {
        "a": structs.replace(first, name="nettle", height=2.0, version=3),
        "b": structs.replace(second, anything=None, version=2),
    }
    async with documents_store.transaction() as transaction:
        found = (await transaction.find(Weed, order=[Order("id")])).documents
        await transaction.replace(*(structs.replace(weed, note="pulled") for weed in found))
    assert await documents_store.get(Weed, "a") == structs.replace(
        first, name="nettle", height=2.0, note="pulled", version=4
    )


def kinds_too(counts: dict[Any, int]) -> dict[str, int]:
    """Give counts by what tells 1 from True."""
    return {repr(key): count for key, count in counts.items()}


async def test_it_counts_by_the_values_of_fields(documents_store: AnyStore) -> None:
    await documents_store.insert(
        Plant(id="a", name="x", row=1, alive=True),
        Plant(id="b", name="x", row=1, alive=False, place=Part(name="field")),
        Plant(id="c", name="", row=2**53 + 1, place=Part(size=7)),
        Plant(id="d", name="$name", height=0.5, place=Part(name="field")),
    )
    count = documents_store.counts
    assert kinds_too(await count(Plant, ["name"])) == {"('x',)": 2, "('',)": 1, "('$name',)": 1}
    assert kinds_too(await count(Plant, ["row"])) == {"(1,)": 2, f"({2**53 + 1},)": 1, "(None,)": 1}
    assert kinds_too(await count(Plant, ["alive"])) == {"(True,)": 3, "(False,)": 1}
    assert await count(Plant, ["height"]) == {(0.0,): 3, (0.5,): 1}
    assert await count(Plant, ["place.name"]) == {(None,): 2, ("field",): 2}
    assert kinds_too(await count(Plant, ["alive", "row"], Eq("name", "x"))) == {"(True, 1)": 1, "(False, 1)": 1}
    assert await count(Plant, ["id"], Range("id", gt="b")) == {("c",): 1, ("d",): 1}
    assert await count(Plant, [], Eq("name", "x")) == {(): 2}
    assert await count(Plant, [], NOTHING) == await count(Plant, ["name"], NOTHING) == {}


async def test_it_counts_different_values_by_the_values_of_fields(documents_store: AnyStore) -> None:
    field, hill = Part(name="field"), Part(name="hill")
    await documents_store.insert(
        Plant(id="a", name="x", place=field),
        Plant(id="b", name="x", place=field),
        Plant(id="c", name="x", place=hill, alive=False),
        Plant(id="d", name="x"),
        Plant(id="e", name="y", note="alone"),
    )
    count = documents_store.counts
    assert await count(Plant, ["name"], distinct="place.name") == {("x",): 2}
    assert await count(Plant, ["name", "alive"], distinct="place.name") == {("x", True): 1, ("x", False): 1}
    assert await count(Plant, ["name"], Eq("alive", value=True), distinct="alive") == {("x",): 1, ("y",): 1}
    assert await count(Plant, [], distinct="name") == {(): 2}
    async with documents_store.transaction() as transaction:
        await transaction.insert(Plant(id="f", name="y", place=hill))
        assert await transaction.counts(Plant, ["name"], distinct="place.name") == {("x",): 2, ("y",): 1}


async def test_it_finds_the_first_of_each(documents_store: AnyStore) -> None:
    a, b, c, d = await documents_store.insert(
        Plant(id="a", name="x", row=2),
        Plant(id="b", name="x", row=3, alive=False),
        Plant(id="c", name="y's", place=Part(name="field")),
        Plant(id="d", name="", row=1, place=Part(name="field")),
    )
    first, latest = documents_store.first_of_each, [Order("row", descending=True)]
    asked = ["x", "y's", "", "nothing", "x"]
    assert await first(Plant, "name", asked) == {"x": a, "y's": c, "": d}
    assert await first(Plant, "name", iter(asked), order=latest) == {"x": b, "y's": c, "": d}
    assert await first(Plant, "name", asked, Eq("alive", value=True), latest) == {"x": a, "y's": c, "": d}
    assert await first(Plant, "name", asked, NOTHING) == await first(Plant, "name", []) == {}
    assert await first(Plant, "place.name", ["field", "hill"], order=[Order("row")]) == {"field": c}
    assert await first(Plant, "place.name", ["field"], order=latest) == {"field": d}
    assert await first(Plant, "id", ["b", "z"]) == {"b": b}
    async with documents_store.transaction() as transaction:
        (e,) = await transaction.insert(Plant(id="e", name="x", row=4))
        assert await transaction.first_of_each(Plant, "name", ["x"], order=latest) == {"x": e}
    with pytest.raises(BadUserInput):
        await first(Plant, "name", ["\0"])


async def test_the_first_of_each_comes_without_what_is_kept_apart(documents_store: AnyStore) -> None:
    (weed,) = await documents_store.insert(Weed(id="a", name="x", anything=[1]))
    first = (await documents_store.first_of_each(Weed, "name", ["x"]))["x"]
    assert first == structs.replace(weed, anything=UNSET, place=UNSET)


async def test_what_is_kept_apart_is_read_only_where_it_is_wanted(documents_store: AnyStore) -> None:
    (weed,) = await documents_store.insert(Weed(id="a", anything=[1, {"b": "c"}], place=Part(name="field")))
    without = structs.replace(weed, anything=UNSET, place=UNSET)
    assert (await documents_store.find(Weed, Eq("place.name", "field"))).documents == [without]
    assert await documents_store.get_many(Weed, ["a"], Has("anything.b", "c")) == {"a": without}
    assert await documents_store.get(Weed, "a") == weed
    assert (await documents_store.find(Weed, order=[Order("place.name")])).documents == [weed]


async def test_a_replacement_without_what_is_kept_apart_replaces_all_else(documents_store: AnyStore) -> None:
    part = Part(name="leaf", size=1, tags=("x",))
    (weed,) = await documents_store.insert(Weed(id="a", anything=1, place=part, note="n", tags=("t",), parts=(part,)))
    changed = structs.replace(weed, note=None, tags=(), parts=(Part(),), height=1.5, alive=False, anything=UNSET)
    async with documents_store.transaction() as transaction:
        await transaction.replace(changed)
    assert await documents_store.get(Weed, "a") == structs.replace(changed, version=2, anything=1)
    with pytest.raises(StaleDocument):
        await documents_store.replace(changed)


async def test_unique_values_are_kept_without_what_is_kept_apart(documents_store: AnyStore) -> None:
    await documents_store.insert(Weed(id="a", code="x"), Weed(id="b"))
    a, b = (await documents_store.find(Weed)).documents
    with pytest.raises(DuplicateValue):
        await documents_store.replace(structs.replace(b, code="x"))
    (a,) = await documents_store.replace(structs.replace(a, code=None))
    (b,) = await documents_store.replace(structs.replace(b, code="x"))
    with pytest.raises(DuplicateValue) as caught:
        await documents_store.replace(structs.replace(a, code="x"))
    assert caught.value.path == ("code",)


async def test_a_set_of_unique_values_with_a_null_in_it_is_shared(documents_store: AnyStore) -> None:
    field = Part(name="field")
    await documents_store.insert(
        *(Plant(id=f"row {number}", row=1) for number in range(2)),
        *(Plant(id=f"place {number}", place=field) for number in range(2)),
        *(Plant(id=f"part {number}", place=Part(), row=2) for number in range(2)),
        Plant(id="both", place=field, row=1),
    )
    assert await documents_store.count(Plant) == 7
    with pytest.raises(DuplicateValue):
        await documents_store.insert(Plant(id="again", place=field, row=1))
    (plant,) = (await documents_store.find(Plant, Eq("id", "place 0"))).documents
    with pytest.raises(DuplicateValue):
        await documents_store.replace(structs.replace(plant, row=1))
