import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
import pytest
from msgspec import structs

from tests.factories.conditions import until
from tests.factories.curators import ADMINISTRATOR, MAY, MEMBERS, OF_GROUP, OWNER, READER, STRANGER, WRITER
from tests.factories.joined import in_detail
from tests.factories.otus import full_otu, joined_isolate, joined_otu, joined_sequence, stored_otu
from tests.factories.references import member, stored_reference
from virtool_gql.access import Viewer
from virtool_gql.actors import Actor, acting
from virtool_gql.db.database import Database
from virtool_gql.db.history import LONGEST_TOGETHER, AtVersion
from virtool_gql.db.instance import LARGE_AT_ONCE
from virtool_gql.db.isolates import IsolateChanges, NewIsolate
from virtool_gql.db.otu_writes import stored, write_change
from virtool_gql.db.otus import NewOTU, OTUChanges
from virtool_gql.db.room import Room
from virtool_gql.db.sequences import NewSequence, SequenceChanges
from virtool_gql.errors import Conflict, Forbidden, NotFound, QueryTooComplex
from virtool_gql.models.audit import AuditEntry
from virtool_gql.models.documents import Document
from virtool_gql.models.history import BIRTHS, HistoryEntry, Verb
from virtool_gql.models.indexes import Index
from virtool_gql.models.joined import JoinedOTU
from virtool_gql.models.otus import OTU, Sequence
from virtool_gql.models.references import Reference, Right
from virtool_gql.query import Eq, Order, Page


async def shared_reference(db: Database, **values: Any) -> Reference:
    return await stored_reference(db, **MEMBERS | values)


async def now_of(db: Database, otu_id: str) -> JoinedOTU | None:
    now = await stored(db.store, otu_id)
    return now.joined if now else None


async def entries_of(db: Database, otu_id: str) -> list[HistoryEntry]:
    found = await db.store.find(HistoryEntry, Eq("otu_id", otu_id), [Order("place")], Page(first=None))
    return found.documents


async def ids_of(db: Database, otu_id: str) -> list[str]:
    return [entry.id.removeprefix(f"{otu_id}_") for entry in await entries_of(db, otu_id)]


async def renamed(db: Database, otu_id: str, *names: str) -> None:
    for name in names:
        await db.otus.update(OWNER, otu_id, OTUChanges(name=name))


async def built(db: Database, *entries: HistoryEntry, ready: bool = True) -> Index:
    """Put changes into an index, as a build does."""
    number = await db.store.count(Index)
    index = Index(
        id=db.instance.new_id(),
        reference_id=entries[0].reference_id,
        number=number,
        ready=ready,
        user_id="owner",
        created_at=db.instance.clock(),
    )
    await db.store.insert(index)
    await db.store.replace(*(structs.replace(entry, index_id=index.id, index_number=number) for entry in entries))
    return index


@pytest.mark.parametrize(("viewer", "error"), MAY)
async def test_who_may_revert_changes(db: Database, viewer: Viewer, error: type[Exception] | None) -> None:
    otu = (await stored_otu(db, (await shared_reference(db)).id)).otu
    await renamed(db, otu.id, "Renamed")
    if error is None:
        assert (await db.history.revert(viewer, f"{otu.id}_1")).otu is not None
        return
    with pytest.raises(error, match="MODIFY_OTU" if error is Forbidden else "no history entry"):
        await db.history.revert(viewer, f"{otu.id}_1")
    assert await ids_of(db, otu.id) == ["0", "1"]


async def test_members_read_the_history(db: Database) -> None:
    otu = (await stored_otu(db, (await shared_reference(db)).id)).otu
    await renamed(db, otu.id, "Renamed")
    id = f"{otu.id}_1"
    for viewer in (READER, OF_GROUP, OWNER, ADMINISTRATOR):
        assert (await db.history.get(viewer, id)).description == "Changed name to Renamed"
        assert await db.history.count(viewer) == 2
        assert (await db.history.diffs(viewer, [id]))[id] is not None
        assert (await db.history.latest_unbuilt(viewer, [otu.id]))[otu.id] is not None
        assert await db.history.at_version(viewer, otu.id, 0) is not None
    with pytest.raises(NotFound):
        await db.history.get(STRANGER, id)
    assert await db.history.count(STRANGER) == 0
    assert await db.history.diffs(STRANGER, [id]) == {id: None}
    assert await db.history.latest_unbuilt(STRANGER, [otu.id]) == {otu.id: None}
    assert await db.history.at_version(STRANGER, otu.id, 0) is None


