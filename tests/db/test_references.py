import asyncio
from collections.abc import Awaitable
from typing import Any

import pytest
from msgspec import structs

from tests.factories.otus import stored_otu
from tests.factories.references import member, stored_reference
from tests.factories.users import viewer_named
from virtool_gql.access import Viewer
from virtool_gql.db.database import Database
from virtool_gql.db.reference_members import MemberRights
from virtool_gql.db.references import OFFICIAL_SLUG, NewReference, ReferenceChanges
from virtool_gql.db.settings import SettingsChanges
from virtool_gql.errors import BadUserInput, Conflict, Forbidden, NotFound, VirtoolError
from virtool_gql.models.references import DataType, Reference, RemotesFrom, Right, Target
from virtool_gql.models.tasks import ImportReference, Task, TaskState, TaskType
from virtool_gql.models.users import Permission
from virtool_gql.query import Eq
from virtool_gql.stores.documents import Documents

STRANGER = viewer_named("stranger", *Permission, groups=["others"])
READER = viewer_named("reader")
IN_GROUP = viewer_named("grouped", groups=["readers"])
WRITER = viewer_named("writer")
REMOVER = viewer_named("remover")
BUILDER = viewer_named("builder", groups=["readers", "writers"])
OWNER = viewer_named("owner", Permission.CREATE_REF)
FORMER = viewer_named("former")
ADMINISTRATOR = viewer_named("admin", administrator=True)
KEY = viewer_named("owner", key_id="key00000")

MEMBERS: dict[str, Any] = {
    "users": (
        member("reader"),
        member("writer", Right.MODIFY),
        member("remover", Right.REMOVE),
        member("owner", *Right),
        member("builder"),  # a row without a right does not stop that of a group from giving it
    ),
    "groups": (member("readers"), member("writers", Right.MODIFY, Right.REMOVE)),
}

READ = [READER, IN_GROUP, WRITER, REMOVER, BUILDER, OWNER, KEY, ADMINISTRATOR]
MODIFY = [WRITER, BUILDER, OWNER, KEY, ADMINISTRATOR]
REMOVE = [REMOVER, BUILDER, OWNER, KEY, ADMINISTRATOR]


def import_of(id: str) -> ImportReference:
    return ImportReference(reference_id=id, file_id="file0000")


async def making(db: Database, viewer: Viewer, **options: Any) -> tuple[Reference, Task]:
    new = NewReference(name="Imported")
    return await db.references.make(viewer, new, TaskType.IMPORT_REFERENCE, import_of, **options)


async def outcome(attempt: Awaitable[object]) -> type | None:
    try:
        await attempt
    except VirtoolError as error:
        return type(error)
    return None


@pytest.mark.parametrize("viewer", [STRANGER, *READ], ids=lambda viewer: viewer.handle)
async def test_who_may_read_change_and_delete(each_db: Database, viewer: Viewer) -> None:
    references = each_db.references
    reference = await stored_reference(each_db, **MEMBERS)
    changes = ReferenceChanges(description="Changed")
    hidden, ok = (NotFound, None) if viewer is STRANGER else (None, None)
    modifying = hidden or (ok if viewer in MODIFY else Forbidden)
    removing = hidden or (ok if viewer in REMOVE else Forbidden)
    assert await outcome(references.get(viewer, reference.id)) is hidden
    found = (await references.find(viewer)).documents
    assert [one.id for one in found] == ([] if hidden else [reference.id])
    assert await references.count(viewer) == len(await references.get_many(viewer, [reference.id])) == len(found)
    assert await outcome(references.update(viewer, reference.id, changes)) is modifying
    assert await outcome(references.archive(viewer, reference.id)) is modifying
    assert await outcome(references.restore(viewer, reference.id)) is modifying
    assert await outcome(references.delete(viewer, reference.id)) is removing


