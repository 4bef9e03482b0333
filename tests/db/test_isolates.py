import asyncio
import itertools
from collections.abc import Iterator
from typing import Any

import pytest
from msgspec import UNSET, structs

from tests.factories.curators import ADMINISTRATOR, MAY, MEMBERS, OWNER, WRITER, allowed, last_sentence
from tests.factories.otus import full_otu, joined_otu, stored_otu
from tests.factories.references import stored_reference
from virtool_gql.access import Viewer
from virtool_gql.db.database import Database
from virtool_gql.db.isolates import IsolateChanges, NewIsolate, free_id
from virtool_gql.db.otu_writes import Stored
from virtool_gql.errors import BadUserInput, Conflict, NotFound, VirtoolError
from virtool_gql.models.history import HistoryEntry, Verb
from virtool_gql.models.otus import OTU, Sequence
from virtool_gql.query import Eq, Order, Page


async def three(db: Database, **of_reference: Any) -> Stored:
    """Make the OTU `otu` of three isolates, with two sequences each."""
    reference = await stored_reference(db, **MEMBERS | of_reference)
    return await stored_otu(db, reference.id, full_otu("otu", 3, 2))


ALL = Page(first=None)


def sequences_of(otu: Stored) -> list[Sequence]:
    return [structs.replace(otu.sequences[id], sequence=UNSET) for id in sorted(otu.sequences)]


def defaults(otu: OTU) -> list[str]:
    return [isolate.id for isolate in otu.isolates if isolate.default]


@pytest.mark.parametrize(("viewer", "refusal"), MAY)
async def test_who_may_write_isolates(db: Database, viewer: Viewer, refusal: type[VirtoolError] | None) -> None:
    otu = (await three(db)).otu
    writes = [
        lambda: db.isolates.create(viewer, "otu", NewIsolate()),
        lambda: db.isolates.update(viewer, "otu_otui0", IsolateChanges(source_name="New")),
        lambda: db.isolates.set_default(viewer, "otu_otui1"),
        lambda: db.isolates.delete(viewer, "otu_otui0"),
    ]
    if await allowed(writes, refusal):
        assert (await db.otus.get(viewer, "otu")).revision == 4
        return
    assert await db.otus.get(ADMINISTRATOR, "otu") == otu


@pytest.mark.parametrize(("viewer", "refusal"), MAY)
async def test_members_read_isolates(db: Database, viewer: Viewer, refusal: type[VirtoolError] | None) -> None:
    otu = (await three(db)).otu
    if refusal is NotFound:
        assert await db.isolates.get_many(viewer, ["otu_otui0"]) == {}
        with pytest.raises(NotFound, match="no isolate of that id"):
            await db.isolates.get(viewer, "otu_otui0")
        return
    assert await db.isolates.get(viewer, "otu_otui1") == (otu, otu.isolates[1])
    ids = ["otu_otui2", "otu_x", "x_otui0", "otu", "", "_", "\0_\0"]
    assert await db.isolates.get_many(viewer, ids) == {"otu_otui2": (otu, otu.isolates[2])}


@pytest.mark.parametrize("state", [{"archived": True}, {"ready": False}])
async def test_a_reference_that_cannot_be_changed_keeps_its_isolates(db: Database, state: dict[str, Any]) -> None:
    await three(db, **state)
    for write in (
        db.isolates.create(ADMINISTRATOR, "otu", NewIsolate()),
        db.isolates.update(OWNER, "otu_otui0", IsolateChanges(source_name="New")),
        db.isolates.set_default(OWNER, "otu_otui1"),
        db.isolates.delete(OWNER, "otu_otui0"),
    ):
        with pytest.raises(Conflict, match=r"is archived|still being made"):
            await write


