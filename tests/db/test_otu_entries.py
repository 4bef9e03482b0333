import asyncio
import gzip
import random

import pytest
from msgspec import UNSET, structs

from tests.factories.otus import full_otu, joined_isolate, joined_otu, joined_sequence, stored_otu
from tests.factories.references import stored_reference
from virtool_gql.db.database import Database
from virtool_gql.db.otu_entries import (
    BASES_AT_ONCE,
    DIFFS_AT_ONCE,
    MOST_IN_A_DOCUMENT,
    at_version,
    at_versions,
    in_batches,
    new_entry,
    newest_verified_of,
)
from virtool_gql.db.otu_writes import stored, write_change
from virtool_gql.errors import StaleDocument, UpstreamUnavailable
from virtool_gql.models.history import HistoryEntry, Verb
from virtool_gql.models.joined import JoinedOTU
from virtool_gql.models.otus import OTU
from virtool_gql.query import Page

RANDOM = random.Random(4)  # noqa: S311 - nothing secret


def bases(length: int) -> str:
    return "".join(RANDOM.choices("ACGT", k=length))


async def changed(db: Database, otu_id: str, after: JoinedOTU | None, verb: Verb = Verb.EDIT) -> OTU | None:
    before = await stored(db.store, otu_id)
    assert before is not None
    return await write_change(
        db.instance, db.store, before, after, verb=verb, description="Changed", user_id="owner", at=db.instance.clock()
    )


async def edited(db: Database, otu_id: str, times: int) -> list[JoinedOTU]:
    """Rename an OTU some times; give all that it was and is."""
    states = []
    for number in range(times + 1):
        now = await stored(db.store, otu_id)
        assert now is not None
        states.append(now.joined)
        if number < times:
            await changed(db, otu_id, structs.replace(now.joined, name=f"{otu_id} {number}"))
    return states


async def entry_of(db: Database, id: str) -> HistoryEntry | None:
    return (await db.store.get_many(HistoryEntry, [id], whole=True)).get(id)


async def test_an_otu_is_given_as_it_was_at_each_version(each_db: Database) -> None:
    reference = await stored_reference(each_db)
    otu = (await stored_otu(each_db, reference.id)).joined
    states = await edited(each_db, otu.id, 3)
    assert [state.version for state in states] == [0, 1, 2, 3]
    for _ in range(2):
        for state in states:
            assert await at_version(each_db.store, each_db.instance, otu.id, state.version) == state
        for version in (-1, 4, 2**40):
            assert await at_version(each_db.store, each_db.instance, otu.id, version) is None
        if await each_db.store.get(OTU, otu.id):
            await changed(each_db, otu.id, None, Verb.REMOVE)
    assert await at_version(each_db.store, each_db.instance, "nothing0", 0) is None


