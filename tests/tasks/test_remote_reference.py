"""References are installed from releases: with all that is in them, or not at all."""

import copy
from typing import Any

import pytest
from msgspec import structs

from tests.db.conftest import clock, db, each_db, split_db, split_urls
from tests.db.reaching import client, each_reached, reached, waits, world
from tests.factories.outside import Reply, World
from tests.factories.reference_files import OFFICIAL, barcodes, changed, made_up_reference, needs_real_references
from tests.factories.remotes import packed, released
from tests.factories.tasks import performed, task_now
from tests.factories.users import viewer_named
from virtool_gql.db.database import Database
from virtool_gql.db.otu_writes import stored
from virtool_gql.db.remote_references import NewRemote
from virtool_gql.models.history import HistoryEntry, Verb
from virtool_gql.models.otus import OTU, Sequence
from virtool_gql.models.references import DataType, Reference
from virtool_gql.models.tasks import Task, TaskState
from virtool_gql.models.users import Permission
from virtool_gql.query import Eq, Order, Page

__all__ = ["client", "clock", "db", "each_db", "each_reached", "reached", "split_db", "split_urls", "waits", "world"]

EVERY = Page(first=None)
GOOD = made_up_reference()
CURATOR = viewer_named("curator", Permission.CREATE_REF)
FILE = "/download/v1.0.0/reference.json.gz"


async def begun(db: Database, world: World, contents: Any = GOOD, **values: Any) -> tuple[Reference, Task]:
    released(world, "v1.0.0", contents)
    return await db.remote_references.install(CURATOR, NewRemote(**values))


async def installed(db: Database, world: World, contents: Any = GOOD) -> Reference:
    reference, task = await begun(db, world, contents)
    ended = await performed(db, task)
    assert (ended.state, ended.error, ended.progress) == (TaskState.COMPLETE, None, 1.0)
    after = await db.store.get(Reference, reference.id)
    assert after is not None
    return after


async def nothing_is_left(db: Database, reference: Reference) -> None:
    assert await db.store.get(Reference, reference.id) is None
    for kind in (OTU, Sequence, HistoryEntry):
        assert await db.store.count(kind) == 0


async def test_all_of_a_release_is_installed(each_reached: Database, world: World) -> None:
    reference = await installed(each_reached, world)
    assert (reference.ready, reference.updating, reference.organism) == (True, False, "virus")
    assert reference.installed == reference.updates[-1]
    assert reference.installed is not None
    assert (reference.installed.ready, reference.installed.name) == (True, "v1.0.0")
    assert reference.release is not None
    assert not reference.release.newer
    otus = (await each_reached.store.find(OTU, order=[Order("name_key")], page=EVERY)).documents
    assert [otu.remote_id for otu in otus] == [otu["_id"] for otu in GOOD["otus"]]
    assert all(otu.id != otu.remote_id and otu.verified and otu.imported and otu.revision == 0 for otu in otus)
    first = await stored(each_reached.store, otus[0].id)
    assert first is not None
    told = GOOD["otus"][0]["isolates"]
    assert [isolate.id for isolate in first.joined.isolates] == [isolate["id"] for isolate in told]
    assert [[one.remote_id for one in isolate.sequences] for isolate in first.joined.isolates] == [
        [one["_id"] for one in isolate["sequences"]] for isolate in told
    ]


async def test_the_history_says_remoted(reached: Database, world: World) -> None:
    await installed(reached, world)
    entries = (await reached.store.find(HistoryEntry, order=[Order("otu_name")], page=EVERY)).documents
    assert {(entry.verb, entry.user_id) for entry in entries} == {(Verb.REMOTE, "curator")}
    assert [entry.description for entry in entries] == [
        "Remoted Made-up virus 00000",
        "Remoted Made-up virus 00001 (MuV1)",
        "Remoted Made-up virus 00002",
    ]


async def test_barcodes_bring_their_targets(reached: Database, world: World) -> None:
    reference = await installed(reached, world, barcodes())
    assert reference.data_type is DataType.BARCODE
    assert [target.name for target in reference.targets] == ["ITS", "COI"]