async def test_a_creator_who_is_no_member_any_more_only_reads(db: Database) -> None:
    reference = await stored_reference(db, user_id="former", users=())
    assert await db.references.get(FORMER, reference.id) == reference
    with pytest.raises(Forbidden, match="the right MODIFY on the reference “Plant Viruses”"):
        await db.references.update(FORMER, reference.id, ReferenceChanges(name="Mine"))
    with pytest.raises(Forbidden, match="REMOVE"):
        await db.references.delete(FORMER, reference.id)


@pytest.mark.parametrize(("viewer", "may"), [(READER, False), (KEY, False), (OWNER, True), (ADMINISTRATOR, True)])
async def test_who_may_make_references(db: Database, viewer: Viewer, may: bool) -> None:
    for make in (db.references.create(viewer, NewReference(name="New")), making(db, viewer)):
        if may:
            await make
        else:
            with pytest.raises(Forbidden, match="CREATE_REF"):
                await make
    assert await db.store.count(Reference) == (2 if may else 0)
    assert await db.store.count(Task) == (1 if may else 0)


async def test_a_new_reference_is_empty_ready_and_its_creators(each_db: Database) -> None:
    db = each_db
    await db.settings.update(ADMINISTRATOR, SettingsChanges(default_source_types=("Clone", "genotype")))
    new = NewReference(name=" Plants ", description="a\r\nb", organism=" virus", data_type=DataType.BARCODE)
    reference = await db.references.create(OWNER, new)
    assert (reference.name, reference.name_key, reference.description) == ("Plants", "plants", "a\nb")
    assert (reference.organism, reference.data_type) == ("virus", DataType.BARCODE)
    assert reference.source_types == ("clone", "genotype")
    assert (reference.ready, reference.archived, reference.task_id) == (True, False, None)
    assert (reference.user_id, reference.version) == ("owner", 1)
    (creator,) = reference.users
    assert structs.replace(creator, created_at=reference.created_at) == structs.replace(
        member("owner", *Right), created_at=reference.created_at
    )
    assert await db.references.get(OWNER, reference.id) == reference
    assert (await db.references.create(OWNER, new)).id != reference.id  # names are not unique


async def test_twenty_creates_with_one_key_make_one_reference(each_db: Database) -> None:
    new = NewReference(name="Once")
    creates = (each_db.references.create(OWNER, new, idempotency_key="k") for _ in range(20))
    references = await asyncio.gather(*creates)
    assert all(reference == references[0] for reference in references)
    assert await each_db.store.count(Reference) == 1
    other = await each_db.references.create(ADMINISTRATOR, new, idempotency_key="k")
    assert other.id != references[0].id


async def test_a_reference_is_made_with_its_task(each_db: Database) -> None:
    db = each_db
    reference, task = await making(db, OWNER)
    assert (reference.ready, reference.task_id) == (False, task.id)
    assert task.args == {"reference_id": reference.id, "file_id": "file0000"}
    assert (task.user_id, task.reference_id, task.state) == ("owner", reference.id, TaskState.WAITING)
    assert await db.references.get(OWNER, reference.id) == reference
    assert await db.store.get(Task, task.id) == task


async def test_what_cannot_be_made_leaves_nothing(each_db: Database) -> None:
    db = each_db

    async def refuse(documents: Documents, reference: Reference) -> None:
        await documents.insert(structs.replace(reference, id="another0"))
        raise Conflict("The file is taken.")

    with pytest.raises(Conflict, match="taken"):
        await making(db, OWNER, also=refuse)
    assert (await db.store.count(Reference), await db.store.count(Task)) == (0, 0)


async def test_twenty_who_make_by_one_key_make_one_with_one_task(each_db: Database) -> None:
    made = await asyncio.gather(*(making(each_db, OWNER, idempotency_key="k") for _ in range(20)))
    assert len({(reference.id, task.id) for reference, task in made}) == 1
    assert (await each_db.store.count(Reference), await each_db.store.count(Task)) == (1, 1)
    assert await each_db.references.made_with(OWNER, "k") == made[0]
    assert await each_db.references.made_with(OWNER, "other") is None
    assert await each_db.references.made_with(ADMINISTRATOR, "k") is None
    await each_db.store.delete(made[0][1])
    with pytest.raises(Conflict, match="its task is gone"):
        await making(each_db, OWNER, idempotency_key="k")


