"""Builds of references; `virtool_gql.db.builds` is tested with them."""

import asyncio
import itertools
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

import msgspec
import pytest
from msgspec import structs

from tests.factories.indexes import buildable, built, finished, stored_index
from tests.factories.otus import full_otu, joined_otu, stored_otu
from tests.factories.references import member, stored_reference
from tests.factories.users import viewer_named
from virtool_gql.access import Viewer
from virtool_gql.actors import Actor, acting
from virtool_gql.db.builds import abandon, unbuilt_of
from virtool_gql.db.database import Database
from virtool_gql.db.indexes import call_off_build, call_off_builds
from virtool_gql.db.isolates import NewIsolate
from virtool_gql.db.otu_writes import newborn
from virtool_gql.db.otus import OTUChanges
from virtool_gql.db.reference_removal import remove_parts
from virtool_gql.errors import BadUserInput, Conflict, Forbidden, NotFound, StaleDocument, VirtoolError
from virtool_gql.models.audit import AuditEntry
from virtool_gql.models.history import HistoryEntry, Verb
from virtool_gql.models.indexes import Index
from virtool_gql.models.jobs import Job, JobState
from virtool_gql.models.joined import JoinedOTU
from virtool_gql.models.otus import OTU
from virtool_gql.models.references import Reference, Right
from virtool_gql.query import Eq, Order, Page
from virtool_gql.stores.slices import in_slices
from virtool_gql.workflows import BuildIndex, Workflow

STRANGER = viewer_named("stranger")
READER = viewer_named("reader")
CURATOR = viewer_named("curator")
BUILDER = viewer_named("builder")
OF_GROUP = viewer_named("colleague", groups=["builders"])
OWNER = viewer_named("owner")
KEY = viewer_named("owner", key_id="key00000")
ADMINISTRATOR = viewer_named("admin", administrator=True)

MAY_BUILD = [
    (STRANGER, NotFound),
    (READER, Forbidden),
    (CURATOR, Forbidden),
    (BUILDER, None),
    (OF_GROUP, None),
    (OWNER, None),
    (KEY, None),
    (ADMINISTRATOR, None),
]
EVERYTHING = Page(first=None)
NUMBERS = itertools.count()


async def shared(db: Database, **values: Any) -> Reference:
    users = (
        member("owner", *Right),
        member("reader"),
        member("curator", Right.MODIFY, Right.MODIFY_OTU, Right.REMOVE),
        member("builder", Right.BUILD),
    )
    reference, _ = await buildable(db, users=users, groups=(member("builders", Right.BUILD),), **values)
    return reference


async def otu_now(db: Database, id: str) -> OTU:
    otu = await db.store.get(OTU, id)
    assert otu is not None
    return otu


async def otus_now(db: Database) -> dict[str, OTU]:
    return {otu.id: otu for otu in (await db.store.find(OTU, page=EVERYTHING)).documents}


async def entries_now(db: Database) -> list[HistoryEntry]:
    return (await db.store.find(HistoryEntry, order=[Order("id")], page=EVERYTHING)).documents


async def whole(db: Database, index: Index) -> Index:
    found = await db.store.get(Index, index.id)
    assert found is not None
    return found


async def edited(db: Database, otu_id: str, viewer: Viewer = OWNER) -> OTU:
    return await db.otus.update(viewer, otu_id, OTUChanges(name=f"Virus {next(NUMBERS)}"))


# Rights


@pytest.mark.parametrize(("viewer", "refusal"), MAY_BUILD)
async def test_who_may_build(each_db: Database, viewer: Viewer, refusal: type[VirtoolError] | None) -> None:
    reference = await shared(each_db)
    if refusal is None:
        index, job = await each_db.indexes.build(viewer, reference.id)
        assert (index.user_id, job.user_id) == (viewer.user_id, viewer.user_id)
        return
    with pytest.raises(refusal, match="BUILD" if refusal is Forbidden else "no reference of that id"):
        await each_db.indexes.build(viewer, reference.id)
    assert await each_db.store.count(Index) == await each_db.store.count(Job) == 0
    assert all(entry.index_id is None and entry.version == 1 for entry in await entries_now(each_db))
    assert all(otu.modified and otu.version == 1 for otu in (await otus_now(each_db)).values())


