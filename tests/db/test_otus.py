import asyncio
from contextlib import suppress
from typing import Any

import pytest
from msgspec import structs
from sqlalchemy import text

from tests.factories.conditions import until
from tests.factories.curators import ADMINISTRATOR, MAY, MEMBERS, OWNER, READER, WRITER, allowed
from tests.factories.otus import RNA_A, RNA_B, full_otu, joined_isolate, joined_otu, joined_sequence, stored_otu
from tests.factories.references import stored_reference
from virtool_gql.access import Viewer
from virtool_gql.db.database import Database
from virtool_gql.db.isolates import NewIsolate
from virtool_gql.db.otu_writes import newborn, stored
from virtool_gql.db.otus import NewOTU, OTUChanges
from virtool_gql.errors import BadUserInput, Conflict, Forbidden, NotFound, VirtoolError
from virtool_gql.models.history import HistoryEntry, Verb
from virtool_gql.models.otus import OTU, Sequence
from virtool_gql.models.references import Reference
from virtool_gql.query import Eq, Order
from virtool_gql.stores.postgres import PostgresStore


async def entries(db: Database, otu_id: str) -> list[HistoryEntry]:
    return (await db.store.find(HistoryEntry, Eq("otu_id", otu_id), [Order("place")])).documents


async def sentences(db: Database, otu_id: str) -> list[tuple[Verb, str]]:
    return [(entry.verb, entry.description) for entry in await entries(db, otu_id)]


@pytest.mark.parametrize(("viewer", "refusal"), MAY)
async def test_who_may_write_otus(db: Database, viewer: Viewer, refusal: type[VirtoolError] | None) -> None:
    reference = await stored_reference(db, **MEMBERS)
    otu = (await stored_otu(db, reference.id)).otu
    writes = [
        lambda: db.otus.create(viewer, reference.id, NewOTU(name="New")),
        lambda: db.otus.update(viewer, otu.id, OTUChanges(name="Changed")),
        lambda: db.otus.delete(viewer, otu.id),
    ]
    if await allowed(writes, refusal):
        assert [left.name for left in (await db.store.find(OTU)).documents] == ["New"]
        return
    assert (await db.store.find(OTU)).documents == [otu]
    assert await db.store.count(HistoryEntry) == 1


@pytest.mark.parametrize(("viewer", "refusal"), MAY)
async def test_members_read_otus(each_db: Database, viewer: Viewer, refusal: type[VirtoolError] | None) -> None:
    reference = await stored_reference(each_db, **MEMBERS)
    otu = (await stored_otu(each_db, reference.id)).otu
    await stored_otu(each_db, (await stored_reference(each_db, "Other", user_id="somebody")).id)
    if refusal is NotFound:
        with pytest.raises(NotFound, match="no OTU of that id"):
            await each_db.otus.get(viewer, otu.id)
        assert (await each_db.otus.find(viewer)).documents == []
        assert await each_db.otus.get_many(viewer, [otu.id]) == {}
        return
    assert await each_db.otus.get(viewer, otu.id) == otu
    assert await each_db.otus.count(viewer) == 1 + viewer.administrator


@pytest.mark.parametrize("state", [{"archived": True}, {"ready": False}])
async def test_a_reference_that_is_archived_or_not_all_there_is_not_changed(
    db: Database, state: dict[str, Any]
) -> None:
    reference = await stored_reference(db, **MEMBERS)
    otu = (await stored_otu(db, reference.id)).otu
    await db.store.replace(structs.replace(reference, **state))
    for viewer in (OWNER, ADMINISTRATOR):
        for write in (
            db.otus.create(viewer, reference.id, NewOTU(name="New")),
            db.otus.update(viewer, otu.id, OTUChanges(name="Changed")),
            db.otus.delete(viewer, otu.id),
        ):
            with pytest.raises(Conflict, match=r"is archived|still being made"):
                await write
    with pytest.raises(Forbidden):
        await db.otus.delete(READER, otu.id)