@pytest.mark.parametrize(
    ("values", "path"),
    [
        ({"name": " "}, "name"),
        ({"name": "\u200b"}, "name"),
        ({"name": "x" * 256}, "name"),
        ({"name": "x" * 10_000_000}, "name"),
        ({"name": "a\nb"}, "name"),
        ({"description": "x" * 10_001}, "description"),
        ({"description": "\0"}, "description"),
        ({"organism": "x" * 256}, "organism"),
    ],
    ids=lambda value: None if isinstance(value, dict) else str(value),
)
async def test_values_are_checked(db: Database, values: dict[str, Any], path: str) -> None:
    reference = await stored_reference(db)
    for write in (
        db.references.create(OWNER, structs.replace(NewReference(name="New"), **values)),
        db.references.update(OWNER, reference.id, ReferenceChanges(**values)),
    ):
        with pytest.raises(BadUserInput) as error:
            await write
        assert error.value.path[0] == path
    assert (await db.store.find(Reference)).documents == [reference]


async def test_an_update_is_partial_and_writes_only_what_changed(each_db: Database) -> None:
    references = each_db.references
    reference = await stored_reference(each_db, description="Kept", organism="virus")
    changed = await references.update(OWNER, reference.id, ReferenceChanges(name="New", restrict_source_types=True))
    assert (changed.name, changed.name_key, changed.description, changed.organism) == ("New", "new", "Kept", "virus")
    assert (changed.restrict_source_types, changed.version) == (True, 2)
    assert changed.updated_at > reference.updated_at
    for nothing in (
        ReferenceChanges(),
        ReferenceChanges(name=" New "),
        ReferenceChanges(source_types=("Isolate", "strain")),
    ):
        assert await references.update(OWNER, reference.id, nothing) == changed
    typed = await references.update(OWNER, reference.id, ReferenceChanges(source_types=(" Clone", "CLONE", "strain ")))
    assert typed.source_types == ("clone", "strain")
    assert (await references.update(OWNER, reference.id, ReferenceChanges(source_types=()))).source_types == ()


async def test_of_twenty_edits_of_one_version_one_wins(each_db: Database) -> None:
    reference = await stored_reference(each_db)
    changes = [ReferenceChanges(name=f"Name {number}") for number in range(20)]
    answers = await asyncio.gather(
        *(each_db.references.update(OWNER, reference.id, change, expected_version=1) for change in changes),
        return_exceptions=True,
    )
    won = [answer for answer in answers if isinstance(answer, Reference)]
    assert len(won) == 1
    assert sum(isinstance(answer, Conflict) for answer in answers) == 19
    assert await each_db.references.get(OWNER, reference.id) == won[0]


async def test_edits_at_once_lose_nothing(each_db: Database) -> None:
    reference = await stored_reference(each_db)
    changes = [ReferenceChanges(name="N"), ReferenceChanges(description="D"), ReferenceChanges(organism="O")] * 5
    await asyncio.gather(*(each_db.references.update(OWNER, reference.id, change) for change in changes))
    stored = await each_db.references.get(OWNER, reference.id)
    assert (stored.name, stored.description, stored.organism, stored.version) == ("N", "D", "O", 4)


async def test_whose_right_is_taken_meanwhile_changes_nothing_after_that(each_db: Database) -> None:
    db = each_db
    for number in range(5):
        reference = await stored_reference(db, f"Reference {number}", **MEMBERS)
        changes = (ReferenceChanges(description=f"{edit}") for edit in range(10))
        taken, *answers = await asyncio.gather(
            db.reference_users.update(OWNER, reference.id, "writer", MemberRights(modify=False)),
            *(db.references.update(WRITER, reference.id, change) for change in changes),
            return_exceptions=True,
        )
        assert isinstance(taken, Reference)
        landed = [answer for answer in answers if isinstance(answer, Reference)]
        assert all(answer.version < taken.version for answer in landed)
        assert len(landed) + sum(isinstance(answer, Forbidden) for answer in answers) == 10