@pytest.mark.parametrize(
    ("contents", "sentence"),
    [
        (changed(GOOD, "otus.0.name", ""), "The release has problems; nothing was installed from it."),
        (changed(GOOD, "organism", ...), "The release has problems; nothing was installed from it."),
        (changed(GOOD, "otus.1._id", ...), "The release has problems; nothing was installed from it."),
        (changed(GOOD, "otus.1._id", "otu00000"), "The release has problems; nothing was installed from it."),
    ],
)
async def test_a_release_with_problems_leaves_nothing(
    each_reached: Database, world: World, contents: Any, sentence: str
) -> None:
    reference, task = await begun(each_reached, world, contents)
    ended = await performed(each_reached, task)
    assert (ended.state, ended.error) == (TaskState.FAILED, sentence)
    assert ended.problems
    await nothing_is_left(each_reached, reference)


@pytest.mark.parametrize("body", [b"", b"<html>", packed(GOOD)[:-20], b"\x1f\x8b nonsense"])
async def test_what_is_no_reference_leaves_nothing(reached: Database, world: World, body: bytes) -> None:
    reference, task = await begun(reached, world)
    world.set(FILE, Reply(body))
    ended = await performed(reached, task)
    assert ended.state is TaskState.FAILED
    assert ended.error is not None
    assert ended.error.startswith("The file of the release v1.0.0 cannot be used: ")
    await nothing_is_left(reached, reference)


async def test_a_download_goes_on_where_it_was_cut_off(reached: Database, world: World) -> None:
    reference, task = await begun(reached, world)
    whole = Reply(packed(GOOD), headers={"etag": '"1"'})
    world.set(FILE, Reply(whole.body, headers=whole.headers, cut=200), whole)
    assert (await performed(reached, task)).state is TaskState.COMPLETE
    assert world.asked[-1].headers["range"] == "bytes=200-"
    assert await reached.store.count(OTU) == 3
    after = await reached.store.get(Reference, reference.id)
    assert after is not None
    assert after.ready


@pytest.mark.parametrize("size", [0, 1, 10**9])
async def test_a_wrong_size_does_no_harm(reached: Database, world: World, size: int) -> None:
    release = world.release("v1.0.0", packed(GOOD))
    release["assets"][0]["size"] = size
    world.publish(release)
    _, task = await reached.remote_references.install(CURATOR, NewRemote())
    assert (await performed(reached, task)).state is TaskState.COMPLETE


async def test_who_does_not_answer_is_tried_again_and_then_leaves_nothing(reached: Database, world: World) -> None:
    reference, task = await begun(reached, world)
    world.set(FILE, Reply(status=503))
    states = [(await performed(reached, task)).state for _ in range(3)]
    assert states == [TaskState.WAITING, TaskState.WAITING, TaskState.FAILED]
    assert (await task_now(reached, task)).error == "GitHub has nothing to download there: it answers 503"
    await nothing_is_left(reached, reference)


async def test_a_reference_that_is_deleted_meanwhile_stays_so(reached: Database, world: World) -> None:
    reference, task = await begun(reached, world)
    await reached.references.delete(CURATOR, reference.id)
    ended = await performed(reached, task)
    assert ended.state is TaskState.FAILED
    assert await reached.store.count(OTU) == 0


async def test_what_was_done_is_not_done_again(reached: Database, world: World) -> None:
    """With two stores the end of a task may be lost after what it wrote."""
    reference = await installed(reached, world)
    task = await task_now(reached, str(reference.task_id))
    await reached.store.replace(structs.replace(task, state=TaskState.WAITING))
    world.set(FILE, Reply(status=404))
    assert (await performed(reached, task)).state is TaskState.COMPLETE
    assert await reached.store.count(OTU) == 3


async def test_two_installations_know_nothing_of_each_other(reached: Database, world: World) -> None:
    one, other = [await installed(reached, world, copy.deepcopy(GOOD)) for _ in range(2)]
    counts = [await reached.store.count(OTU, Eq("reference_id", reference.id)) for reference in (one, other)]
    assert counts == [3, 3]


@needs_real_references
async def test_the_official_reference_is_installed(reached: Database, world: World) -> None:
    world.publish(world.release("v1.5.0", OFFICIAL.read_bytes()))
    reference, task = await reached.remote_references.install(CURATOR, NewRemote())
    assert (await performed(reached, task)).state is TaskState.COMPLETE
    where = Eq("reference_id", reference.id)
    counts = [await reached.store.count(kind, where) for kind in (OTU, Sequence, HistoryEntry)]
    assert counts == [2_084, 4_783, 2_084]
