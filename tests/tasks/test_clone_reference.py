"""OTUs are copied as they were when the clone was asked for: all of them or none."""

from msgspec import structs

from tests.factories.otus import full_otu, stored_otu
from tests.factories.references import stored_reference
from tests.factories.tasks import performed, runs_of, stored_task, task_now
from virtool_gql.db.database import Database
from virtool_gql.db.otu_writes import Stored, stored, write_change
from virtool_gql.db.reference_clones import manifest_of
from virtool_gql.models.history import HistoryEntry, Verb
from virtool_gql.models.joined import JoinedOTU
from virtool_gql.models.otus import OTU
from virtool_gql.models.references import ClonedFrom, Reference
from virtool_gql.models.tasks import CloneReference, Task, TaskState, TaskType
from virtool_gql.query import Eq, Page

EVERY = Page(first=None)


async def source_with(db: Database, *names: str) -> tuple[Reference, list[Stored]]:
    source = await stored_reference(db, "Source")
    otus = [
        await stored_otu(db, source.id, full_otu(f"otu{number:05}", name=name, remote_id=f"remote{number}"))
        for number, name in enumerate(names)
    ]
    return source, otus


async def clone_of(db: Database, source: Reference, manifest: dict[str, int] | None = None) -> tuple[Reference, Task]:
    origin = ClonedFrom(id=source.id, name=source.name)
    clone = await stored_reference(db, "Clone of Source", "cloner", ready=False, cloned_from=origin)
    manifest = await manifest_of(db.store, source.id) if manifest is None else manifest
    args = CloneReference(reference_id=clone.id, source_id=source.id, manifest=manifest)
    task = await stored_task(db, "cloner", TaskType.CLONE_REFERENCE, args, reference_id=clone.id)
    return (await db.store.replace(structs.replace(clone, task_id=task.id)))[0], task


async def otus_of(db: Database, reference: Reference) -> list[OTU]:
    return (await db.store.find(OTU, Eq("reference_id", reference.id), page=EVERY)).documents


async def joined_of(db: Database, reference: Reference) -> list[JoinedOTU]:
    found = [await stored(db.store, otu.id) for otu in await otus_of(db, reference)]
    return sorted((each.joined for each in found if each), key=lambda otu: otu.name)


async def renamed(db: Database, otu: Stored, name: str) -> Stored:
    after = structs.replace(otu.joined, name=name)
    at = db.instance.clock()
    await write_change(db.instance, db.store, otu, after, verb=Verb.EDIT, description=name, user_id="owner", at=at)
    now = await stored(db.store, otu.otu.id)
    assert now is not None
    return now


def without_ids(otu: JoinedOTU) -> JoinedOTU:
    isolates = tuple(
        structs.replace(isolate, sequences=tuple(structs.replace(each, id="") for each in isolate.sequences))
        for isolate in otu.isolates
    )
    return structs.replace(otu, id="", version=0, isolates=isolates)


async def test_a_clone_is_a_copy_with_ids_of_its_own(each_db: Database) -> None:
    source, _ = await source_with(each_db, "Abaca bunchy top virus", "Tobacco mosaic virus")
    clone, task = await clone_of(each_db, source)
    ended = await performed(each_db, task)
    assert (ended.state, ended.error) == (TaskState.COMPLETE, None)
    theirs, ours = await joined_of(each_db, source), await joined_of(each_db, clone)
    assert [without_ids(otu) for otu in ours] == [without_ids(otu) for otu in theirs]
    ids = [
        {otu.id for otu in of} | {s.id for otu in of for i in otu.isolates for s in i.sequences}
        for of in (theirs, ours)
    ]
    assert ids[0].isdisjoint(ids[1])
    ready = await each_db.store.get(Reference, clone.id)
    assert ready is not None
    assert ready.ready