async def test_targets_are_of_barcodes_alone(db: Database) -> None:
    genomes = await stored_reference(db)
    barcodes = await stored_reference(db, data_type=DataType.BARCODE)
    target = Target(name=" ITS ", description="Internal", required=True, length=600)
    changes = ReferenceChanges(targets=(target, Target(name="its")))
    assert await db.references.update(OWNER, genomes.id, changes) == genomes
    changed = await db.references.update(OWNER, barcodes.id, changes)
    assert changed.targets == (structs.replace(target, name="ITS"), Target(name="its"))
    for wrong in ((target, Target(name="ITS")), (Target(name=" "),), (Target(name="x", length=0),)):
        with pytest.raises(BadUserInput) as error:
            await db.references.update(OWNER, barcodes.id, ReferenceChanges(targets=wrong))
        assert error.value.path[0] == "targets"
    with pytest.raises(BadUserInput, match="The targets field may not contain duplicate names"):
        await db.references.update(OWNER, barcodes.id, ReferenceChanges(targets=(target, target)))
    assert (await db.references.update(OWNER, barcodes.id, ReferenceChanges(targets=()))).targets == ()


async def test_an_internal_control_is_an_otu_of_the_reference(each_db: Database) -> None:
    db = each_db
    reference, other = await stored_reference(db), await stored_reference(db, "Other")
    own, foreign = (await stored_otu(db, reference.id)).otu, (await stored_otu(db, other.id)).otu

    async def set_to(id: str | None) -> Reference:
        return await db.references.update(OWNER, reference.id, ReferenceChanges(internal_control_id=id))

    for none in (foreign.id, "nothing0", "", "../x", "\0", None):
        assert (await set_to(own.id)).internal_control_id == own.id
        assert (await set_to(none)).internal_control_id is None


async def test_what_is_archived_or_not_ready_cannot_be_changed(db: Database) -> None:
    change = ReferenceChanges(name="Changed")
    archived = await stored_reference(db, archived=True)
    with pytest.raises(Conflict, match="is archived; restore it to change it"):
        await db.references.update(OWNER, archived.id, change)
    unready = await stored_reference(db, ready=False)
    for write in (db.references.update(OWNER, unready.id, change), db.references.archive(OWNER, unready.id)):
        with pytest.raises(Conflict, match="still being made"):
            await write
    updating = await stored_reference(db, updating=True)
    with pytest.raises(Conflict, match="is being updated"):
        await db.references.archive(OWNER, updating.id)


async def test_archiving_and_restoring_can_be_said_twice(each_db: Database) -> None:
    references = each_db.references
    reference = await stored_reference(each_db)
    archived = await references.archive(OWNER, reference.id)
    assert (archived.archived, archived.version) == (True, 2)
    assert await references.archive(OWNER, reference.id) == archived
    restored = await references.restore(OWNER, reference.id)
    assert (restored.archived, restored.version) == (False, 3)
    assert await references.restore(OWNER, reference.id) == restored
    assert (await references.update(OWNER, reference.id, ReferenceChanges(name="Again"))).name == "Again"


@pytest.mark.parametrize("values", [{}, {"archived": True}, {"ready": False}, {"updating": True}], ids=str)
async def test_deleting_removes_at_once_and_leaves_the_rest_to_a_task(
    each_db: Database, values: dict[str, Any]
) -> None:
    db = each_db
    reference = await stored_reference(db, **values)
    deleted, task = await db.references.delete(OWNER, reference.id)
    assert deleted == reference
    assert await db.store.get(Reference, reference.id) is None
    assert await db.store.get(Task, task.id) == task
    assert (task.type, task.args) == (
        TaskType.DELETE_REFERENCE,
        {"reference_id": reference.id, "name": "Plant Viruses"},
    )
    assert await db.tasks.get(OWNER, task.id) == task
    for write in (db.references.delete(OWNER, reference.id), db.references.restore(OWNER, reference.id)):
        with pytest.raises(NotFound):
            await write


