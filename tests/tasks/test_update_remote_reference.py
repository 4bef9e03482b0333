"""References are brought to newer releases: all of it or nothing."""

import copy
from typing import Any

import pytest
from msgspec import structs

from tests.db.conftest import clock, db, each_db, split_db, split_urls
from tests.db.reaching import client, each_reached, reached, waits, world
from tests.factories.otus import full_otu, stored_otu
from tests.factories.outside import Reply, World
from tests.factories.reference_files import barcodes, changed, made_up_reference
from tests.factories.remotes import released
from tests.factories.tasks import performed, task_now
from tests.factories.users import viewer_named
from virtool_gql.db.database import Database
from virtool_gql.db.otu_entries import at_version
from virtool_gql.db.otu_writes import Stored, stored, write_change
from virtool_gql.db.remote_references import NewRemote
from virtool_gql.models.history import HistoryEntry, Verb
from virtool_gql.models.joined import JoinedOTU
from virtool_gql.models.otus import OTU, Sequence
from virtool_gql.models.references import Reference
from virtool_gql.models.tasks import Task, TaskState
from virtool_gql.models.users import Permission
from virtool_gql.query import And, Eq, Order, Page
from virtool_gql.tasks.bodies import WORKS
from virtool_gql.tasks.update_remote_reference import RemoteUpdate

__all__ = ["client", "clock", "db", "each_db", "each_reached", "reached", "split_db", "split_urls", "waits", "world"]

EVERY = Page(first=None)
GOOD = made_up_reference(4)
CURATOR = viewer_named("curator", Permission.CREATE_REF)
FILE = "/download/v1.1.0/reference.json.gz"


async def installed(db: Database, world: World, contents: Any = GOOD) -> Reference:
    released(world, "v1.0.0", contents)
    reference, task = await db.remote_references.install(CURATOR, NewRemote())
    assert (await performed(db, task)).state is TaskState.COMPLETE
    return await now(db, reference)


async def now(db: Database, reference: Reference) -> Reference:
    found = await db.store.get(Reference, reference.id)
    assert found is not None
    return found


async def begun(db: Database, world: World, reference: Reference, contents: Any) -> Task:
    released(world, "v1.1.0", contents, id=2)
    await db.remote_references.check(CURATOR, reference.id)
    _, task = await db.remote_references.update(CURATOR, reference.id)
    return task


async def updated(db: Database, world: World, reference: Reference, contents: Any) -> Reference:
    ended = await performed(db, await begun(db, world, reference, contents))
    assert (ended.state, ended.error, ended.progress) == (TaskState.COMPLETE, None, 1.0)
    return await now(db, reference)


async def all_of(db: Database, reference: Reference) -> list[JoinedOTU]:
    where = Eq("reference_id", reference.id)
    otus = (await db.store.find(OTU, where, [Order("name_key")], EVERY)).documents
    found = [await stored(db.store, otu.id) for otu in otus]
    return [each.joined for each in found if each]


async def of_remote_id(db: Database, id: str) -> Stored:
    (otu,) = (await db.store.find(OTU, Eq("remote_id", id))).documents
    found = await stored(db.store, otu.id)
    assert found is not None
    return found


async def edited(db: Database, otu: Stored, **values: Any) -> None:
    after = structs.replace(otu.joined, **values)
    at = db.instance.clock()
    await write_change(db.instance, db.store, otu, after, verb=Verb.EDIT, description="", user_id="curator", at=at)


async def later(db: Database) -> list[HistoryEntry]:
    """Give what the history says since the installation."""
    entries = (await db.store.find(HistoryEntry, order=[Order("otu_name")], page=EVERY)).documents
    return [entry for entry in entries if entry.place or entry.verb is not Verb.REMOTE]


async def test_the_same_again_changes_no_otu(each_reached: Database, world: World) -> None:
    reference = await installed(each_reached, world)
    before = await all_of(each_reached, reference)
    after = await updated(each_reached, world, reference, GOOD)
    assert await all_of(each_reached, after) == before
    assert await later(each_reached) == []
    assert (after.updating, after.ready) == (False, True)
    assert [(update.name, update.ready) for update in after.updates] == [("v1.0.0", True), ("v1.1.0", True)]
    assert after.installed == after.updates[-1]
    assert after.release is not None
    assert not after.release.newer