async def test_many_otus_are_given_at_their_versions_at_once(each_db: Database) -> None:
    reference = await stored_reference(each_db)
    ids = [(await stored_otu(each_db, reference.id)).otu.id for _ in range(4)]
    states = [await edited(each_db, id, number) for number, id in enumerate(ids)]
    await changed(each_db, ids[3], None, Verb.REMOVE)
    wanted = {id: number // 2 for number, id in enumerate(ids)} | {"nothing0": 0}
    found = await at_versions(each_db.store, each_db.instance, wanted)
    assert found == {id: states[number][number // 2] for number, id in enumerate(ids)}
    assert await at_versions(each_db.store, each_db.instance, {}) == {}


async def test_a_long_history_is_gone_through_a_part_at_a_time(db: Database) -> None:
    reference = await stored_reference(db)
    otu = (await stored_otu(db, reference.id)).joined
    other = (await stored_otu(db, reference.id)).joined
    states = await edited(db, otu.id, 2 * DIFFS_AT_ONCE + 1)
    for version in (0, DIFFS_AT_ONCE, DIFFS_AT_ONCE + 1, DIFFS_AT_ONCE + 2):
        found = await at_versions(db.store, db.instance, {otu.id: version, other.id: 0})
        assert found == {otu.id: states[version], other.id: other}


async def test_otus_are_held_together_as_far_as_they_are_small(each_db: Database) -> None:
    reference = await stored_reference(each_db)
    sizes = {"a": 2, "b": 3, "c": 1, "d": 9, "e": 1}
    for id, part in sizes.items():
        sequence = joined_sequence(f"s{id}", sequence="A" * (part * BASES_AT_ONCE // 6))
        await stored_otu(each_db, reference.id, joined_otu(id, [joined_isolate("i", [sequence], default=True)]))
    batches = [some async for some in in_batches(each_db.store, ["a", "b", "gone", "c", "d", "e"])]
    assert batches == [["a", "b", "gone"], ["c"], ["d"], ["e"]]
    assert [some async for some in in_batches(each_db.store, ["a", "c", "e"], 2)] == [["a", "c"], ["e"]]
    assert [some async for some in in_batches(each_db.store, [])] == []


async def test_an_otu_without_problems_is_its_own_newest_verified_state(each_db: Database) -> None:
    reference = await stored_reference(each_db)
    verified, broken, never = [(await stored_otu(each_db, reference.id)).joined for _ in range(3)]
    await changed(each_db, broken.id, structs.replace(broken, name="Renamed"), Verb.EDIT)
    renamed = await stored(each_db.store, broken.id)
    await changed(each_db, broken.id, structs.replace(broken, isolates=()), Verb.REMOVE_ISOLATE)
    empty = (await stored_otu(each_db, reference.id, full_otu("never", isolates=0, name="Never"))).joined
    found = await newest_verified_of(each_db.store, each_db.instance, [verified.id, broken.id, never.id, empty.id])
    assert renamed is not None
    assert found == {verified.id: verified, broken.id: renamed.joined, never.id: never}


async def test_a_diff_that_is_too_large_lies_in_a_file(each_db: Database) -> None:
    reference = await stored_reference(each_db)
    before = (await stored_otu(each_db, reference.id)).joined
    large = joined_isolate("big", [joined_sequence("bigs", sequence=bases(MOST_IN_A_DOCUMENT + 1))])
    after = structs.replace(before, isolates=(*before.isolates, large), version=1)
    await changed(each_db, before.id, after, Verb.CREATE_SEQUENCE)
    entry = await entry_of(each_db, f"{before.id}_1")
    assert entry is not None
    assert (entry.diff, entry.diff_file is not None) == (None, True)
    (path,) = each_db.places.history.iterdir()
    assert path == each_db.places.history_diff(entry.diff_file or "")
    assert path.parent.stat().st_mode & 0o077 == 0
    assert large.sequences[0].sequence.encode() in gzip.decompress(path.read_bytes())
    assert await at_version(each_db.store, each_db.instance, before.id, 0) == before
    await changed(each_db, before.id, None, Verb.REMOVE)
    assert len(list(each_db.places.history.iterdir())) == 2
    assert await at_version(each_db.store, each_db.instance, before.id, 1) == after
    assert await at_version(each_db.store, each_db.instance, before.id, 0) == before


async def test_a_diff_just_within_the_bound_lies_in_its_entry(each_db: Database) -> None:
    reference = await stored_reference(each_db)
    before = (await stored_otu(each_db, reference.id, full_otu("bound", isolates=1))).joined
    isolate = before.isolates[0]

    def with_bases(length: int) -> JoinedOTU:
        sequences = (structs.replace(isolate.sequences[0], sequence="A" * length),)
        return structs.replace(before, isolates=(structs.replace(isolate, sequences=sequences),), version=1)

    async def entry(length: int) -> HistoryEntry:
        return await new_entry(
            each_db.instance,
            before,
            with_bases(length),
            verb=Verb.EDIT_SEQUENCE,
            description="",
            place=1,
            reference_id=reference.id,
            user_id="owner",
            at=each_db.instance.clock(),
        )

    small = await entry(0)
    assert isinstance(small.diff, str)
    length = MOST_IN_A_DOCUMENT - len(small.diff)
    assert isinstance((await entry(length)).diff, str)
    assert (await entry(length + 1)).diff is None
    await changed(each_db, before.id, with_bases(length))
    assert await at_version(each_db.store, each_db.instance, before.id, 0) == before


async def test_who_loses_a_race_leaves_only_a_stray(each_db: Database) -> None:
    reference = await stored_reference(each_db)
    before = await stored_otu(each_db, reference.id)
    states = [
        structs.replace(
            before.joined, isolates=(joined_isolate(name, [joined_sequence(f"{name}s", sequence=bases(1_200_000))]),)
        )
        for name in ("one", "two")
    ]
    writes = [
        write_change(
            each_db.instance,
            each_db.store,
            before,
            after,
            verb=Verb.EDIT,
            description="",
            user_id="owner",
            at=each_db.instance.clock(),
        )
        for after in states
    ]
    results = await asyncio.gather(*writes, return_exceptions=True)
    (won,) = [number for number, result in enumerate(results) if isinstance(result, OTU)]
    assert isinstance(results[1 - won], StaleDocument)
    assert len(list(each_db.places.history.iterdir())) == 2
    now = await at_version(each_db.store, each_db.instance, before.otu.id, 1)
    assert now == structs.replace(states[won], version=1)
    assert await at_version(each_db.store, each_db.instance, before.otu.id, 0) == before.joined


async def test_a_diff_whose_file_is_gone_says_so(db: Database) -> None:
    reference = await stored_reference(db)
    before = (await stored_otu(db, reference.id)).joined
    large = joined_isolate("big", [joined_sequence("bigs", sequence=bases(1_200_000))])
    await changed(db, before.id, structs.replace(before, isolates=(large,)))
    (path,) = db.places.history.iterdir()
    path.write_bytes(path.read_bytes()[:1_000])
    with pytest.raises(UpstreamUnavailable, match="cannot be read"):
        await at_version(db.store, db.instance, before.id, 0)
    path.unlink()
    with pytest.raises(UpstreamUnavailable, match="cannot be read"):
        await at_version(db.store, db.instance, before.id, 0)
    assert await at_version(db.store, db.instance, before.id, 1) is not None


async def test_an_entry_is_named_after_its_otu(db: Database) -> None:
    reference = await stored_reference(db)
    before = (await stored_otu(db, reference.id, full_otu("apple", name="Apple virus"))).joined
    await changed(db, "apple", structs.replace(before, name="Pear virus"))
    await changed(db, "apple", None, Verb.REMOVE)
    entries = (await db.store.find(HistoryEntry, page=Page(first=None))).documents
    shown = {entry.id: (entry.otu_name, entry.otu_revision, entry.place, entry.diff) for entry in entries}
    assert shown == {
        "apple_0": ("Apple virus", 0, 0, UNSET),
        "apple_1": ("Apple virus", 1, 1, UNSET),
        "apple_removed": ("Pear virus", None, 2, UNSET),
    }


async def test_versions_are_whole_while_somebody_edits(each_db: Database) -> None:
    reference = await stored_reference(each_db)
    first = (await stored_otu(each_db, reference.id)).joined
    done = asyncio.Event()

    async def look() -> int:
        looks = 0
        while not done.is_set():
            assert await at_version(each_db.store, each_db.instance, first.id, 0) == first
            looks += 1
        return looks

    looking = asyncio.ensure_future(look())
    await edited(each_db, first.id, 25)
    done.set()
    assert await looking > 1