async def test_of_twenty_who_delete_one_does(each_db: Database) -> None:
    reference = await stored_reference(each_db)
    deletes = (each_db.references.delete(OWNER, reference.id) for _ in range(20))
    answers = await asyncio.gather(*deletes, return_exceptions=True)
    assert sum(isinstance(answer, tuple) for answer in answers) == 1
    assert sum(isinstance(answer, NotFound) for answer in answers) == 19
    assert await each_db.store.count(Task) == 1


async def test_deleting_while_others_edit(each_db: Database) -> None:
    db = each_db
    for number in range(5):
        reference = await stored_reference(db, f"Reference {number}")
        changes = (ReferenceChanges(description=f"{edit}") for edit in range(10))
        answers = await asyncio.gather(
            db.references.delete(OWNER, reference.id),
            *(db.references.update(OWNER, reference.id, change) for change in changes),
            return_exceptions=True,
        )
        assert isinstance(answers[0], tuple), answers[0]
        assert all(isinstance(answer, Reference | NotFound) for answer in answers[1:]), answers
        assert await db.store.get(Reference, reference.id) is None
        assert await db.store.count(Task, Eq("reference_id", reference.id)) == 1


@pytest.mark.parametrize("id", ["nothing0", "", "\0", "../x", "A"])
async def test_what_is_not_there_cannot_be_changed(db: Database, id: str) -> None:
    for write in (
        db.references.update(OWNER, id, ReferenceChanges()),
        db.references.archive(OWNER, id),
        db.references.restore(OWNER, id),
        db.references.delete(OWNER, id),
    ):
        with pytest.raises(NotFound, match="no reference of that id"):
            await write


async def test_the_official_reference_is_known_to_be_there(each_db: Database) -> None:
    db = each_db
    await stored_reference(db, remotes_from=RemotesFrom(slug="somebody/else"))
    assert not await db.references.official_installed()
    official = await stored_reference(db, user_id="hidden", remotes_from=RemotesFrom(slug=OFFICIAL_SLUG))
    assert await db.references.official_installed()
    await db.store.delete(official)
    assert not await db.references.official_installed()


async def names_told(db: Database, viewer: Viewer, after: str, last: str) -> list[str]:
    """Give the names of the references of which the viewer is told, until one of the last name."""
    names: list[str] = []
    async with asyncio.timeout(20):
        async for change in db.changes(lambda: viewer, ["references"], after):
            names.append(change.document["name"])
            if names[-1] == last:
                break
    return names


async def test_only_members_are_told(db: Database) -> None:
    after = await db.hub.cursor()
    everybody = (member("reader"), member("owner", *Right))
    hidden = await stored_reference(db, "Hidden")
    await stored_reference(db, "Of a group", users=(), user_id="nobody", groups=(member("readers"),))
    shared = await stored_reference(db, "Shared", users=everybody)
    taken = await stored_reference(db, "Taken", users=everybody)
    await db.reference_users.remove(OWNER, taken.id, "reader")
    await db.references.update(OWNER, taken.id, ReferenceChanges(name="Taken away"))
    await db.references.update(OWNER, hidden.id, ReferenceChanges(name="Hidden still"))
    await db.references.update(OWNER, shared.id, ReferenceChanges(name="Last"))
    told = await names_told(db, READER, after, "Last")
    assert [name for name in told if name != "Taken"] == ["Shared", "Last"]  # of its insertion they may have heard
    assert len(await names_told(db, ADMINISTRATOR, after, "Last")) == 8