@pytest.mark.parametrize("values", [{"archived": True}, {"ready": False}])
async def test_the_history_of_a_reference_that_cannot_be_changed_stays(db: Database, values: dict[str, bool]) -> None:
    otu = (await stored_otu(db, (await shared_reference(db, **values)).id)).otu
    with pytest.raises(Conflict, match=r"archived|being made"):
        await db.history.revert(OWNER, f"{otu.id}_0")
    assert await ids_of(db, otu.id) == ["0"]


@pytest.mark.parametrize("id", ["", "nothing0_1", "\0", "x" * 100])
async def test_what_is_not_there_cannot_be_reverted(db: Database, id: str) -> None:
    with pytest.raises(NotFound, match="no history entry"):
        await db.history.revert(ADMINISTRATOR, id)


async def test_a_diff_is_what_dictdiffer_gives(each_db: Database) -> None:
    before = (await stored_otu(each_db, (await shared_reference(each_db)).id, name="Apple virus")).joined
    await renamed(each_db, before.id, "Pear virus")
    await each_db.otus.delete(OWNER, before.id)
    ids = [f"{before.id}_{place}" for place in ("0", "1", "removed")]
    diffs = {id: json.loads(diff or "") for id, diff in (await each_db.history.diffs(READER, ids)).items()}
    renaming = [["change", ["version"], [0, 1]], ["change", ["name"], ["Apple virus", "Pear virus"]]]
    assert diffs[ids[1]] == renaming
    whole = json.loads(msgspec.json.encode(before))
    assert diffs[ids[0]] == whole
    assert diffs[ids[2]] == whole | {"name": "Pear virus", "version": 1}


async def test_a_change_is_reverted_with_all_later_ones(each_db: Database) -> None:
    before = (await stored_otu(each_db, (await shared_reference(each_db)).id)).joined
    await renamed(each_db, before.id, "One", "Two", "Three")
    result = await each_db.history.revert(OWNER, f"{before.id}_2")
    assert [entry.id for entry in result.entries] == [f"{before.id}_3", f"{before.id}_2"]
    assert result.otu == await each_db.store.get(OTU, before.id)
    assert result.otu is not None
    assert (result.otu.name, result.otu.revision, result.otu.last_revision, result.otu.modified) == ("One", 1, 3, True)
    assert await ids_of(each_db, before.id) == ["0", "1"]
    await renamed(each_db, before.id, "Four")
    assert await ids_of(each_db, before.id) == ["0", "1", "4"]
    for version, name in {0: before.name, 1: "One", 2: None, 3: None, 4: "Four"}.items():
        then = await each_db.history.at_version(READER, before.id, version)
        assert (then.name if then else None) == name