async def test_what_is_told_of_a_copied_otu(db: Database) -> None:
    source = await stored_reference(db, "Source")
    await stored_otu(db, source.id, full_otu("otu00000", name="Tobacco mosaic virus", abbreviation="TMV"))
    clone, task = await clone_of(db, source)
    await performed(db, task)
    (otu,) = await otus_of(db, clone)
    assert (otu.verified, otu.modified, otu.revision, otu.imported) == (True, True, 0, True)
    assert (otu.user_id, otu.built_revision) == ("cloner", None)
    (entry,) = (await db.store.find(HistoryEntry, Eq("reference_id", clone.id))).documents
    assert (entry.verb, entry.description) == (Verb.CLONE, "Cloned Tobacco mosaic virus (TMV)")
    assert (entry.otu_id, entry.user_id, entry.index_id) == (otu.id, "cloner", None)


async def test_otus_are_copied_as_they_were_when_the_clone_was_asked_for(each_db: Database) -> None:
    source, (first, second) = await source_with(each_db, "First", "Second")
    clone, task = await clone_of(each_db, source)
    await renamed(each_db, first, "Changed since")
    at = each_db.instance.clock()
    await write_change(
        each_db.instance, each_db.store, second, None, verb=Verb.REMOVE, description="Removed", user_id="owner", at=at
    )
    await stored_otu(each_db, source.id, full_otu("new00000", name="Created since"))
    await performed(each_db, task)
    assert [otu.name for otu in await joined_of(each_db, clone)] == ["First", "Second"]


async def test_a_revision_that_was_reverted_since_is_taken_as_it_is_now(db: Database) -> None:
    source, (first,) = await source_with(db, "First")
    clone, task = await clone_of(db, source, {first.otu.id: 7, "never000": 0})
    ended = await performed(db, task)
    assert ended.state is TaskState.COMPLETE
    assert [otu.name for otu in await joined_of(db, clone)] == ["First"]


async def test_a_source_that_is_gone_fails_the_clone_which_goes_too(each_db: Database) -> None:
    source, _ = await source_with(each_db, "First")
    clone, task = await clone_of(each_db, source)
    await each_db.store.delete(source)
    ended = await performed(each_db, task)
    assert (ended.state, ended.error) == (
        TaskState.FAILED,
        "The reference “Source” was deleted while it was being cloned.",
    )
    assert await each_db.store.get(Reference, clone.id) is None
    assert await otus_of(each_db, clone) == []


async def test_a_clone_that_is_deleted_before_it_is_made_leaves_nothing(each_db: Database) -> None:
    source, _ = await source_with(each_db, "First")
    clone, task = await clone_of(each_db, source)
    await each_db.store.delete(clone)
    ended = await performed(each_db, task)
    assert (ended.state, ended.error) == (TaskState.FAILED, "What this was about was deleted before it was done.")
    assert await otus_of(each_db, clone) == []


async def test_leftovers_of_an_attempt_without_transactions_are_removed_first(db: Database) -> None:
    source, _ = await source_with(db, "First")
    clone, task = await clone_of(db, source)
    await stored_otu(db, clone.id, full_otu("left0000", name="First"))
    await performed(db, task)
    assert [otu.id for otu in await otus_of(db, clone)] != ["left0000"]
    assert len(await otus_of(db, clone)) == 1


async def test_a_clone_that_is_there_already_is_not_made_twice(split_db: Database) -> None:
    """A crash between the commits of the two stores: the documents are there, and the task is not yet complete."""
    source, _ = await source_with(split_db, "First")
    clone, task = await clone_of(split_db, source)
    before = await task_now(split_db, task)
    await performed(split_db, task)
    made = await otus_of(split_db, clone)
    done = await task_now(split_db, task)
    await split_db.store.replace(structs.replace(before, version=done.version))
    ended = await performed(split_db, task)
    assert ended.state is TaskState.COMPLETE
    assert await otus_of(split_db, clone) == made


async def test_an_empty_reference_can_be_cloned(db: Database) -> None:
    source, _ = await source_with(db)
    clone, task = await clone_of(db, source)
    assert (await performed(db, task)).state is TaskState.COMPLETE
    assert (await runs_of(db).held()) == []
    assert await otus_of(db, clone) == []