@pytest.mark.parametrize("viewer", [viewer for viewer, refusal in MAY_BUILD if refusal is not NotFound])
async def test_members_read_indexes(each_db: Database, viewer: Viewer) -> None:
    reference = await shared(each_db)
    index = await stored_index(each_db, reference.id, manifest={"otu": 3})
    assert await each_db.indexes.get(viewer, index.id) == index
    assert (await each_db.indexes.get_many(viewer, [index.id])).keys() == {index.id}
    assert [found.id for found in (await each_db.indexes.find(viewer)).documents] == [index.id]
    assert await each_db.indexes.count(viewer) == 1
    assert await each_db.indexes.manifests(viewer, [index.id]) == {index.id: {"otu": 3}}


async def test_strangers_do_not_read_indexes(each_db: Database) -> None:
    reference = await shared(each_db)
    index = await stored_index(each_db, reference.id, manifest={"otu": 3})
    for id in (index.id, "missing0"):
        with pytest.raises(NotFound, match=r"^There is no index of that id\.$"):
            await each_db.indexes.get(STRANGER, id)
    assert await each_db.indexes.get_many(STRANGER, [index.id]) == {}
    assert (await each_db.indexes.find(STRANGER)).documents == []
    assert await each_db.indexes.count(STRANGER) == 0
    assert await each_db.indexes.manifests(STRANGER, [index.id]) == {index.id: {}}


# What a build does


async def test_a_build_takes_all_unbuilt_changes(each_db: Database) -> None:
    reference, (first, second) = await buildable(each_db)
    other, (others,) = await buildable(each_db, otus=1, name="Other")
    await edited(each_db, first.otu.id)
    index, job = await each_db.indexes.build(OWNER, reference.id)
    assert (await whole(each_db, index)) == structs.replace(index, version=1)
    assert index.manifest == {first.otu.id: 1, second.otu.id: 0}
    assert (index.number, index.otu_count, index.ready, index.latest) == (0, 2, False, False)
    assert (index.building_key, index.job_id) == (reference.id, job.id)
    assert await each_db.store.get(Job, job.id) == job
    assert (job.workflow, job.state) == (Workflow.BUILD_INDEX, JobState.WAITING)
    args = BuildIndex(reference_id=reference.id, index_id=index.id, index_number=0, user_id="owner")
    assert msgspec.convert(job.args, BuildIndex) == args
    assert await each_db.queues.waiting() == {job.id}
    tagged = {entry.id: (entry.index_id, entry.index_number) for entry in await entries_now(each_db)}
    mine = (index.id, 0)
    assert tagged == {
        f"{first.otu.id}_0": mine,
        f"{first.otu.id}_1": mine,
        f"{second.otu.id}_0": mine,
        f"{others.otu.id}_0": (None, None),
    }
    otus = await otus_now(each_db)
    assert {id: otu.modified for id, otu in otus.items()} == {
        first.otu.id: False,
        second.otu.id: False,
        others.otu.id: True,
    }
    assert {otu.built_revision for otu in otus.values()} == {None}
    assert other.id != reference.id


async def test_the_diffs_of_what_is_built_stay(each_db: Database) -> None:
    reference, (stored,) = await buildable(each_db, otus=1)
    await edited(each_db, stored.otu.id)
    before = (await each_db.history.diffs(OWNER, [f"{stored.otu.id}_1"]))[f"{stored.otu.id}_1"]
    await built(each_db, OWNER, reference.id)
    assert before is not None
    assert await each_db.history.diffs(OWNER, [f"{stored.otu.id}_1"]) == {f"{stored.otu.id}_1": before}