async def test_what_changed_is_changed_with_its_history(each_reached: Database, world: World) -> None:
    reference = await installed(each_reached, world)
    before = await of_remote_id(each_reached, "otu00001")
    newer = changed(GOOD, "otus.1.isolates.0.sequences.0.sequence", "ACGTN")
    await updated(each_reached, world, reference, changed(newer, "otus.1.name", "Renamed virus"))
    after = await of_remote_id(each_reached, "otu00001")
    assert after.otu.id == before.otu.id
    assert (after.joined.name, after.joined.isolates[0].sequences[0].sequence) == ("Renamed virus", "ACGTN")
    assert after.joined.isolates[0].sequences[0].id == before.joined.isolates[0].sequences[0].id
    assert (after.otu.revision, after.otu.modified, after.otu.verified) == (1, True, True)
    (entry,) = await later(each_reached)
    assert (entry.id, entry.verb, entry.user_id) == (f"{after.otu.id}_1", Verb.UPDATE, "curator")
    assert entry.description == "Updated Renamed virus (MuV1)"
    assert entry.otu_name == before.otu.name
    assert await at_version(each_reached.store, each_reached.instance, after.otu.id, 0) == before.joined


async def test_what_is_new_comes_and_what_is_gone_goes(each_reached: Database, world: World) -> None:
    reference = await installed(each_reached, world)
    gone = await of_remote_id(each_reached, "otu00000")
    newer = copy.deepcopy(made_up_reference(6))
    del newer["otus"][0]
    await updated(each_reached, world, reference, newer)
    names = [f"Made-up virus {number:05}" for number in range(1, 6)]
    assert [otu.name for otu in await all_of(each_reached, reference)] == names
    assert await each_reached.store.count(Sequence, Eq("otu_id", gone.otu.id)) == 0
    told = [(entry.verb, entry.description) for entry in await later(each_reached) if entry.verb is not Verb.REMOTE]
    assert told == [(Verb.REMOVE, "Removed Made-up virus 00000")]
    born = (await each_reached.store.find(HistoryEntry, Eq("otu_name", names[-1]))).documents
    assert [(entry.verb, entry.description) for entry in born] == [(Verb.REMOTE, f"Remoted {names[-1]} (MuV5)")]
    then = await at_version(each_reached.store, each_reached.instance, gone.otu.id, 0)
    assert then == gone.joined


async def test_sequences_that_were_dropped_go_and_the_otu_is_verified_again(
    each_reached: Database, world: World
) -> None:
    """Upstream kept the sequences, and did not verify (defect 12)."""
    reference = await installed(each_reached, world)
    before = await of_remote_id(each_reached, "otu00002")
    newer = copy.deepcopy(GOOD)
    del newer["otus"][2]["isolates"][0]["sequences"][1]
    await updated(each_reached, world, reference, newer)
    after = await of_remote_id(each_reached, "otu00002")
    assert len(before.sequences) == 4
    assert await each_reached.store.count(Sequence, Eq("otu_id", after.otu.id)) == 3
    assert not after.otu.verified


async def test_otus_that_were_made_here_stay(each_reached: Database, world: World) -> None:
    reference = await installed(each_reached, world)
    ours = await stored_otu(each_reached, reference.id, full_otu("ours", name="Our virus"))
    await updated(each_reached, world, reference, changed(GOOD, "otus.0.name", "Renamed virus"))
    assert await stored(each_reached.store, "ours") == ours
    assert len(await all_of(each_reached, reference)) == 5


async def test_changes_that_were_made_here_give_way(reached: Database, world: World) -> None:
    reference = await installed(reached, world)
    before = await of_remote_id(reached, "otu00001")
    await edited(reached, before, name="Our name for it", isolates=before.joined.isolates[:1])
    await updated(reached, world, reference, GOOD)
    after = await of_remote_id(reached, "otu00001")
    assert structs.replace(after.joined, version=0) == with_ids_of(before.joined, after.joined)
    assert after.otu.revision == 2


def with_ids_of(otu: JoinedOTU, other: JoinedOTU) -> JoinedOTU:
    """Give an OTU with the ids of the sequences of another, which were made anew."""
    ids = {one.remote_id: one.id for isolate in other.isolates for one in isolate.sequences}
    isolates = (
        structs.replace(
            isolate, sequences=tuple(structs.replace(one, id=ids[one.remote_id]) for one in isolate.sequences)
        )
        for isolate in otu.isolates
    )
    return structs.replace(otu, isolates=tuple(isolates))