async def test_an_otu_is_made_with_its_schema_and_without_isolates(each_db: Database) -> None:
    reference = await stored_reference(each_db)
    new = NewOTU(name=" Abutilon  virus ", abbreviation=" AbV ", schema=(RNA_A, RNA_B))
    otu = await each_db.otus.create(OWNER, reference.id, new)
    assert otu == await each_db.otus.get(OWNER, otu.id)
    assert (otu.name, otu.abbreviation, otu.schema) == ("Abutilon  virus", "AbV", (RNA_A, RNA_B))
    assert (otu.revision, otu.version, otu.user_id, otu.reference_id) == (0, 1, "owner", reference.id)
    assert (otu.verified, otu.modified, otu.imported, otu.remote_id) == (False, True, False, None)
    (entry,) = await entries(each_db, otu.id)
    assert (entry.id, entry.verb, entry.description) == (
        f"{otu.id}_0",
        Verb.CREATE,
        "Created Abutilon  virus (AbV)",
    )
    assert (entry.otu_revision, entry.user_id, entry.reference_id) == (0, "owner", reference.id)
    assert await sentences(each_db, (await each_db.otus.create(OWNER, reference.id, NewOTU(name="V"))).id) == [
        (Verb.CREATE, "Created V")
    ]


TAKEN = [
    ({"name": "VIRUS  \u200ba"}, "Name already exists.", "name"),
    ({"name": "Other", "abbreviation": "VA"}, "Abbreviation already exists.", "abbreviation"),
    ({"name": "virus a", "abbreviation": "VA"}, "Name and abbreviation already exist.", "name"),
    ({"name": "virus a", "abbreviation": "VB"}, "Name and abbreviation already exist.", "name"),
]


@pytest.mark.parametrize(("values", "message", "path"), TAKEN)
async def test_a_name_and_an_abbreviation_are_used_once(
    each_db: Database, values: dict[str, Any], message: str, path: str
) -> None:
    reference = await stored_reference(each_db)
    await stored_otu(each_db, reference.id, name="Virus A", abbreviation="VA")
    await stored_otu(each_db, reference.id, name="Virus B", abbreviation="VB")
    third = (await stored_otu(each_db, reference.id, name="Virus C")).otu
    for write in (
        each_db.otus.create(OWNER, reference.id, NewOTU(**values)),
        each_db.otus.update(OWNER, third.id, OTUChanges(**values)),
    ):
        with pytest.raises(Conflict) as error:
            await write
        assert (error.value.message, error.value.path) == (message, (path,))
    assert await each_db.store.count(OTU) == await each_db.store.count(HistoryEntry) == 3


async def test_what_differs_or_is_of_another_reference_is_not_taken(db: Database) -> None:
    reference, other = await stored_reference(db), await stored_reference(db, "Other")
    first = (await stored_otu(db, reference.id, name="Virus A", abbreviation="VA")).otu
    await db.otus.create(OWNER, other.id, NewOTU(name="Virus A", abbreviation="VA"))
    await db.otus.create(OWNER, reference.id, NewOTU(name="Virus B", abbreviation="va"))
    for name in ("C", "D"):
        await db.otus.create(OWNER, reference.id, NewOTU(name=name))
    assert (await db.otus.update(OWNER, first.id, OTUChanges(name="VIRUS A"))).name == "VIRUS A"
    assert (await db.otus.update(OWNER, first.id, OTUChanges(name="VIRUS A", abbreviation="VA"))).revision == 1


async def test_of_many_who_create_one_name_one_does(each_db: Database) -> None:
    reference = await stored_reference(each_db)
    news = [NewOTU(name=name, abbreviation="V") for name in ("Same", "SAME", "same", "Other") * 5]
    answers = await asyncio.gather(
        *(each_db.otus.create(OWNER, reference.id, new) for new in news), return_exceptions=True
    )
    assert sum(isinstance(answer, OTU) for answer in answers) == 1
    told = {str(answer) for answer in answers if not isinstance(answer, OTU)}
    assert told <= {"Name and abbreviation already exist.", "Abbreviation already exists."}
    assert all(type(answer) in {OTU, Conflict} for answer in answers)
    assert await each_db.store.count(OTU) == await each_db.store.count(HistoryEntry) == 1