async def test_builds_are_numbered(each_db: Database) -> None:
    reference, (stored, _) = await buildable(each_db)
    for number in range(3):
        await edited(each_db, stored.otu.id)
        index = await built(each_db, OWNER, reference.id)
        assert index.number == number
    other, _ = await buildable(each_db, name="Other")
    assert (await built(each_db, OWNER, other.id)).number == 0


async def test_a_number_is_never_given_twice(each_db: Database) -> None:
    """Defect 21: the number of *finished* builds may be that of an unfinished one."""
    reference, _ = await buildable(each_db)
    await stored_index(each_db, reference.id, 0, latest=False)
    await stored_index(each_db, reference.id, 7, ready=False, latest=False)
    index, _ = await each_db.indexes.build(OWNER, reference.id)
    assert index.number == 8


async def test_a_removed_otu_is_not_in_the_manifest_and_its_removal_is_built(each_db: Database) -> None:
    reference, (kept, gone) = await buildable(each_db)
    await each_db.otus.delete(OWNER, gone.otu.id)
    index, _ = await each_db.indexes.build(OWNER, reference.id)
    assert index.manifest == {kept.otu.id: 0}
    assert {entry.index_id for entry in await entries_now(each_db)} == {index.id}
    assert f"{gone.otu.id}_removed" in {entry.id for entry in await entries_now(each_db)}


async def test_a_reference_whose_otus_are_all_gone_is_built(each_db: Database) -> None:
    reference, (gone,) = await buildable(each_db, otus=1)
    await built(each_db, OWNER, reference.id)
    await each_db.otus.delete(OWNER, gone.otu.id)
    index, _ = await each_db.indexes.build(OWNER, reference.id)
    assert (index.manifest, index.number) == ({}, 1)


async def test_what_is_built_is_not_built_again(each_db: Database) -> None:
    reference, (stored, untouched) = await buildable(each_db)
    first = await built(each_db, OWNER, reference.id)
    await edited(each_db, stored.otu.id)
    second, _ = await each_db.indexes.build(OWNER, reference.id)
    assert second.manifest == {stored.otu.id: 1, untouched.otu.id: 0}
    tagged = {entry.id: entry.index_id for entry in await entries_now(each_db)}
    assert tagged == {
        f"{stored.otu.id}_0": first.id,
        f"{stored.otu.id}_1": second.id,
        f"{untouched.otu.id}_0": first.id,
    }
    assert (await otu_now(each_db, untouched.otu.id)).version == 3  # of the first build and its end


# What is refused


async def test_two_builds_of_one_reference_cannot_be_made_at_once(each_db: Database) -> None:
    reference, (stored, _) = await buildable(each_db)
    index, _ = await each_db.indexes.build(OWNER, reference.id)
    await edited(each_db, stored.otu.id)
    with pytest.raises(Conflict, match=r"^Index build already in progress\.$"):
        await each_db.indexes.build(OWNER, reference.id)
    await finished(each_db, index)
    assert (await each_db.indexes.build(OWNER, reference.id))[0].number == 1


async def test_of_many_builds_at_once_one_is_made(each_db: Database) -> None:
    reference, _ = await buildable(each_db, otus=5)
    answers = await asyncio.gather(
        *(each_db.indexes.build(OWNER, reference.id) for _ in range(8)), return_exceptions=True
    )
    won = [answer for answer in answers if not isinstance(answer, BaseException)]
    assert len(won) == 1
    assert {str(answer) for answer in answers if isinstance(answer, BaseException)} == {
        "Index build already in progress."
    }
    assert await each_db.store.count(Index) == await each_db.store.count(Job) == 1
    assert {entry.index_id for entry in await entries_now(each_db)} == {won[0][0].id}


async def test_unverified_otus_are_not_built(each_db: Database) -> None:
    reference, (_, stored) = await buildable(each_db)
    await built(each_db, OWNER, reference.id)
    await each_db.isolates.create(OWNER, stored.otu.id, NewIsolate(source_type="isolate", source_name="Empty"))
    with pytest.raises(BadUserInput, match=r"^There are unverified OTUs\.$") as error:
        await each_db.indexes.build(OWNER, reference.id)
    assert error.value.path == ("reference_id",)
    assert await each_db.store.count(Index) == 1


