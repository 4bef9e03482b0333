import asyncio

import pytest
from msgspec import UNSET, structs

from tests.factories.otus import RNA_A, full_otu, joined_isolate, joined_otu, joined_sequence, stored_otu
from tests.factories.references import stored_reference
from virtool_gql.db.database import Database
from virtool_gql.db.otu_writes import Stored, changed_sequences, newborn, stored, write_change
from virtool_gql.errors import DuplicateValue, StaleDocument
from virtool_gql.models.documents import Timestamp
from virtool_gql.models.history import HistoryEntry, Verb
from virtool_gql.models.joined import JoinedOTU
from virtool_gql.models.otus import OTU, Sequence

AT = Timestamp("2026-01-01T00:00:00.000Z")


def born(otu: JoinedOTU) -> Stored:
    document, sequences, _ = newborn(otu, "ref", verb=Verb.IMPORT, user_id="owner", at=AT)
    return Stored(document, {sequence.id: sequence for sequence in sequences}, otu)


async def changed(db: Database, before: Stored, after: JoinedOTU | None) -> OTU | None:
    return await write_change(
        db.instance, db.store, before, after, verb=Verb.UPDATE, description="Updated", user_id="owner", at=AT
    )


@pytest.mark.parametrize(
    ("verb", "abbreviation", "sentence"),
    [
        (Verb.CREATE, "", "Created V"),
        (Verb.CREATE, "A", "Created V (A)"),
        (Verb.IMPORT, "A", "Imported V (A)"),
        (Verb.CLONE, "", "Cloned V"),
        (Verb.REMOTE, "", "Remoted V"),
    ],
)
def test_a_birth_is_told(verb: Verb, abbreviation: str, sentence: str) -> None:
    otu = joined_otu("o", name="V", abbreviation=abbreviation)
    _, _, entry = newborn(otu, "ref", verb=verb, user_id="owner", at=AT)
    assert (entry.id, entry.description, entry.place, entry.otu_revision, entry.diff) == ("o_0", sentence, 0, 0, None)


def test_an_otu_is_born_verified_unless_something_is_wrong_with_it() -> None:
    assert born(full_otu("o")).otu.verified
    assert not born(joined_otu("o")).otu.verified
    assert not born(joined_otu("o", [joined_isolate("a")])).otu.verified
    uneven = [joined_isolate("a", [joined_sequence("1")]), joined_isolate("b", [joined_sequence("2")] * 2)]
    assert not born(joined_otu("o", uneven)).otu.verified
    empty = born(joined_otu("o", [joined_isolate("a", [joined_sequence("1", sequence="")])]))
    assert (empty.otu.verified, empty.otu.empty_sequence_ids) == (False, ("1",))


def test_what_came_from_elsewhere_keeps_its_ids_from_there() -> None:
    sequence = joined_sequence("1", remote_id="far1", segment="RNA A", target="T", host=None)
    otu = joined_otu("o", [joined_isolate("a", [sequence], default=True)], remote_id="far", schema=(RNA_A,))
    document, (made,), _ = newborn(otu, "ref", verb=Verb.REMOTE, user_id="owner", at=AT, imported=True)
    assert (document.remote_id, document.imported, document.schema) == ("far", True, (RNA_A,))
    assert (made.remote_id, made.segment, made.target, made.host) == ("far1", "RNA A", "T", None)
    assert (made.otu_id, made.isolate_id, made.reference_id, made.length) == ("o", "a", "ref", 15)


def test_only_sequences_that_are_others_are_written() -> None:
    before = born(full_otu("o", 2, 2))
    first, second = before.joined.isolates
    renamed, longer = (
        structs.replace(first.sequences[0], host="Malus"),
        structs.replace(first.sequences[1], sequence="A"),
    )
    after = structs.replace(
        before.joined,
        isolates=(
            structs.replace(first, sequences=(renamed, longer)),
            structs.replace(second, sequences=(second.sequences[0], joined_sequence("new"))),
        ),
    )
    new, changed, gone = changed_sequences(before, after, {"new": "key"})
    assert [(sequence.id, sequence.creation_key) for sequence in new] == [("new", "key")]
    assert [(sequence.id, sequence.sequence) for sequence in changed] == [("oi0s0", UNSET), ("oi0s1", "A")]
    assert [sequence.id for sequence in gone] == ["oi1s1"]
    assert changed_sequences(before, before.joined, {}) == ([], [], [])


async def test_what_is_written_is_what_is_read(each_db: Database) -> None:
    reference = await stored_reference(each_db)
    before = await stored_otu(each_db, reference.id, full_otu("o", 3, 2))
    first, second, third = before.joined.isolates
    after = structs.replace(
        before.joined,
        name="New",
        isolates=(structs.replace(third, sequences=third.sequences[::-1]), first, joined_isolate("x")),
        version=77,
    )
    otu = await changed(each_db, before, after)
    now = await stored(each_db.store, "o")
    assert now is not None
    assert now.otu == otu
    assert now.joined == structs.replace(after, version=1)
    assert {sequence.id for sequence in (await each_db.store.find(Sequence)).documents} == set(now.sequences)
    assert not set(now.sequences) & {sequence.id for sequence in second.sequences}


async def test_whoever_is_slower_writes_nothing(each_db: Database) -> None:
    reference = await stored_reference(each_db)
    before = await stored_otu(each_db, reference.id, full_otu("o"))
    await changed(each_db, before, structs.replace(before.joined, name="First"))
    second = joined_otu("o", [joined_isolate("z", [joined_sequence("z1")])], name="Second")
    for after in (second, None):
        with pytest.raises(StaleDocument):
            await changed(each_db, before, after)
    now = await stored(each_db.store, "o")
    assert now is not None
    assert (now.joined.name, now.otu.revision, set(now.sequences)) == ("First", 1, set(before.sequences))
    assert await each_db.store.count(HistoryEntry) == 2


async def test_a_name_that_is_taken_keeps_everything_from_being_written(each_db: Database) -> None:
    reference = await stored_reference(each_db)
    await stored_otu(each_db, reference.id, name="Taken")
    before = await stored_otu(each_db, reference.id, full_otu("o"))
    with pytest.raises(DuplicateValue) as error:
        await changed(each_db, before, joined_otu("o", name="TAKEN"))
    assert error.value.path == ("reference_id", "name_key")
    assert await stored(each_db.store, "o") == before


async def test_an_otu_is_read_as_it_is_at_one_moment(db: Database) -> None:
    reference = await stored_reference(db)
    await stored_otu(db, reference.id, full_otu("o", 2, 2))
    finished = asyncio.Event()

    async def editing() -> None:
        for number in range(20):
            before = await stored(db.store, "o")
            assert before is not None
            isolates = tuple(
                structs.replace(
                    isolate,
                    sequences=tuple(structs.replace(each, host=str(number)) for each in isolate.sequences),
                )
                for isolate in before.joined.isolates
            )
            await changed(db, before, structs.replace(before.joined, name=str(number), isolates=isolates))
        finished.set()

    async def reading() -> set[str]:
        seen = set()
        while not finished.is_set():
            read = await stored(db.store, "o")
            assert read is not None
            hosts = {sequence.host for sequence in read.sequences.values()}
            assert hosts == {read.joined.name if read.otu.revision else ""}
            seen.add(read.joined.name)
        return seen

    _, seen = await asyncio.gather(editing(), reading())
    assert seen
    assert await stored(db.store, "nothing0") is None
