"""The real process of tasks, killed in the middle of real work: each is taken over, and done once or not at all."""

import os
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from dataclasses import dataclass

import pytest
from msgspec import structs

from tests.factories.conditions import until
from tests.factories.otus import full_otu
from tests.factories.references import stored_reference
from tests.factories.tasks import stored_task, task_now
from tests.stores.fixtures import administer
from virtool_gql.config import Config
from virtool_gql.db.database import Database
from virtool_gql.db.otu_writes import newborn
from virtool_gql.db.reference_clones import manifest_of
from virtool_gql.db.reference_removal import PARTS
from virtool_gql.embedded import ServiceUrls
from virtool_gql.errors import UpstreamUnavailable
from virtool_gql.models.history import Verb
from virtool_gql.models.references import ClonedFrom, Reference
from virtool_gql.models.tasks import CloneReference, DeleteReference, Task, TaskState, TaskType
from virtool_gql.query import Eq
from virtool_gql.stores.opening import StoreUrls
from virtool_gql.tasks.settings import Settings
from virtool_gql.tasks.supervisor import Supervisor

pytestmark = pytest.mark.timeout(600)


@dataclass
class Scene:
    """A database, where it is, and how many OTUs take a while in it."""

    db: Database
    urls: StoreUrls
    otus: int


@pytest.fixture(params=["rows", "split"])
def scene(request: pytest.FixtureRequest, postgres_url: str) -> Scene:
    if request.param == "rows":
        return Scene(request.getfixturevalue("db"), StoreUrls(postgres_url), 2500)
    return Scene(request.getfixturevalue("split_db"), request.getfixturevalue("split_urls"), 40)


@pytest.fixture
def tasks_done(services: ServiceUrls) -> Callable[[Scene], AbstractAsyncContextManager[Supervisor]]:
    """Give a function that has tasks done in a process of its own."""

    @asynccontextmanager
    async def run(scene: Scene) -> AsyncIterator[Supervisor]:
        config = Config(data_path=scene.db.places.data_path, no_refreshing=True)
        supervisor = Supervisor(
            Settings(stores=scene.urls, redis=services.redis, server_pid=os.getpid(), config=config)
        )
        async with supervisor.running():
            yield supervisor

    return run


async def filled(scene: Scene) -> Reference:
    """Make a reference with many OTUs."""
    reference = await stored_reference(scene.db, "Source")
    at = scene.db.instance.clock()
    for start in range(0, scene.otus, 100):
        otus = [
            full_otu(f"otu{number:05}", isolates=1, sequences=2, name=f"Virus {number}")
            for number in range(start, min(start + 100, scene.otus))
        ]
        born = [newborn(otu, reference.id, verb=Verb.IMPORT, user_id="owner", at=at) for otu in otus]
        await scene.db.store.insert(*(otu for otu, _, _ in born))
        await scene.db.store.insert(*(sequence for _, sequences, _ in born for sequence in sequences))
        await scene.db.store.insert(*(entry for _, _, entry in born))
    return reference


async def clone_of(scene: Scene, source: Reference) -> tuple[Reference, Task]:
    db = scene.db
    origin = ClonedFrom(id=source.id, name=source.name)
    clone = await stored_reference(db, "Clone", ready=False, cloned_from=origin)
    manifest = await manifest_of(db.store, source.id)
    args = CloneReference(reference_id=clone.id, source_id=source.id, manifest=manifest)
    task = await stored_task(db, type=TaskType.CLONE_REFERENCE, args=args, reference_id=clone.id)
    (clone,) = await db.store.replace(structs.replace(clone, task_id=task.id))
    await db.tasks.wake()
    return clone, task


async def parts(scene: Scene, reference: Reference) -> list[int]:
    return [await scene.db.store.count(kind, Eq("reference_id", reference.id)) for kind in PARTS]


async def half_made(scene: Scene, clone: Reference, task: Task) -> None:
    """Wait until a part of the clone is written: where there are transactions that is seen by the progress alone."""

    async def is_there() -> bool:
        now = await task_now(scene.db, task)
        assert not now.ended, "it was too fast to be caught"
        if scene.urls.mongo is not None:
            return sum(await parts(scene, clone)) > 0
        return now.step == "copy_otus"

    await until(is_there, 60)


