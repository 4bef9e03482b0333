import asyncio

import pytest
from msgspec import structs

from tests.factories.otus import stored_otu
from tests.factories.references import member, stored_reference
from tests.factories.users import viewer_named
from virtool_gql.db.database import Database
from virtool_gql.db.reference_clones import NewClone, manifest_of
from virtool_gql.db.references import MOST_OUTSTANDING
from virtool_gql.errors import BadUserInput, Conflict, Forbidden, NotFound
from virtool_gql.models.references import ClonedFrom, DataType, Reference, Right, Target
from virtool_gql.models.tasks import Task, TaskState, TaskType
from virtool_gql.models.users import Permission

STRANGER = viewer_named("stranger", Permission.CREATE_REF)
READER = viewer_named("reader", Permission.CREATE_REF)
UNPERMITTED = viewer_named("unpermitted")
OWNER = viewer_named("owner")
ADMINISTRATOR = viewer_named("admin", administrator=True)

USERS = (member("reader"), member("unpermitted"), member("owner", *Right))


async def test_who_may_clone(db: Database) -> None:
    source = await stored_reference(db, users=USERS)
    new = NewClone(source_id=source.id)
    with pytest.raises(NotFound, match="no reference of that id") as error:
        await db.reference_clones.create(STRANGER, new)
    assert error.value.path == ("reference_id",)
    for viewer in (UNPERMITTED, OWNER):
        with pytest.raises(Forbidden, match="CREATE_REF"):
            await db.reference_clones.create(viewer, new)
    for viewer in (READER, ADMINISTRATOR):
        clone, _ = await db.reference_clones.create(viewer, new)
        assert clone.user_id == viewer.user_id
    assert (await db.store.count(Reference), await db.store.count(Task)) == (3, 2)


async def test_a_clone_is_what_its_source_is_but_for_its_members(each_db: Database) -> None:
    db = each_db
    source = await stored_reference(
        db,
        "Barcodes",
        users=USERS,
        groups=(member("readers"),),
        description="Of the source",
        organism="virus",
        data_type=DataType.BARCODE,
        targets=(Target(name="ITS", required=True, length=600),),
        source_types=("clone",),
        restrict_source_types=True,
        internal_control_id="control0",
        archived=True,
    )
    otus = [(await stored_otu(db, source.id)).otu for _ in range(3)]
    edited = (await db.store.replace(structs.replace(otus[0], revision=4)))[0]
    await stored_otu(db, (await stored_reference(db)).id)
    clone, task = await db.reference_clones.create(READER, NewClone(source_id=source.id))
    assert (clone.name, clone.description, clone.organism) == ("Clone of Barcodes", "", "virus")
    assert (clone.data_type, clone.targets) == (source.data_type, source.targets)
    assert (clone.source_types, clone.restrict_source_types) == (("clone",), True)
    assert ([user.id for user in clone.users], clone.groups, clone.internal_control_id) == (["reader"], (), None)
    assert clone.cloned_from == ClonedFrom(id=source.id, name="Barcodes")
    assert (clone.ready, clone.archived, clone.task_id) == (False, False, task.id)
    manifest = {edited.id: 4, otus[1].id: 0, otus[2].id: 0}
    assert await manifest_of(db.store, source.id) == manifest
    assert task.args == {"reference_id": clone.id, "source_id": source.id, "manifest": manifest}
    assert (task.type, task.state) == (TaskType.CLONE_REFERENCE, TaskState.WAITING)
    assert await db.store.get(Task, task.id) == task
    assert await db.references.get(READER, clone.id) == clone


async def test_one_user_does_not_fill_the_queue_of_tasks(db: Database) -> None:
    source = await stored_reference(db, users=USERS)
    new = NewClone(source_id=source.id)
    made = [await db.reference_clones.create(READER, new, idempotency_key=str(n)) for n in range(MOST_OUTSTANDING)]
    with pytest.raises(Conflict, match="20 of your tasks are not done yet"):
        await db.reference_clones.create(READER, new)
    assert await db.reference_clones.create(READER, new, idempotency_key="0") == made[0]
    await db.reference_clones.create(ADMINISTRATOR, new)
    await db.store.replace(structs.replace(made[0][1], state=TaskState.FAILED))
    await db.reference_clones.create(READER, new)


async def test_a_clone_may_be_named(db: Database) -> None:
    source = await stored_reference(db, "x" * 255, users=USERS)
    new = NewClone(source_id=source.id)
    clone, _ = await db.reference_clones.create(READER, new)
    assert clone.name == "Clone of " + "x" * 246
    named, _ = await db.reference_clones.create(
        READER, structs.replace(new, name=" Mine ", description="For me", organism="viroid")
    )
    assert (named.name, named.description, named.organism) == ("Mine", "For me", "viroid")
    with pytest.raises(BadUserInput) as error:
        await db.reference_clones.create(READER, structs.replace(new, name=" "))
    assert error.value.path == ("name",)


async def test_what_is_not_ready_is_not_cloned(db: Database) -> None:
    source = await stored_reference(db, users=USERS, ready=False)
    with pytest.raises(Conflict, match="still being made"):
        await db.reference_clones.create(READER, NewClone(source_id=source.id))


async def test_clones_by_one_key_are_one_even_when_the_source_is_gone(each_db: Database) -> None:
    db = each_db
    source = await stored_reference(db, users=USERS)
    new = NewClone(source_id=source.id)
    made = await asyncio.gather(*(db.reference_clones.create(READER, new, idempotency_key="k") for _ in range(20)))
    assert len({(clone.id, task.id) for clone, task in made}) == 1
    await db.store.delete(source)
    assert await db.reference_clones.create(READER, new, idempotency_key="k") == made[0]
    assert await db.store.count(Task) == 1