async def test_of_many_who_take_one_name_one_does(db: Database) -> None:
    reference = await stored_reference(db)
    otus = [(await stored_otu(db, reference.id)).otu for _ in range(10)]
    answers = await asyncio.gather(
        *(db.otus.update(OWNER, otu.id, OTUChanges(name="Same")) for otu in otus), return_exceptions=True
    )
    assert sorted(str(answer) for answer in answers if not isinstance(answer, OTU)) == ["Name already exists."] * 9
    assert await db.store.count(HistoryEntry) == 11


async def test_the_same_idempotency_key_gives_the_same_otu(db: Database) -> None:
    reference = await stored_reference(db, **MEMBERS)
    creations = (db.otus.create(OWNER, reference.id, NewOTU(name="Once"), idempotency_key="k") for _ in range(30))
    otus = await asyncio.gather(*creations)
    assert len({otu.id for otu in otus}) == await db.store.count(OTU) == await db.store.count(HistoryEntry) == 1
    assert (await db.otus.create(OWNER, reference.id, NewOTU(name="Else"), idempotency_key="k")).name == "Once"
    with pytest.raises(Conflict):
        await db.otus.create(WRITER, reference.id, NewOTU(name="Once"), idempotency_key="k")


async def test_a_key_does_not_show_an_otu_of_a_reference_that_one_may_no_longer_read(db: Database) -> None:
    once_theirs, own = await stored_reference(db, **MEMBERS), await stored_reference(db, user_id="writer", **MEMBERS)
    otu = await db.otus.create(WRITER, once_theirs.id, NewOTU(name="Secret"), idempotency_key="k")
    await db.reference_users.remove(OWNER, once_theirs.id, WRITER.user_id)
    with pytest.raises(Conflict, match="used for another reference") as refusal:
        await db.otus.create(WRITER, own.id, NewOTU(name="Mine"), idempotency_key="k")
    assert refusal.value.path == ("idempotency_key",)
    assert (await db.store.find(OTU)).documents == [otu]


async def test_an_edit_goes_into_the_history_and_none_does_not(each_db: Database) -> None:
    reference = await stored_reference(each_db)
    otu = (await stored_otu(each_db, reference.id, name="Virus", schema=(RNA_A,))).otu
    edited = await each_db.otus.update(OWNER, otu.id, OTUChanges(name="New", abbreviation="N"))
    assert (edited.name, edited.name_key, edited.abbreviation_key) == ("New", "new", "N")
    assert (edited.revision, edited.last_revision, edited.verified) == (1, 1, True)
    for nothing in (OTUChanges(), OTUChanges(name=" New ", abbreviation="N", schema=(RNA_A,))):
        assert await each_db.otus.update(OWNER, otu.id, nothing) == edited
    assert await sentences(each_db, otu.id) == [
        (Verb.CREATE, "Created Virus"),
        (Verb.EDIT, "Changed name to New and added abbreviation N"),
    ]
    (_, entry) = await entries(each_db, otu.id)
    assert (entry.id, entry.otu_name, entry.otu_revision) == (f"{otu.id}_1", "Virus", 1)
    assert (await each_db.otus.update(OWNER, otu.id, OTUChanges(abbreviation=""))).abbreviation_key is None


