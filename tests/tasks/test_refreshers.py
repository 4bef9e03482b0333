"""Releases are asked for again and again, and nothing that happens outside ends that."""

from typing import Any

import pytest
from msgspec import structs

from tests.db.conftest import clock, db
from tests.db.reaching import client, reached, waits, world
from tests.factories.outside import Reply, World
from tests.factories.remotes import released, stored_remote
from tests.factories.tasks import performed, stored_task
from virtool_gql.config import Config
from virtool_gql.db.database import Database
from virtool_gql.db.outside import SOFTWARE_SLUG
from virtool_gql.models.references import Reference
from virtool_gql.models.tasks import Refresh, Task, TaskState, TaskType
from virtool_gql.query import Eq
from virtool_gql.tasks.bodies import WORKS
from virtool_gql.tasks.refreshers import HMMRefresher, ReferenceRefresher, Refresher, SoftwareRefresher

__all__ = ["client", "clock", "db", "reached", "waits", "world"]

ALL: list[type[Refresher]] = [ReferenceRefresher, HMMRefresher, SoftwareRefresher]
OFF = Config(no_refreshing=True)


async def planned(db: Database, work: type[Refresher]) -> Task:
    return await stored_task(db, None, work.type, Refresh(), periodic_key=work.type)


async def next_of(db: Database, type: TaskType) -> list[Task]:
    return (await db.store.find(Task, Eq("periodic_key", type))).documents


@pytest.mark.parametrize("work", ALL)
def test_they_are_done_side_by_side_with_heavy_work(work: type[Refresher]) -> None:
    assert WORKS[work.type] is work
    assert not work.heavy


def test_the_settings_say_how_often() -> None:
    assert [work.interval(Config()) for work in ALL] == [600.0, 600.0, 43_200.0]
    config = Config(refresh_seconds=5, software_refresh_seconds=7)
    assert [work.interval(config) for work in ALL] == [5, 5, 7]
    assert [work.interval(OFF) for work in ALL] == [None, None, None]


async def test_references_are_looked_at(reached: Database, world: World) -> None:
    released(world, "v1.1.0", {})
    reference = await stored_remote(reached)
    ended = await performed(reached, await planned(reached, ReferenceRefresher))
    assert (ended.state, ended.progress) == (TaskState.COMPLETE, 1.0)
    after = await reached.store.get(Reference, reference.id)
    assert after is not None
    assert after.release is not None
    assert after.release.newer


async def test_hmms_and_software_are_looked_at(reached: Database, world: World) -> None:
    world.publish(world.release("v0.2.1"), slug="virtool/virtool-hmm")
    world.publish(world.release("v9.0.0"), slug=SOFTWARE_SLUG)
    for work in (HMMRefresher, SoftwareRefresher):
        assert (await performed(reached, await planned(reached, work))).state is TaskState.COMPLETE
    assert (await reached.statuses.hmm()).release is not None
    assert (await reached.statuses.software()).releases


@pytest.mark.parametrize("work", ALL)
@pytest.mark.parametrize("reply", [Reply(status=404), Reply(status=500), Reply(b"{"), Reply(b"{}", cut=1)])
async def test_no_failure_outside_is_one_of_the_task(
    reached: Database, world: World, work: type[Refresher], reply: Reply
) -> None:
    await stored_remote(reached)
    for path in ("virtool/ref-plant-viruses/releases/latest", "virtool/virtool-hmm/releases/latest"):
        world.set(f"/repos/{path}", reply)
    world.set(f"/repos/{SOFTWARE_SLUG}/releases", reply)
    ended = await performed(reached, await planned(reached, work))
    assert (ended.state, ended.error) == (TaskState.COMPLETE, None)
    assert world.asked
    (following,) = await next_of(reached, work.type)
    assert following.state is TaskState.WAITING


@pytest.mark.parametrize("work", ALL)
async def test_turned_off_they_ask_nobody_and_are_not_planned_again(
    reached: Database, world: World, work: type[Refresher]
) -> None:
    await stored_remote(reached)
    ended = await performed(reached, await planned(reached, work), OFF)
    assert ended.state is TaskState.COMPLETE
    assert world.asked == []
    assert await next_of(reached, work.type) == []


async def test_what_is_asked_again_is_what_is_new(reached: Database, world: World) -> None:
    released(world, "v1.1.0", {})
    reference = await stored_remote(reached)
    for _ in range(3):
        await performed(reached, await planned_or_next(reached))
    assert [("if-none-match" in asked.headers) for asked in world.asked] == [False, True, True]
    after: Any = await reached.store.get(Reference, reference.id)
    assert structs.replace(after.release, retrieved_at=None).name == "v1.1.0"


async def planned_or_next(db: Database) -> Task:
    waiting = await next_of(db, TaskType.REFRESH_REFERENCES)
    return waiting[0] if waiting else await planned(db, ReferenceRefresher)