async def test_an_empty_otu_is_not_built(each_db: Database) -> None:
    reference, _ = await buildable(each_db)
    await stored_otu(each_db, reference.id, joined_otu("empty"))
    with pytest.raises(BadUserInput, match="unverified"):
        await each_db.indexes.build(OWNER, reference.id)


async def test_nothing_is_not_built(each_db: Database) -> None:
    reference, _ = await buildable(each_db)
    await built(each_db, OWNER, reference.id)
    empty = await stored_reference(each_db, "Empty")
    for id in (reference.id, empty.id):
        with pytest.raises(BadUserInput, match=r"^There are no unbuilt changes\.$"):
            await each_db.indexes.build(OWNER, id)


@pytest.mark.parametrize("values", [{"archived": True}, {"ready": False}], ids=["archived", "not ready"])
async def test_what_cannot_be_changed_is_not_built(each_db: Database, values: dict[str, bool]) -> None:
    reference, _ = await buildable(each_db, **values)
    with pytest.raises(Conflict, match=r"archived|still being made"):
        await each_db.indexes.build(OWNER, reference.id)
    with pytest.raises(NotFound):
        await each_db.indexes.build(STRANGER, reference.id)


async def test_the_same_key_gives_the_same_index_and_job(each_db: Database) -> None:
    reference, _ = await buildable(each_db)
    builds = (each_db.indexes.build(OWNER, reference.id, idempotency_key="k") for _ in range(8))
    answers = await asyncio.gather(*builds)
    assert len({(index.id, job.id) for index, job in answers}) == await each_db.store.count(Index) == 1
    with pytest.raises(Conflict):
        await each_db.indexes.build(ADMINISTRATOR, reference.id, idempotency_key="k")
    await each_db.jobs.cancel(OWNER, answers[0][1].id)
    assert (await each_db.indexes.build(OWNER, reference.id, idempotency_key="k"))[0].id != answers[0][0].id


async def test_a_key_that_was_used_for_another_reference(each_db: Database) -> None:
    (reference, _), (other, _) = await buildable(each_db), await buildable(each_db)
    await each_db.indexes.build(OWNER, reference.id, idempotency_key="k")
    with pytest.raises(Conflict, match="used for another reference"):
        await each_db.indexes.build(OWNER, other.id, idempotency_key="k")
    assert await each_db.store.count(Index, Eq("reference_id", other.id)) == 0


async def test_the_same_key_of_a_job_that_is_gone(each_db: Database) -> None:
    reference, _ = await buildable(each_db)
    _, job = await each_db.indexes.build(OWNER, reference.id, idempotency_key="k")
    await each_db.store.delete(job)
    with pytest.raises(Conflict, match="its job has been removed"):
        await each_db.indexes.build(OWNER, reference.id, idempotency_key="k")


# Ends


async def test_a_finished_build_has_built_what_the_manifest_says(each_db: Database) -> None:
    """Defect 11: an OTU that was changed since counts as built in the state in which it was built."""
    reference, (changed, gone, same) = await buildable(each_db, otus=3)
    index, _ = await each_db.indexes.build(OWNER, reference.id)
    await edited(each_db, changed.otu.id)
    await each_db.otus.delete(OWNER, gone.otu.id)
    ready = await finished(each_db, index)
    assert (ready.ready, ready.latest, ready.building_key) == (True, True, None)
    assert (ready.has_files, ready.has_json) == (True, True)
    otus = await otus_now(each_db)
    assert {id: (otu.built_revision, otu.revision, otu.modified) for id, otu in otus.items()} == {
        changed.otu.id: (0, 1, True),
        same.otu.id: (0, 0, False),
    }
    assert ready.manifest == {changed.otu.id: 0, gone.otu.id: 0, same.otu.id: 0}