async def test_segments_that_are_gone_are_taken_off_just_the_sequences_that_had_them(each_db: Database) -> None:
    reference = await stored_reference(each_db)
    parts = [joined_sequence("s1", segment="RNA A"), joined_sequence("s2", segment="RNA B"), joined_sequence("s3")]
    otu = joined_otu("o1", [joined_isolate("a", parts, default=True)], schema=(RNA_A, RNA_B))
    before = await stored_otu(each_db, reference.id, otu)
    await each_db.otus.update(OWNER, "o1", OTUChanges(schema=(RNA_B,)))
    after = await stored(each_db.store, "o1")
    assert after is not None
    assert {id: sequence.segment for id, sequence in after.sequences.items()} == {"s1": None, "s2": "RNA B", "s3": None}
    assert {id: sequence.version for id, sequence in after.sequences.items()} == {"s1": 2, "s2": 1, "s3": 1}
    assert after.sequences["s1"].sequence == before.sequences["s1"].sequence


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        (OTUChanges(name=""), ("name",)),
        (OTUChanges(abbreviation="\0"), ("abbreviation",)),
        (OTUChanges(schema=(RNA_A, RNA_A)), ("schema",)),
    ],
)
async def test_values_are_checked(db: Database, changes: OTUChanges, path: tuple[str, ...]) -> None:
    reference = await stored_reference(db)
    otu = (await stored_otu(db, reference.id)).otu
    with pytest.raises(BadUserInput) as error:
        await db.otus.update(OWNER, otu.id, changes)
    assert error.value.path == path
    assert await db.otus.get(OWNER, otu.id) == otu


async def test_two_curators_of_one_otu_both_edit_it(each_db: Database) -> None:
    reference = await stored_reference(each_db, **MEMBERS)
    otu = (await stored_otu(each_db, reference.id)).otu
    await asyncio.gather(
        each_db.otus.update(OWNER, otu.id, OTUChanges(name="Name")),
        each_db.otus.update(WRITER, otu.id, OTUChanges(abbreviation="N")),
        each_db.isolates.create(WRITER, otu.id, NewIsolate(source_name="X")),
        each_db.otus.update(OWNER, otu.id, OTUChanges(schema=(RNA_A,))),
    )
    now = await each_db.otus.get(OWNER, otu.id)
    assert (now.name, now.abbreviation, now.schema, len(now.isolates)) == ("Name", "N", (RNA_A,), 3)
    assert [entry.otu_revision for entry in await entries(each_db, otu.id)] == [0, 1, 2, 3, 4]


async def test_of_two_who_expect_the_same_version_one_is_told_of_the_other(each_db: Database) -> None:
    reference = await stored_reference(each_db)
    otu = (await stored_otu(each_db, reference.id)).otu
    answers = await asyncio.gather(
        *(
            each_db.otus.update(OWNER, otu.id, OTUChanges(name=f"Name {number}"), expected_version=0)
            for number in range(2)
        ),
        return_exceptions=True,
    )
    assert sorted(type(answer).__name__ for answer in answers) == ["Conflict", "OTU"]
    (conflict,) = (answer for answer in answers if isinstance(answer, Conflict))
    assert conflict.message == "Somebody else changed the OTU first; look at what is there now."
    with pytest.raises(Conflict, match="Somebody else changed the OTU first"):
        await each_db.otus.delete(OWNER, otu.id, expected_version=0)
    assert (await each_db.otus.update(OWNER, otu.id, OTUChanges(name="B"), expected_version=1)).revision == 2


async def test_an_otu_is_deleted_with_its_sequences_and_the_history_keeps_it(each_db: Database) -> None:
    reference = await stored_reference(each_db)
    kept = await stored_otu(each_db, reference.id)
    otu = (await stored_otu(each_db, reference.id, full_otu("o1", 3, 2, name="Virus", abbreviation="V"))).otu
    await each_db.store.replace(structs.replace(reference, internal_control_id="o1"))
    assert await each_db.otus.delete(OWNER, "o1") == otu
    assert (await each_db.store.find(OTU)).documents == [kept.otu]
    assert {each.id for each in (await each_db.store.find(Sequence)).documents} == set(kept.sequences)
    now = await each_db.store.get(Reference, reference.id)
    assert now is not None
    assert now.internal_control_id is None
    entry = (await entries(each_db, "o1"))[-1]
    assert (entry.id, entry.verb, entry.description) == ("o1_removed", Verb.REMOVE, "Removed Virus (V)")
    assert (entry.place, entry.otu_revision, entry.otu_name) == (1, None, "Virus")
    for write in (each_db.otus.delete(OWNER, "o1"), each_db.otus.update(OWNER, "o1", OTUChanges())):
        with pytest.raises(NotFound, match="no OTU of that id"):
            await write
    assert (await each_db.otus.create(OWNER, reference.id, NewOTU(name="Virus", abbreviation="V"))).name == "Virus"