async def test_sequences_come_back_as_they_were(each_db: Database) -> None:
    """Each edit of sequences and isolates is made and taken back, and leaves nothing."""
    reference = await shared_reference(each_db)
    before = (await stored_otu(each_db, reference.id, in_detail(full_otu("apple", isolates=4, sequences=3)))).joined
    isolate, sequence = "apple_applei1", "applei1s1"
    edits: list[Callable[[], Awaitable[object]]] = [
        lambda: each_db.isolates.create(OWNER, "apple", NewIsolate(source_type="strain", source_name="X")),
        lambda: each_db.isolates.update(OWNER, isolate, IsolateChanges(source_name="Y")),
        lambda: each_db.isolates.set_default(OWNER, isolate),
        lambda: each_db.isolates.delete(OWNER, "apple_applei0"),
        lambda: each_db.sequences.create(
            OWNER, isolate, NewSequence(accession="NC_9", definition="New", sequence="ACGT")
        ),
        lambda: each_db.sequences.update(OWNER, sequence, SequenceChanges(sequence="TTTT", host="Pear")),
        lambda: each_db.sequences.delete(OWNER, sequence),
        lambda: each_db.otus.delete(OWNER, "apple"),
    ]
    document = await each_db.store.get(OTU, "apple")
    sequences = await sequences_of(each_db, "apple")
    for number, edit in enumerate(edits):
        await edit()
        assert await now_of(each_db, "apple") != before
        id = (await entries_of(each_db, "apple"))[-1].id
        result = await each_db.history.revert(OWNER, id)
        assert await now_of(each_db, "apple") == before
        assert alike(result.otu, document, last_revision=number + 1)
        assert await sequences_of(each_db, "apple") == sequences
        assert await ids_of(each_db, "apple") == ["0"]


async def sequences_of(db: Database, otu_id: str) -> list[Sequence]:
    found = await db.store.find(Sequence, Eq("otu_id", otu_id), page=Page(first=None))
    whole = await db.store.get_many(Sequence, [each.id for each in found.documents], whole=True)
    return [structs.replace(whole[id], version=0) for id in sorted(whole)]


def alike(now: OTU | None, before: OTU | None, **values: Any) -> bool:
    assert now is not None
    assert before is not None
    return now == structs.replace(before, version=now.version, updated_at=now.updated_at, **values)


@pytest.mark.parametrize("verb", sorted(BIRTHS))
async def test_the_reversion_of_a_birth_removes_the_otu(each_db: Database, verb: Verb) -> None:
    """Upstream left an OTU with a key of no name behind, unless somebody had created it (defect 10)."""
    reference = await shared_reference(each_db)
    otu = (await stored_otu(each_db, reference.id, verb=verb)).otu
    other = await stored_otu(each_db, reference.id)
    await renamed(each_db, otu.id, "Renamed")
    await each_db.store.replace(structs.replace(reference, internal_control_id=otu.id))
    result = await each_db.history.revert(OWNER, f"{otu.id}_0")
    assert (result.otu, [entry.id for entry in result.entries]) == (None, [f"{otu.id}_1", f"{otu.id}_0"])
    for kind in (OTU, Sequence, HistoryEntry):
        assert {document.id[: len(other.otu.id)] for document in await all_of(each_db, kind)} == {other.otu.id}
    now = await each_db.store.get(Reference, reference.id)
    assert now is not None
    assert now.internal_control_id is None


async def all_of(db: Database, kind: type[Document]) -> list[Document]:
    found: list[Document] = (await db.store.find(kind, page=Page(first=None))).documents
    return found


@pytest.mark.parametrize(("verb", "imported"), [(Verb.CREATE, False), (Verb.IMPORT, True), (Verb.CLONE, True)])
async def test_the_reversion_of_a_removal_brings_the_otu_back(each_db: Database, verb: Verb, imported: bool) -> None:
    """Upstream crashed (defect 10)."""
    reference = await shared_reference(each_db)
    made = in_detail(full_otu("apple", isolates=3, sequences=2, remote_id="remote00"))
    await stored_otu(each_db, reference.id, made, verb=verb, user_id="writer", imported=imported)
    await renamed(each_db, "apple", "Apple virus 2")
    before = await stored(each_db.store, "apple")
    sequences = await sequences_of(each_db, "apple")
    assert before is not None
    await each_db.otus.delete(WRITER, "apple")
    assert await now_of(each_db, "apple") is None
    result = await each_db.history.revert(OWNER, "apple_removed")
    assert await now_of(each_db, "apple") == before.joined
    assert await sequences_of(each_db, "apple") == sequences
    assert alike(result.otu, before.otu, last_revision=2)
    assert await ids_of(each_db, "apple") == ["0", "1"]
    await each_db.otus.delete(WRITER, "apple")
    result = await each_db.history.revert(OWNER, "apple_1")
    assert (await now_of(each_db, "apple")) == made
    assert [entry.id for entry in result.entries] == ["apple_removed", "apple_1"]
    await renamed(each_db, "apple", "Apple virus 4")
    assert await ids_of(each_db, "apple") == ["0", "4"]