async def test_names_may_go_from_one_otu_to_another(each_reached: Database, world: World) -> None:
    """Two exchange names and abbreviations, one takes the name of one that goes, a new one that of one renamed."""
    reference = await installed(each_reached, world, made_up_reference(6))
    newer = copy.deepcopy(made_up_reference(7))
    otus = newer["otus"]
    for key in ("name", "abbreviation"):
        otus[1][key], otus[3][key] = otus[3][key], otus[1][key]
    otus[6]["name"], otus[0]["name"] = otus[0]["name"], "Renamed virus"
    otus[2]["name"] = otus[5]["name"]
    del otus[5]
    await updated(each_reached, world, reference, newer)
    found = {otu.remote_id: (otu.name, otu.abbreviation) for otu in await all_of(each_reached, reference)}
    assert found == {otu["_id"]: (otu["name"], otu["abbreviation"]) for otu in otus}
    keys = (await each_reached.store.find(OTU, page=EVERY)).documents
    assert all(not otu.name_key.startswith(" ") for otu in keys)


async def test_names_that_are_taken_here_are_told_and_nothing_changes(each_reached: Database, world: World) -> None:
    reference = await installed(each_reached, world)
    await stored_otu(each_reached, reference.id, full_otu("ours", name="NEWEST virus", abbreviation="NV"))
    before = await all_of(each_reached, reference)
    newer = changed(changed(GOOD, "otus.0.name", "Newest Virus"), "otus.1.abbreviation", "NV")
    task = await begun(each_reached, world, reference, newer)
    ended = await performed(each_reached, task)
    assert ended.state is TaskState.FAILED
    assert ended.error == "OTUs that were made here have names of OTUs of the release; nothing was changed."
    assert [(problem.otu_id, problem.otu_name, problem.message) for problem in ended.problems] == [
        (
            "otu00000",
            "Newest Virus",
            "The OTU “NEWEST virus” that was made here has the same name; change or delete it.",
        ),
        (
            "otu00001",
            "Made-up virus 00001",
            "The OTU “NEWEST virus” that was made here has the same abbreviation; change or delete it.",
        ),
    ]
    assert await all_of(each_reached, reference) == before


@pytest.mark.parametrize(
    "contents", [changed(GOOD, "otus.0.name", ""), changed(GOOD, "organism", ...), b"nonsense", barcodes(4)]
)
async def test_a_release_that_is_no_good_changes_nothing(each_reached: Database, world: World, contents: Any) -> None:
    reference = await installed(each_reached, world)
    before = await all_of(each_reached, reference)
    task = await begun(each_reached, world, reference, contents)
    ended = await performed(each_reached, task)
    assert ended.state is TaskState.FAILED
    assert await all_of(each_reached, reference) == before
    after = await now(each_reached, reference)
    assert (after.updating, after.ready, after.installed) == (False, True, reference.installed)
    assert [(update.name, update.ready) for update in after.updates] == [("v1.0.0", True), ("v1.1.0", False)]
    again = await updated(each_reached, world, reference, GOOD)
    assert again.installed is not None
    assert again.installed.name == "v1.1.0"


async def test_who_does_not_answer_is_tried_again_and_then_changes_nothing(reached: Database, world: World) -> None:
    reference = await installed(reached, world)
    task = await begun(reached, world, reference, GOOD)
    world.set(FILE, Reply(status=404))
    states = [(await performed(reached, task)).state for _ in range(3)]
    assert states == [TaskState.WAITING, TaskState.WAITING, TaskState.FAILED]
    after = await now(reached, reference)
    assert (after.updating, after.installed) == (False, reference.installed)


class Interrupted(RemoteUpdate):
    """An update during which somebody does something, between its comparison and its end."""

    async def compare(self) -> None:
        await super().compare()
        instance = self.held.instance
        where = And(Eq("reference_id", self.reference.id), Eq("remote_id", "otu00001"))
        (otu,) = (await instance.store.find(OTU, where)).documents
        before = await stored(instance.store, otu.id)
        assert before is not None
        await write_change(
            instance,
            instance.store,
            before,
            self.meanwhile(before.joined),
            verb=Verb.EDIT,
            description="Meanwhile",
            user_id="other",
            at=instance.clock(),
        )

    def meanwhile(self, otu: JoinedOTU) -> JoinedOTU | None:
        return structs.replace(otu, abbreviation="MEANWHILE", isolates=otu.isolates[:1])