async def test_the_latest_of_each_reference(each_db: Database) -> None:
    """Defect 11: what is finished of one reference changes nothing of the others."""
    reference, (stored, _) = await buildable(each_db)
    other, _ = await buildable(each_db, name="Other")
    others = await built(each_db, OWNER, other.id)
    first = await built(each_db, OWNER, reference.id)
    await edited(each_db, stored.otu.id)
    second, _ = await each_db.indexes.build(OWNER, reference.id)
    latest = {index.id for index in (await each_db.store.find(Index, Eq("latest", value=True))).documents}
    assert latest == {others.id, first.id}
    await finished(each_db, second)
    latest = {index.id for index in (await each_db.store.find(Index, Eq("latest", value=True))).documents}
    assert latest == {others.id, second.id}
    assert await whole(each_db, others) == others


async def test_a_build_that_is_given_up_never_was(each_db: Database) -> None:
    reference, (edit, gone, same) = await buildable(each_db, otus=3)
    await built(each_db, OWNER, reference.id)
    await edited(each_db, edit.otu.id)
    await each_db.otus.delete(OWNER, gone.otu.id)
    before, otus_before = await entries_now(each_db), await otus_now(each_db)
    index, _ = await each_db.indexes.build(OWNER, reference.id)
    for _ in range(2):
        async with each_db.store.transaction() as documents:
            await abandon(documents, index.id)
    assert await each_db.store.get(Index, index.id) is None
    assert _without_versions(await entries_now(each_db)) == _without_versions(before)
    assert _without_versions((await otus_now(each_db)).values()) == _without_versions(otus_before.values())
    assert (await otu_now(each_db, same.otu.id)).modified is False
    again, _ = await each_db.indexes.build(OWNER, reference.id)
    assert (again.number, again.manifest) == (index.number, index.manifest)


def _without_versions(documents: Any) -> list[Any]:
    return [structs.replace(document, version=0) for document in documents]


async def test_a_finished_build_cannot_be_given_up(each_db: Database) -> None:
    reference, _ = await buildable(each_db)
    index = await built(each_db, OWNER, reference.id)
    async with each_db.store.transaction() as documents:
        await abandon(documents, index.id)
    await call_off_build(each_db.instance, index.id, index.job_id)
    assert await whole(each_db, index) == index


async def test_a_build_that_is_gone_cannot_be_finished(each_db: Database) -> None:
    reference, _ = await buildable(each_db)
    index, job = await each_db.indexes.build(OWNER, reference.id)
    await each_db.jobs.cancel(OWNER, job.id)
    with pytest.raises(StaleDocument):
        await finished(each_db, index)


async def test_changes_can_be_taken_back_again_after_a_build_was_given_up(each_db: Database) -> None:
    reference, (stored, _) = await buildable(each_db)
    await edited(each_db, stored.otu.id)
    _, job = await each_db.indexes.build(OWNER, reference.id)
    with pytest.raises(Conflict, match="already built"):
        await each_db.history.revert(OWNER, f"{stored.otu.id}_1")
    await each_db.jobs.cancel(OWNER, job.id)
    reverted = await each_db.history.revert(OWNER, f"{stored.otu.id}_1")
    assert reverted.otu is not None
    assert (reverted.otu.revision, reverted.otu.modified) == (0, True)


async def test_cancelling_the_waiting_job_undoes_the_build(each_db: Database) -> None:
    reference, (stored, _) = await buildable(each_db)
    index, job = await each_db.indexes.build(OWNER, reference.id)
    await edited(each_db, stored.otu.id)
    cancelled = await each_db.jobs.cancel(OWNER, job.id)
    assert cancelled.state is JobState.CANCELLED
    assert await each_db.queues.waiting() == set()
    assert await each_db.store.get(Index, index.id) is None
    assert {entry.index_id for entry in await entries_now(each_db)} == {None}
    assert all(otu.modified for otu in (await otus_now(each_db)).values())
    assert (await each_db.indexes.build(OWNER, reference.id))[0].manifest == {
        id: otu.revision for id, otu in (await otus_now(each_db)).items()
    }