async def test_the_first_isolate_is_the_default_one_and_later_ones_when_they_are_to_be(each_db: Database) -> None:
    reference = await stored_reference(each_db)
    await stored_otu(each_db, reference.id, joined_otu("o1"))
    otu, first = await each_db.isolates.create(OWNER, "o1", NewIsolate(source_type=" Isolate ", source_name=" A "))
    assert (first.source_type, first.source_name, first.default, first.sequence_ids) == ("isolate", "A", True, ())
    assert len(first.id) == 3
    assert await last_sentence(each_db) == (Verb.ADD_ISOLATE, "Added Isolate A as default")
    otu, second = await each_db.isolates.create(OWNER, "o1", NewIsolate())
    assert await last_sentence(each_db) == (Verb.ADD_ISOLATE, "Added Unnamed Isolate")
    assert defaults(otu) == [first.id]
    otu, third = await each_db.isolates.create(OWNER, "o1", NewIsolate(source_name="C", default=True))
    assert defaults(otu) == [third.id]
    assert [isolate.id for isolate in otu.isolates] == [first.id, second.id, third.id]
    assert (otu.verified, otu.revision) == (False, 3)
    assert await each_db.otus.get(OWNER, "o1") == otu


@pytest.mark.parametrize("source_type", ["clone", "Unlisted"])
async def test_a_restricted_reference_takes_only_source_types_that_it_lists(db: Database, source_type: str) -> None:
    otu = (await three(db, restrict_source_types=True, source_types=("Strain",))).otu
    for write in (
        db.isolates.create(OWNER, "otu", NewIsolate(source_type=source_type)),
        db.isolates.update(OWNER, "otu_otui0", IsolateChanges(source_type=source_type)),
    ):
        with pytest.raises(BadUserInput, match=r"^Source type is not allowed\.$") as error:
            await write
        assert error.value.path == ("source_type",)
    assert await db.otus.get(OWNER, "otu") == otu
    for known in ("STRAIN", "Unknown", ""):
        await db.isolates.create(OWNER, "otu", NewIsolate(source_type=known))
        await db.isolates.update(OWNER, "otu_otui0", IsolateChanges(source_type=known))
    # One that was allowed once may stay while its name is changed.
    await db.isolates.update(OWNER, "otu_otui1", IsolateChanges(source_type="Isolate", source_name="New"))


async def test_an_update_is_partial_and_none_is_not_told(each_db: Database) -> None:
    before = await three(each_db)
    otu, isolate = await each_db.isolates.update(OWNER, "otu_otui0", IsolateChanges(source_type="STRAIN"))
    assert isolate == structs.replace(before.otu.isolates[0], source_type="strain")
    assert await last_sentence(each_db) == (Verb.EDIT_ISOLATE, "Renamed Isolate OTUI0 to Strain OTUI0")
    for nothing in (IsolateChanges(), IsolateChanges(source_type=" strain", source_name="OTUI0")):
        assert await each_db.isolates.update(OWNER, "otu_otui0", nothing) == (otu, isolate)
    assert (await each_db.store.find(Sequence, page=ALL)).documents == sequences_of(before)


async def test_one_isolate_is_set_as_default(each_db: Database) -> None:
    await three(each_db)
    otu, isolate = await each_db.isolates.set_default(OWNER, "otu_otui2")
    assert (isolate.id, defaults(otu)) == ("otui2", ["otui2"])
    assert await last_sentence(each_db) == (Verb.SET_AS_DEFAULT, "Set Isolate OTUI2 as default")
    assert await each_db.isolates.set_default(OWNER, "otu_otui2") == (otu, isolate)
    assert await each_db.store.count(HistoryEntry) == 2


async def test_an_isolate_is_deleted_with_its_sequences(each_db: Database) -> None:
    before = await three(each_db)
    otu, gone = await each_db.isolates.delete(OWNER, "otu_otui0")
    assert gone == before.otu.isolates[0]
    assert [isolate.id for isolate in otu.isolates] == ["otui1", "otui2"]
    assert defaults(otu) == ["otui1"]
    assert await last_sentence(each_db) == (
        Verb.REMOVE_ISOLATE,
        "Removed Isolate OTUI0 and set Isolate OTUI1 as default",
    )
    left = {sequence.id for sequence in (await each_db.store.find(Sequence)).documents}
    assert left == {"otui1s0", "otui1s1", "otui2s0", "otui2s1"}
    otu, _ = await each_db.isolates.delete(OWNER, "otu_otui2")
    assert await last_sentence(each_db) == (Verb.REMOVE_ISOLATE, "Removed Isolate OTUI2")
    otu, _ = await each_db.isolates.delete(OWNER, "otu_otui1")
    assert (otu.isolates, otu.verified, await each_db.store.count(Sequence)) == ((), False, 0)
    with pytest.raises(NotFound, match="no isolate of that id"):
        await each_db.isolates.delete(OWNER, "otu_otui1")


