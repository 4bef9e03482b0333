"""What belonged to a reference goes after it, also what was killed, raced for or left behind."""

import asyncio

from tests.factories.otus import full_otu, stored_otu
from tests.factories.references import stored_reference
from tests.factories.tasks import performed, stored_task
from virtool_gql.db.database import Database
from virtool_gql.db.otu_entries import new_entry
from virtool_gql.db.otu_writes import document_of
from virtool_gql.db.reference_removal import PARTS, remove_parts
from virtool_gql.models.history import HistoryEntry, Verb
from virtool_gql.models.indexes import Index
from virtool_gql.models.otus import OTU
from virtool_gql.models.references import Reference
from virtool_gql.models.tasks import DeleteReference, Task, TaskState
from virtool_gql.query import Eq


async def parts(db: Database, reference_id: str) -> list[int]:
    return [await db.store.count(kind, Eq("reference_id", reference_id)) for kind in PARTS]


async def filled_reference(db: Database, otus: int = 3) -> Reference:
    reference = await stored_reference(db)
    for _ in range(otus):
        await stored_otu(db, reference.id)
    at = db.instance.clock()
    await db.store.insert(
        Index(id=db.instance.new_id(), reference_id=reference.id, number=0, user_id="owner", created_at=at)
    )
    folder = db.places.reference(reference.id) / "index000"
    folder.mkdir(parents=True)
    (folder / "reference.fa").write_text(">s\nACGT\n")
    return reference


async def deletion_of(db: Database, reference: Reference) -> Task:
    args = DeleteReference(reference_id=reference.id, name=reference.name)
    return await stored_task(db, args=args, reference_id=reference.id)


async def test_all_that_belonged_to_a_reference_goes_and_nothing_else(each_db: Database) -> None:
    gone, stays = await filled_reference(each_db), await filled_reference(each_db)
    await each_db.store.delete(gone)
    ended = await performed(each_db, await deletion_of(each_db, gone))
    assert (ended.state, ended.progress) == (TaskState.COMPLETE, 1.0)
    assert await parts(each_db, gone.id) == [0, 0, 0, 0]
    assert await parts(each_db, stays.id) == [1, 3, 6, 3]
    assert not each_db.places.reference(gone.id).exists()
    assert each_db.places.reference(stays.id).exists()


async def test_a_reference_that_a_killed_server_left_between_its_two_stores_goes_too(split_db: Database) -> None:
    reference = await filled_reference(split_db)
    ended = await performed(split_db, await deletion_of(split_db, reference))
    assert ended.state is TaskState.COMPLETE
    assert await split_db.store.get(Reference, reference.id) is None
    assert await parts(split_db, reference.id) == [0, 0, 0, 0]


async def test_diffs_in_files_go_with_their_entries(db: Database) -> None:
    reference = await stored_reference(db)
    before = (await stored_otu(db, reference.id)).joined
    at = db.instance.clock()
    name = f"{before.id}_1_file0000"
    db.places.history_diff(name).write_bytes(b"a large diff")
    entry = await new_entry(
        db.instance,
        before,
        before,
        verb=Verb.EDIT,
        description="Modified schema",
        place=1,
        reference_id=reference.id,
        user_id="owner",
        at=at,
    )
    await db.store.insert(
        HistoryEntry(
            **{field: getattr(entry, field) for field in entry.__struct_fields__} | {"diff": None, "diff_file": name}
        )
    )
    await db.store.delete(reference)
    await performed(db, await deletion_of(db, reference))
    assert not db.places.history_diff(name).exists()


async def test_it_goes_in_batches_and_can_be_done_again_from_anywhere(db: Database) -> None:
    reference = await filled_reference(db, otus=5)
    told: list[float] = []
    assert await remove_parts(db.instance, reference.id, told.append, at_once=2) == 1 + 5 + 10 + 5
    assert told == sorted(told)
    assert len(told) >= 10
    assert told[-1] == 1.0
    assert await remove_parts(db.instance, reference.id) == 0


async def test_otus_that_are_created_while_a_reference_is_deleted_go_too(db: Database) -> None:
    reference = await filled_reference(db, otus=20)
    await db.store.delete(reference)
    deleting = asyncio.create_task(remove_parts(db.instance, reference.id, at_once=2))
    for number in range(5):
        await db.store.insert(
            document_of(full_otu(f"late{number}"), reference.id, user_id="owner", at=db.instance.clock())
        )
    await deleting
    late = await stored_otu(db, reference.id)  # by somebody who read the reference before it went
    assert await db.store.count(OTU, Eq("reference_id", reference.id)) == 1
    await performed(db, await deletion_of(db, reference))
    assert await db.store.get(OTU, late.otu.id) is None


async def test_two_who_delete_the_same_do_not_disturb_each_other(db: Database) -> None:
    reference = await filled_reference(db, otus=20)
    both = (remove_parts(db.instance, reference.id, at_once=3) for _ in range(2))
    await asyncio.gather(*both)
    assert await parts(db, reference.id) == [0, 0, 0, 0]