async def test_a_running_job_is_asked_to_end(db: Database) -> None:
    reference, _ = await buildable(db)
    index, job = await db.indexes.build(OWNER, reference.id)
    await db.store.replace(structs.replace(job, state=JobState.RUNNING))
    await call_off_builds(db.instance, reference.id)
    asked = await db.store.get(Job, job.id)
    assert asked is not None
    assert (asked.state, asked.cancel_requested) == (JobState.RUNNING, True)
    assert await whole(db, index) == structs.replace(index)


async def test_an_index_whose_job_is_gone_is_called_off(db: Database) -> None:
    reference, _ = await buildable(db)
    index, job = await db.indexes.build(OWNER, reference.id)
    await db.store.delete(job)
    await call_off_builds(db.instance, reference.id)
    assert await db.store.get(Index, index.id) is None
    assert {entry.index_id for entry in await entries_now(db)} == {None}


async def test_the_build_of_a_deleted_reference_is_called_off(each_db: Database) -> None:
    reference, _ = await buildable(each_db)
    index, job = await each_db.indexes.build(OWNER, reference.id)
    await each_db.references.delete(OWNER, reference.id)
    await remove_parts(each_db.instance, reference.id)
    cancelled = await each_db.store.get(Job, job.id)
    assert cancelled is not None
    assert cancelled.state is JobState.CANCELLED
    assert await each_db.store.get(Index, index.id) is None
    assert await each_db.queues.waiting() == set()


# Races


def is_consistent(index: Index, otus: dict[str, OTU], entries: list[HistoryEntry]) -> bool:
    """Tell whether just the changes up to the manifest's revisions are built, and OTUs know of the others."""
    manifest = index.manifest
    assert isinstance(manifest, dict)
    for entry in entries:
        tagged = {other.index_id is not None for other in entries if other.otu_id == entry.otu_id}
        if entry.otu_id not in manifest:
            if len(tagged) != 1:
                return False
        elif (entry.otu_revision is not None and entry.otu_revision <= manifest[entry.otu_id]) != bool(entry.index_id):
            return False
    unbuilt = {entry.otu_id for entry in entries if entry.index_id is None}
    return all(otu.modified == (id in unbuilt) for id, otu in otus.items())


async def some_otu(db: Database, reference_id: str) -> OTU:
    """Give one of the first few OTUs, each time another one."""
    found = await db.store.find(OTU, Eq("reference_id", reference_id), page=Page(first=4))
    return found.documents[next(NUMBERS) % 4]


Disturb = Callable[[Database, str], Awaitable[object]]


async def recreated(db: Database, reference_id: str) -> None:
    otu = await stored_otu(db, reference_id)
    await db.history.revert(OWNER, f"{otu.otu.id}_0")


async def removed_and_restored(db: Database, reference_id: str) -> None:
    otu = await stored_otu(db, reference_id)
    await db.otus.delete(OWNER, otu.otu.id)
    await db.history.revert(OWNER, f"{otu.otu.id}_removed")


async def edited_and_reverted(db: Database, reference_id: str) -> None:
    otu = await edited(db, (await some_otu(db, reference_id)).id)
    await db.history.revert(OWNER, f"{otu.id}_{otu.revision}")


async def edited_once(db: Database, reference_id: str) -> None:
    await edited(db, (await some_otu(db, reference_id)).id)


async def removed_once(db: Database, reference_id: str) -> None:
    await db.otus.delete(OWNER, (await some_otu(db, reference_id)).id)


RACES: list[Disturb] = [recreated, removed_and_restored, edited_and_reverted, edited_once, removed_once, stored_otu]