async def test_the_creation_of_an_otu_that_was_removed_is_reverted(each_db: Database) -> None:
    otu = (await stored_otu(each_db, (await shared_reference(each_db)).id)).otu
    await each_db.otus.delete(OWNER, otu.id)
    result = await each_db.history.revert(OWNER, f"{otu.id}_0")
    assert (result.otu, len(result.entries)) == (None, 2)
    for kind in (OTU, Sequence, HistoryEntry):
        assert await all_of(each_db, kind) == []


async def test_what_is_built_stays(each_db: Database) -> None:
    otu = (await stored_otu(each_db, (await shared_reference(each_db)).id)).otu
    await renamed(each_db, otu.id, "One", "Two")
    await built(each_db, *(await entries_of(each_db, otu.id))[:2])
    for place in ("0", "1"):
        with pytest.raises(Conflict, match="Change is already built"):
            await each_db.history.revert(OWNER, f"{otu.id}_{place}")
    result = await each_db.history.revert(OWNER, f"{otu.id}_2")
    assert result.otu is not None
    assert (result.otu.name, result.otu.modified) == ("One", False)
    await renamed(each_db, otu.id, "Three")
    await built(each_db, (await entries_of(each_db, otu.id))[-1])
    await each_db.otus.delete(OWNER, otu.id)
    await built(each_db, (await entries_of(each_db, otu.id))[-1])
    with pytest.raises(Conflict, match="Change is already built"):
        await each_db.history.revert(OWNER, f"{otu.id}_removed")


async def test_a_restored_otu_knows_what_was_built_of_it(each_db: Database) -> None:
    otu = (await stored_otu(each_db, (await shared_reference(each_db)).id)).otu
    await renamed(each_db, otu.id, "One")
    await built(each_db, *await entries_of(each_db, otu.id))
    await renamed(each_db, otu.id, "Two", "Three")
    await built(each_db, (await entries_of(each_db, otu.id))[2], ready=False)
    await each_db.otus.delete(OWNER, otu.id)
    restored = (await each_db.history.revert(OWNER, f"{otu.id}_removed")).otu
    assert restored is not None
    assert (restored.built_revision, restored.revision, restored.modified) == (1, 3, True)


async def test_whether_an_otu_is_verified_is_told_after_a_reversion(db: Database) -> None:
    reference = await shared_reference(db)
    otu = (await stored_otu(db, reference.id, full_otu("apple", isolates=1))).otu
    await db.isolates.create(OWNER, "apple", NewIsolate(source_type="strain", source_name="X"))
    assert not (await db.otus.get(OWNER, "apple")).verified
    result = await db.history.revert(OWNER, "apple_1")
    assert (otu.verified, result.otu is not None and result.otu.verified) == (True, True)


@pytest.mark.parametrize("field", ["name", "abbreviation"])
async def test_a_name_that_was_given_to_another_is_not_taken_back(each_db: Database, field: str) -> None:
    reference = await shared_reference(each_db)
    first = (await stored_otu(each_db, reference.id, name="Apple virus", abbreviation="AV")).otu
    taken = {"name": "APPLE  virus"} if field == "name" else {"abbreviation": "AV"}
    other = {"name": "Other", "abbreviation": "OV"} | taken
    await each_db.otus.update(OWNER, first.id, OTUChanges(name="Pear virus", abbreviation="PV"))
    second = await each_db.otus.create(OWNER, reference.id, NewOTU(**other))
    with pytest.raises(Conflict, match=f"{field.capitalize()} already exists"):
        await each_db.history.revert(OWNER, f"{first.id}_1")
    await each_db.otus.delete(OWNER, second.id)
    await each_db.history.revert(OWNER, f"{first.id}_1")
    await each_db.otus.delete(OWNER, first.id)
    third = await each_db.otus.create(OWNER, reference.id, NewOTU(**other))
    with pytest.raises(Conflict, match=f"{field.capitalize()} already exists"):
        await each_db.history.revert(OWNER, f"{first.id}_removed")
    assert await ids_of(each_db, first.id) == ["0", "removed"]
    await each_db.otus.delete(OWNER, third.id)
    assert (await each_db.history.revert(OWNER, f"{first.id}_removed")).otu is not None