async def ended(scene: Scene, task: Task) -> Task:
    async def has_ended() -> bool:
        with suppress(UpstreamUnavailable):  # while the database is away
            return (await task_now(scene.db, task)).ended
        return False

    await until(has_ended, 120)
    return await task_now(scene.db, task)


async def complete(scene: Scene, task: Task) -> Task:
    now = await ended(scene, task)
    assert (now.state, now.error) == (TaskState.COMPLETE, None)
    return now


TasksDone = Callable[[Scene], AbstractAsyncContextManager[Supervisor]]


async def test_a_clone_that_is_killed_midway_is_made_once(scene: Scene, tasks_done: TasksDone) -> None:
    source = await filled(scene)
    clone, task = await clone_of(scene, source)
    async with tasks_done(scene) as supervisor:
        await half_made(scene, clone, task)
        pid = supervisor.pid
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        reference = await scene.db.store.get(Reference, clone.id)
        assert reference is not None
        midway = not reference.ready
        if scene.urls.mongo is None:
            assert midway
            assert await parts(scene, clone) == [0, 0, 0, 0]
        # A MongoDB without a replica set shows what is not committed, and undoes nothing: the next attempt does. There
        # the clone may be all made when the kill comes.
        done = await complete(scene, task)
    assert done.attempts == 2 or not midway
    assert await parts(scene, clone) == [0, scene.otus, 2 * scene.otus, scene.otus]
    reference = await scene.db.store.get(Reference, clone.id)
    assert reference is not None
    assert reference.ready


async def test_a_deletion_that_is_killed_midway_is_done_to_its_end(scene: Scene, tasks_done: TasksDone) -> None:
    source = await filled(scene)
    await scene.db.store.delete(source)
    task = await stored_task(
        scene.db, args=DeleteReference(reference_id=source.id, name="Source"), reference_id=source.id
    )

    async def is_midway() -> bool:
        return 0 < sum(await parts(scene, source)) < 4 * scene.otus

    async with tasks_done(scene) as supervisor:
        await scene.db.tasks.wake()
        await until(is_midway, 60)
        pid = supervisor.pid
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        done = await complete(scene, task)
    assert done.attempts == 2
    assert await parts(scene, source) == [0, 0, 0, 0]


async def test_a_clone_that_is_stopped_in_order_is_made_by_the_next_process(
    scene: Scene, tasks_done: TasksDone
) -> None:
    source = await filled(scene)
    clone, task = await clone_of(scene, source)
    async with tasks_done(scene):
        await half_made(scene, clone, task)
    waiting = await task_now(scene.db, task)
    assert (waiting.state, waiting.attempts) == (TaskState.WAITING, 0)
    assert await parts(scene, clone) == [0, 0, 0, 0], "what was written is undone"
    async with tasks_done(scene):
        assert (await complete(scene, task)).attempts == 1
    assert (await parts(scene, clone))[1] == scene.otus


async def test_a_source_that_is_deleted_midway_leaves_no_clone(
    db: Database, postgres_url: str, tasks_done: TasksDone
) -> None:
    scene = Scene(db, StoreUrls(postgres_url), 2500)
    source = await filled(scene)
    clone, task = await clone_of(scene, source)
    async with tasks_done(scene):
        await half_made(scene, clone, task)
        await scene.db.store.delete(source)
        now = await ended(scene, task)
    assert (now.state, now.error) == (
        TaskState.FAILED,
        "The reference “Source” was deleted while it was being cloned.",
    )
    assert await scene.db.store.get(Reference, clone.id) is None
    assert await parts(scene, clone) == [0, 0, 0, 0]


async def test_a_database_that_ends_all_connections_has_the_clone_made_again(
    db: Database, postgres_url: str, services: ServiceUrls, tasks_done: TasksDone
) -> None:
    scene = Scene(db, StoreUrls(postgres_url), 2500)
    source = await filled(scene)
    clone, task = await clone_of(scene, source)
    name = postgres_url.rpartition("/")[2].partition("?")[0]
    async with tasks_done(scene):
        await half_made(scene, clone, task)
        await administer(
            services.postgres,
            f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'",  # noqa: S608 - our own
        )
        done = await complete(scene, task)
    assert done.attempts == 2
    assert await parts(scene, clone) == [0, scene.otus, 2 * scene.otus, scene.otus]