@pytest.mark.parametrize("disturb", RACES, ids=lambda disturb: disturb.__name__)
@pytest.mark.parametrize("built_before", [False, True], ids=["new", "built before"])
async def test_what_changes_meanwhile_is_in_the_build_or_not(
    each_db: Database, disturb: Disturb, built_before: bool
) -> None:
    """A build, and then its end or its undoing, while somebody edits."""
    reference, otus = await buildable(each_db, otus=24)
    if built_before:
        await built(each_db, OWNER, reference.id)
        await edited(each_db, otus[0].otu.id)
    for round in range(4):
        async with asyncio.TaskGroup() as group:
            building = group.create_task(each_db.indexes.build(OWNER, reference.id))
            for _ in range(3):
                group.create_task(_whatever_comes(disturb(each_db, reference.id)))
        index, job = building.result()
        assert is_consistent(await whole(each_db, index), await otus_now(each_db), await entries_now(each_db))
        async with asyncio.TaskGroup() as group:
            if round % 2:
                group.create_task(each_db.jobs.cancel(OWNER, job.id))
            else:
                group.create_task(_finished_in_the_end(each_db, index))
            group.create_task(_whatever_comes(disturb(each_db, reference.id)))
        entries, now = await entries_now(each_db), await otus_now(each_db)
        unbuilt = {entry.otu_id for entry in entries if entry.index_id is None}
        assert {id for id, otu in now.items() if otu.modified} == unbuilt & now.keys()
        await stored_otu(each_db, reference.id)


async def _whatever_comes(work: Awaitable[object]) -> None:
    try:
        await work
    except VirtoolError:
        return


async def _finished_in_the_end(db: Database, index: Index) -> None:
    while True:
        try:
            await finished(db, index)
        except StaleDocument:
            continue
        return


async def test_a_build_while_its_reference_is_deleted_leaves_nothing(each_db: Database) -> None:
    for _ in range(5):
        reference, _ = await buildable(each_db)
        answers = await asyncio.gather(
            each_db.indexes.build(OWNER, reference.id),
            each_db.references.delete(OWNER, reference.id),
            return_exceptions=True,
        )
        assert not isinstance(answers[1], BaseException)
        await call_off_builds(each_db.instance, reference.id)
        assert await each_db.store.count(Index, Eq("reference_id", reference.id)) == 0
        jobs = (await each_db.store.find(Job, page=EVERYTHING)).documents
        assert all(job.finished for job in jobs if job.args["reference_id"] == reference.id)


async def test_a_reference_that_is_deleted_at_the_last_moment_is_not_built(each_db: Database) -> None:
    """The build waits for somebody who changes an OTU and gives up; meanwhile the reference goes."""
    reference, (first, _) = await buildable(each_db)
    with suppress(GivenUp):
        async with each_db.store.transaction() as documents:
            await documents.replace(first.otu)
            building = asyncio.create_task(each_db.indexes.build(OWNER, reference.id))
            await asyncio.wait([building], timeout=0.5)
            await each_db.references.delete(OWNER, reference.id)
            raise GivenUp
    with pytest.raises(NotFound):
        await building
    assert await each_db.store.count(Index) == 0
    assert all(job.finished for job in (await each_db.store.find(Job, page=EVERYTHING)).documents)


class GivenUp(Exception):
    """Ends a transaction that is not to be committed."""


async def test_half_of_a_removal_is_not_built(split_db: Database) -> None:
    """Without transactions an OTU is seen to be gone before the history says so."""
    reference, (gone, other) = await buildable(split_db)
    await built(split_db, OWNER, reference.id)
    await edited(split_db, other.otu.id)
    with suppress(GivenUp):
        async with split_db.store.transaction() as documents:
            await documents.delete(await otu_now(split_db, gone.otu.id))
            with pytest.raises(StaleDocument):
                await unbuilt_of(split_db.store, reference.id)
            raise GivenUp
    assert (await unbuilt_of(split_db.store, reference.id)).manifest == {gone.otu.id: 0, other.otu.id: 1}