async def test_the_files_of_large_diffs_go_with_their_changes(each_db: Database) -> None:
    reference = await shared_reference(each_db)
    before = (await stored_otu(each_db, reference.id, full_otu("apple"))).joined
    large = NewSequence(accession="NC_9", definition="Large", sequence="ACGT" * 300_000)
    await each_db.sequences.create(OWNER, "apple_applei0", large)
    await each_db.otus.delete(OWNER, "apple")
    assert len(list(each_db.places.history.iterdir())) == 2
    diffs = await each_db.history.diffs(OWNER, ["apple_0", "apple_1", "apple_removed"])
    assert [len(diff or "") > 1_200_000 for diff in diffs.values()] == [False, True, True]
    await each_db.history.revert(OWNER, "apple_removed")
    assert len(list(each_db.places.history.iterdir())) == 1
    await each_db.history.revert(OWNER, "apple_1")
    assert list(each_db.places.history.iterdir()) == []
    assert await now_of(each_db, "apple") == before


async def test_of_two_reversions_at_once_one_is_made(each_db: Database) -> None:
    for way in ("change", "removal", "birth"):
        otu = (await stored_otu(each_db, (await shared_reference(each_db)).id)).otu
        await renamed(each_db, otu.id, f"Renamed {way}")
        if way == "removal":
            await each_db.otus.delete(OWNER, otu.id)
        id = {"change": f"{otu.id}_1", "removal": f"{otu.id}_removed", "birth": f"{otu.id}_0"}[way]
        results = await asyncio.gather(
            *(each_db.history.revert(viewer, id) for viewer in (OWNER, WRITER)), return_exceptions=True
        )
        assert sorted(type(result).__name__ for result in results) == ["NotFound", "Reverted"]
        left = {"change": ["0"], "removal": ["0", "1"], "birth": []}[way]
        assert await ids_of(each_db, otu.id) == left


async def test_a_reversion_and_edits_at_once_leave_a_history_that_is_right(each_db: Database) -> None:
    reference = await shared_reference(each_db)
    otu = (await stored_otu(each_db, reference.id, name="First")).otu
    await renamed(each_db, otu.id, "Second")
    await asyncio.gather(
        *(each_db.otus.update(OWNER, otu.id, OTUChanges(abbreviation=f"A{number}")) for number in range(3)),
        each_db.history.revert(WRITER, f"{otu.id}_1"),
    )
    now = await each_db.otus.get(OWNER, otu.id)
    entries = await entries_of(each_db, otu.id)
    assert now.name == "First"
    assert [entry.otu_revision for entry in entries][-1] == now.revision
    then = await each_db.history.at_version(OWNER, otu.id, 0)
    assert then is not None
    assert (then.name, then.abbreviation) == ("First", "")
    result = await each_db.history.revert(OWNER, entries[0].id)
    assert (result.otu, await ids_of(each_db, otu.id)) == (None, [])


async def test_a_reversion_is_told_in_the_audit_log(db: Database) -> None:
    otu = (await stored_otu(db, (await shared_reference(db)).id, full_otu("apple"))).otu
    await renamed(db, otu.id, "Renamed")
    with acting(Actor(user_id="writer", handle="writer", action="revertChange")):
        await db.history.revert(WRITER, "apple_1")
    found = (await db.store.find(AuditEntry, Eq("action", "revertChange"))).documents
    assert {(entry.collection, entry.document_id, entry.deed) for entry in found} == {
        ("otus", "apple", "update"),
        ("history", "apple_1", "delete"),
    }