class Undermined(Interrupted):
    """One during which somebody deletes an OTU."""

    def meanwhile(self, otu: JoinedOTU) -> JoinedOTU | None:
        del otu
        return None


@pytest.mark.parametrize("work", [Interrupted, Undermined])
async def test_what_somebody_changes_meanwhile_is_compared_again(
    each_reached: Database, world: World, work: type[RemoteUpdate]
) -> None:
    reference = await installed(each_reached, world)
    newer = changed(GOOD, "otus.1.isolates.0.sequences.0.sequence", "ACGTN")
    task = await begun(each_reached, world, reference, newer)
    ended = await performed(each_reached, task, works=WORKS | {RemoteUpdate.type: work})
    assert ended.state is TaskState.COMPLETE
    after = await of_remote_id(each_reached, "otu00001")
    assert (after.joined.abbreviation, len(after.joined.isolates)) == ("MuV1", 2)
    assert after.joined.isolates[0].sequences[0].sequence == "ACGTN"
    verbs = [
        entry.verb
        for entry in (
            await each_reached.store.find(HistoryEntry, Eq("otu_id", after.otu.id), [Order("place")], EVERY)
        ).documents
    ]
    assert verbs == ([Verb.REMOTE, Verb.EDIT, Verb.UPDATE] if work is Interrupted else [Verb.REMOTE])


async def test_the_internal_control_goes_with_its_otu(reached: Database, world: World) -> None:
    reference = await installed(reached, world)
    control = await of_remote_id(reached, "otu00000")
    await reached.store.replace(structs.replace(reference, internal_control_id=control.otu.id))
    newer = copy.deepcopy(GOOD)
    del newer["otus"][0]
    assert (await updated(reached, world, reference, newer)).internal_control_id is None


async def test_the_internal_control_stays_with_its_otu(reached: Database, world: World) -> None:
    reference = await installed(reached, world)
    control = await of_remote_id(reached, "otu00000")
    await reached.store.replace(structs.replace(reference, internal_control_id=control.otu.id))
    newer = changed(GOOD, "otus.0.name", "Renamed virus")
    assert (await updated(reached, world, reference, newer)).internal_control_id == control.otu.id


async def test_barcodes_bring_new_targets(reached: Database, world: World) -> None:
    reference = await installed(reached, world, barcodes())
    newer = changed(barcodes(), "targets.0.description", "Newer")
    assert (await updated(reached, world, reference, newer)).targets[0].description == "Newer"


async def test_a_reference_that_is_deleted_meanwhile_stays_so(reached: Database, world: World) -> None:
    reference = await installed(reached, world)
    task = await begun(reached, world, reference, GOOD)
    await reached.references.delete(CURATOR, reference.id)
    assert (await performed(reached, task)).state is TaskState.FAILED
    assert await reached.store.get(Reference, reference.id) is None


async def test_what_was_done_is_not_done_again(reached: Database, world: World) -> None:
    """With two stores the end of a task may be lost after what it wrote."""
    reference = await installed(reached, world)
    after = await updated(reached, world, reference, changed(GOOD, "otus.0.name", "Renamed virus"))
    task = await task_now(reached, str(after.task_id))
    await reached.store.replace(structs.replace(task, state=TaskState.WAITING))
    assert (await performed(reached, task)).state is TaskState.COMPLETE
    assert await now(reached, reference) == after


async def test_a_newer_release_in_many_batches(reached: Database, world: World) -> None:
    reference = await installed(reached, world, made_up_reference(230, 1))
    newer = copy.deepcopy(made_up_reference(340, 1))
    for otu in newer["otus"]:
        otu["isolates"][0]["source_name"] = f"Newer {otu['_id']}"
    del newer["otus"][:110]
    await updated(reached, world, reference, newer)
    found = await all_of(reached, reference)
    assert {otu.remote_id for otu in found} == {otu["_id"] for otu in newer["otus"]}
    assert all(otu.isolates[0].source_name == f"Newer {otu.remote_id}" for otu in found)
    assert await reached.store.count(Sequence) == 2 * 230
    assert await reached.store.count(HistoryEntry) == 230 + 110 + 120 + 110