async def test_who_brings_an_otu_back_hears_of_a_build_that_is_just_given_up(each_db: Database) -> None:
    reference, (gone, _) = await buildable(each_db)
    index, _ = await each_db.indexes.build(OWNER, reference.id)
    await each_db.otus.delete(OWNER, gone.otu.id)
    async with each_db.store.transaction() as documents:
        await abandon(documents, index.id)
        restoring = asyncio.create_task(each_db.history.revert(OWNER, f"{gone.otu.id}_removed"))
        await asyncio.wait([restoring], timeout=0.5)
    otu = (await restoring).otu
    assert otu is not None
    assert otu.modified


# Counts


async def test_what_is_told_of_indexes(each_db: Database) -> None:
    reference, (first, second, gone) = await buildable(each_db, otus=3)
    one = await built(each_db, OWNER, reference.id)
    await edited(each_db, first.otu.id, ADMINISTRATOR)
    await edited(each_db, first.otu.id)
    await each_db.otus.delete(OWNER, gone.otu.id)
    two, _ = await each_db.indexes.build(OWNER, reference.id)
    renamed = await edited(each_db, first.otu.id)
    ids = [one.id, two.id, "none0000"]
    indexes = each_db.indexes
    assert [(index.change_count, index.modified_otu_count) for index in (one, two)] == [(3, 3), (3, 2)]
    contributions = await indexes.contributions(OWNER, ids)
    assert [(each.user_id, each.count) for each in contributions[two.id]] == [("owner", 2), ("admin", 1)]
    assert contributions["none0000"] == []
    otus = await indexes.otus(OWNER, ids)
    told = {otu.otu_id: (otu.name, otu.change_count) for otu in otus[two.id]}
    assert told == {first.otu.id: (renamed.name, 2), gone.otu.id: (gone.otu.name, 1)}
    assert [otu.name for otu in otus[one.id]] == sorted([renamed.name, second.otu.name, gone.otu.name])


# The audit log


async def test_only_the_deed_itself_is_told(each_db: Database) -> None:
    reference, _ = await buildable(each_db)
    with acting(Actor(user_id="owner", handle="owner", action="buildIndex")):
        index, job = await each_db.indexes.build(OWNER, reference.id)
    told = (await each_db.store.find(AuditEntry, page=EVERYTHING)).documents
    assert {(entry.collection, entry.document_id) for entry in told} == {("indexes", index.id), ("jobs", job.id)}
    with acting(Actor(user_id="owner", handle="owner", action="cancelJob")):
        await each_db.jobs.cancel(OWNER, job.id)
    told = (await each_db.store.find(AuditEntry, Eq("action", "cancelJob"), page=EVERYTHING)).documents
    assert {(entry.deed.value, entry.collection) for entry in told} == {("delete", "indexes"), ("update", "jobs")}


# Size


async def test_a_large_reference_is_built_in_good_time(db: Database) -> None:
    """As many OTUs as the official reference has: no statement takes all of them, and the loop is free meanwhile."""
    reference = await stored_reference(db)
    clock = asyncio.get_running_loop().time
    some = [full_otu(f"otu{number:05}", isolates=3) for number in range(2_084)]
    async with db.store.transaction() as documents:
        made = await in_slices(lambda otu: _born(db, reference.id, otu), some)
        await documents.insert(*(otu for otu, _ in made))
        await documents.insert(*(entry for _, entry in made))
    began = clock()
    index, job = await db.indexes.build(OWNER, reference.id)
    assert clock() - began < 15
    assert index.otu_count == len(index.manifest or {}) == 2_084
    assert await db.store.count(HistoryEntry, Eq("index_id", index.id)) == 2_084
    await db.jobs.cancel(OWNER, job.id)
    assert len((await unbuilt_of(db.store, reference.id)).entries) == 2_084


def _born(db: Database, reference_id: str, otu: JoinedOTU) -> tuple[OTU, HistoryEntry]:
    document, _, entry = newborn(otu, reference_id, verb=Verb.IMPORT, user_id="owner", at=db.instance.clock())
    return document, entry