async def test_changes_of_an_otu_come_newest_first(db: Database) -> None:
    reference = await shared_reference(db)
    otu = (await stored_otu(db, reference.id)).otu
    await renamed(db, otu.id, *(f"Name {number}" for number in range(11)))
    found = await db.history.find(READER, Eq("otu_id", otu.id), [Order("place", descending=True)], Page(first=3))
    assert [entry.place for entry in found.documents] == [11, 10, 9]
    latest = await db.history.latest_unbuilt(READER, [otu.id, "nothing0"])
    assert {id: entry.place if entry else None for id, entry in latest.items()} == {otu.id: 11, "nothing0": None}
    await built(db, *await entries_of(db, otu.id))
    assert await db.history.latest_unbuilt(READER, [otu.id]) == {otu.id: None}


async def test_an_otu_does_not_come_back_into_a_reference_that_is_gone(db: Database) -> None:
    reference = await shared_reference(db)
    otu = (await stored_otu(db, reference.id)).otu
    await db.otus.delete(OWNER, otu.id)
    await db.store.delete(reference)
    for viewer in (OWNER, ADMINISTRATOR):
        with pytest.raises(NotFound):
            await db.history.revert(viewer, f"{otu.id}_removed")
    assert await now_of(db, otu.id) is None


async def test_one_diff_is_given_however_large_it_is_and_several_up_to_a_bound(db: Database) -> None:
    reference = await shared_reference(db)
    await stored_otu(db, reference.id, full_otu("apple"))
    large = [joined_sequence(f"large{number}", sequence="ACGT" * 1_200_000) for number in range(4)]
    await curated_to(db, "apple", structs.replace(full_otu("apple"), isolates=(joined_isolate("x", large),)))
    await db.otus.delete(OWNER, "apple")
    ids = ["apple_1", "apple_removed"]
    for id in ids:
        assert len((await db.history.diffs(OWNER, [id]))[id] or "") > LONGEST_TOGETHER / 2
    with pytest.raises(QueryTooComplex, match="fewer"):
        await db.history.diffs(OWNER, ids)


async def curated_to(db: Database, otu_id: str, after: JoinedOTU) -> None:
    before = await stored(db.store, otu_id)
    assert before is not None
    await write_change(
        db.instance, db.store, before, after, verb=Verb.UPDATE, description="", user_id="owner", at=db.instance.clock()
    )


async def test_several_versions_are_given_up_to_a_bound(db: Database) -> None:
    reference = await stored_reference(db, users=(member("owner", *Right),))
    large = joined_sequence(sequence="A" * (LONGEST_TOGETHER // 2 + 1))
    otu = await stored_otu(db, reference.id, joined_otu(isolates=[joined_isolate(sequences=[large], default=True)]))
    small = (await stored_otu(db, reference.id)).otu
    both = [AtVersion(id, 0) for id in (otu.otu.id, small.id)]
    assert None not in (await db.history.at_versions(OWNER, both)).values()
    with pytest.raises(QueryTooComplex, match="too large for one answer"):
        await db.history.at_versions(OWNER, [*both, AtVersion(otu.otu.id, 1)])


async def test_a_few_edit_and_look_at_versions_at_once_each_user_in_turn(db: Database) -> None:
    reference = await stored_reference(db, users=(member("owner", *Right), member("writer", Right.MODIFY_OTU)))
    otu = (await stored_otu(db, reference.id)).otu
    instance = db.instance
    works: list[tuple[Room, Callable[[], Awaitable[object]]]] = [
        (instance.edits, lambda: db.otus.update(OWNER, otu.id, OTUChanges(name="New"))),
        (instance.edits, lambda: db.history.revert(WRITER, f"{otu.id}_0")),
        (instance.versions, lambda: db.history.at_version(OWNER, otu.id, 0)),
    ]
    for room, work in works:
        for _ in range(LARGE_AT_ONCE):
            await room.enter("others")
        working = asyncio.ensure_future(work())
        await until(lambda: room.waiting == 1)  # noqa: B023 - called at once
        room.leave()
        await working
        for _ in range(LARGE_AT_ONCE - 1):
            room.leave()