@pytest.mark.parametrize("id", ["otu_x", "x_otui0", "otu", "otu_", "_otui0", "", "\0", "otu_otui0_x"])
async def test_what_is_not_there_cannot_be_changed(db: Database, id: str) -> None:
    await three(db)
    for write in (
        db.isolates.update(OWNER, id, IsolateChanges()),
        db.isolates.set_default(OWNER, id),
        db.isolates.delete(OWNER, id),
    ):
        with pytest.raises(NotFound, match="no isolate of that id"):
            await write
    with pytest.raises(NotFound, match="no OTU of that id") as error:
        await db.isolates.create(OWNER, id + "x", NewIsolate())
    assert error.value.path == ("otu_id",)


async def test_many_at_once_all_add_theirs_and_one_is_the_default(each_db: Database) -> None:
    reference = await stored_reference(each_db)
    await stored_otu(each_db, reference.id, joined_otu("o1"))
    news = [NewIsolate(source_name=str(number), default=number % 3 == 0) for number in range(20)]
    await asyncio.gather(*(each_db.isolates.create(OWNER, "o1", new) for new in news))
    otu = await each_db.otus.get(OWNER, "o1")
    assert {isolate.source_name for isolate in otu.isolates} == {str(number) for number in range(20)}
    assert len({isolate.id for isolate in otu.isolates}) == 20
    assert len(defaults(otu)) == 1
    entries = (await each_db.store.find(HistoryEntry, Eq("otu_id", "o1"), [Order("place")])).documents
    assert [entry.otu_revision for entry in entries] == list(range(21))


async def test_the_same_idempotency_key_gives_the_same_isolate(each_db: Database) -> None:
    reference = await stored_reference(each_db, **MEMBERS)
    await stored_otu(each_db, reference.id, joined_otu("o1"))
    new = NewIsolate(source_name="Once")
    creations = (each_db.isolates.create(OWNER, "o1", new, idempotency_key="k", expected_version=0) for _ in range(15))
    answers = await asyncio.gather(*creations)
    assert len({isolate.id for _, isolate in answers}) == 1
    otu, isolate = await each_db.isolates.create(OWNER, "o1", NewIsolate(source_name="Else"), idempotency_key="k")
    assert (otu.revision, isolate.source_name) == (1, "Once")
    _, other = await each_db.isolates.create(WRITER, "o1", new, idempotency_key="k")
    assert other.id != isolate.id
    await each_db.isolates.update(OWNER, f"o1_{isolate.id}", IsolateChanges(source_name="Renamed"))
    _, again = await each_db.isolates.create(OWNER, "o1", new, idempotency_key="k")
    assert (again.id, again.source_name) == (isolate.id, "Renamed")


async def test_an_expected_version_is_that_of_the_otu(db: Database) -> None:
    await three(db)
    await db.isolates.set_default(OWNER, "otu_otui1", expected_version=0)
    for write in (
        db.isolates.create(OWNER, "otu", NewIsolate(), expected_version=0),
        db.isolates.update(OWNER, "otu_otui0", IsolateChanges(), expected_version=0),
        db.isolates.set_default(OWNER, "otu_otui0", expected_version=2),
        db.isolates.delete(OWNER, "otu_otui0", expected_version=0),
    ):
        with pytest.raises(Conflict, match="Somebody else changed the OTU first"):
            await write


def counting() -> Iterator[str]:
    return (f"{number:08}" for number in itertools.count())


def test_an_id_has_three_characters_and_more_when_these_run_out() -> None:
    ids = counting()
    assert free_id(lambda: next(ids)[::-1], {"000", "100"}) == "200"
    assert len(free_id(lambda: "abcdefgh", {"abc", "abcd"})) == 5