async def test_the_internal_control_stays_when_another_otu_is_deleted(db: Database) -> None:
    reference = await stored_reference(db)
    control, other = (await stored_otu(db, reference.id)).otu, (await stored_otu(db, reference.id)).otu
    reference = (await db.store.replace(structs.replace(reference, internal_control_id=control.id)))[0]
    await db.otus.delete(OWNER, other.id)
    assert await db.store.get(Reference, reference.id) == reference


async def test_of_many_who_delete_one_does(each_db: Database) -> None:
    reference = await stored_reference(each_db)
    otu = (await stored_otu(each_db, reference.id)).otu
    deletions = (each_db.otus.delete(OWNER, otu.id) for _ in range(10))
    answers = await asyncio.gather(*deletions, return_exceptions=True)
    assert sorted(type(answer).__name__ for answer in answers) == [*["NotFound"] * 9, "OTU"]
    assert await each_db.store.count(HistoryEntry) == 2
    assert await each_db.store.count(Sequence) == 0


@pytest.mark.parametrize("id", ["nothing0", "", "\0", "../x", "A"])
async def test_what_is_not_there_cannot_be_changed(db: Database, id: str) -> None:
    for write in (db.otus.update(ADMINISTRATOR, id, OTUChanges()), db.otus.delete(ADMINISTRATOR, id)):
        with pytest.raises(NotFound, match="no OTU of that id"):
            await write
    with pytest.raises(NotFound, match="no reference of that id") as error:
        await db.otus.create(ADMINISTRATOR, id, NewOTU(name="New"))
    assert error.value.path == ("reference_id",)


class NotDone(Exception):
    """Has a transaction come to nothing."""


async def test_an_otu_that_is_made_while_its_reference_is_deleted_does_not_stay(db: Database) -> None:
    reference = await stored_reference(db)
    other, _, _ = newborn(
        joined_otu("other", name="Virus"), reference.id, verb=Verb.CREATE, user_id="owner", at=db.instance.clock()
    )
    with suppress(NotDone):
        async with db.store.transaction() as transaction:
            # Whoever creates an OTU of the same name waits until it is known what becomes of this one.
            await transaction.insert(other)
            creating = asyncio.ensure_future(db.otus.create(OWNER, reference.id, NewOTU(name="Virus")))
            await until(lambda: waits_for_a_lock(db))
            await db.store.delete(reference)
            raise NotDone
    with pytest.raises(NotFound, match="no reference of that id"):
        await creating
    assert await db.store.count(OTU) == await db.store.count(HistoryEntry) == 0


async def waits_for_a_lock(db: Database) -> bool:
    store = db.store.store
    assert isinstance(store, PostgresStore)
    async with store.engine.connect() as connection:
        return bool(await connection.scalar(text("SELECT count(*) FROM pg_locks WHERE NOT granted")))


async def test_many_who_make_otus_while_their_reference_is_deleted_leave_none_of_theirs(each_db: Database) -> None:
    for round in range(5):
        reference = await stored_reference(each_db, f"Reference {round}")
        started = asyncio.Event()

        async def creating(number: int, id: str = reference.id, started: asyncio.Event = started) -> OTU:
            started.set()
            return await each_db.otus.create(OWNER, id, NewOTU(name=f"Virus {number}"))

        async def deleting(reference: Reference = reference, started: asyncio.Event = started) -> None:
            await started.wait()
            await each_db.store.delete(reference)

        answers = await asyncio.gather(*map(creating, range(4)), deleting(), return_exceptions=True)
        made = {answer.id for answer in answers if isinstance(answer, OTU)}
        assert all(answer is None or isinstance(answer, OTU | NotFound) for answer in answers), answers
        left = (await each_db.store.find(OTU, Eq("reference_id", reference.id))).documents
        # Those that were finished before are left to the task that deletes what is in the reference.
        assert {otu.id for otu in left} <= made
        assert await each_db.store.count(HistoryEntry, Eq("reference_id", reference.id)) == len(left)
