import asyncio

import pytest
from msgspec import structs
from redis.asyncio import Redis

from tests.db.reaching import client, each_reached, reached, waits, world
from tests.factories.outside import Reply, World, json_reply, outside, reaching
from tests.factories.reference_files import made_up_reference
from tests.factories.references import member, stored_reference
from tests.factories.remotes import SLUG, released, stored_remote
from tests.factories.users import viewer_named
from virtool_gql.db.database import Database
from virtool_gql.db.remote_references import ASKED_PER_MINUTE, NewRemote
from virtool_gql.errors import BadUserInput, Conflict, Forbidden, NotFound, RateLimited, UpstreamUnavailable
from virtool_gql.http import Client
from virtool_gql.models.references import Reference, Release, RemotesFrom, Right
from virtool_gql.models.tasks import Task, TaskState, TaskType
from virtool_gql.models.users import Permission

__all__ = ["client", "each_reached", "reached", "waits", "world"]

LATEST = f"/repos/{SLUG}/releases/latest"
GOOD = made_up_reference()
CURATOR = viewer_named("curator", Permission.CREATE_REF)
OWNER, STRANGER, READER = viewer_named("owner"), viewer_named("stranger"), viewer_named("reader")
WRITER = viewer_named("writer")
ADMINISTRATOR = viewer_named("admin", administrator=True)
USERS = (
    member("owner", *Right),
    member("reader"),
    member("writer", Right.BUILD, Right.MODIFY_OTU, Right.REMOVE),
)


async def remote(db: Database, latest: str = "v1.1.0") -> Reference:
    return await stored_remote(db, users=USERS, release=Release(id="2", name=latest, newer=True))


async def test_who_may_install(reached: Database, world: World) -> None:
    for viewer in (STRANGER, OWNER):
        with pytest.raises(Forbidden, match="CREATE_REF"):
            await reached.remote_references.install(viewer, NewRemote())
    assert world.asked == []
    released(world, "v1.0.0", GOOD)
    for viewer in (CURATOR, ADMINISTRATOR):
        reference, _ = await reached.remote_references.install(viewer, NewRemote())
        assert reference.user_id == viewer.user_id


async def test_who_may_ask_for_the_latest_release(reached: Database, world: World) -> None:
    released(world, "v1.2.0", GOOD)
    reference = await remote(reached)
    with pytest.raises(NotFound):
        await reached.remote_references.check(STRANGER, reference.id)
    assert world.asked == []
    for viewer in (READER, WRITER, OWNER, ADMINISTRATOR):
        assert (await reached.remote_references.check(viewer, reference.id)).release is not None


async def test_one_user_does_not_ask_again_and_again(reached: Database, world: World) -> None:
    released(world, "v1.2.0", GOOD)
    reference = await remote(reached)
    for _ in range(ASKED_PER_MINUTE):
        await reached.remote_references.check(READER, reference.id)
    for more in (
        reached.remote_references.check(READER, reference.id),
        reached.remote_references.install(viewer_named("reader", Permission.CREATE_REF), NewRemote()),
    ):
        with pytest.raises(RateLimited):
            await more
    assert len(world.asked) == ASKED_PER_MINUTE
    await reached.remote_references.check(OWNER, reference.id)


async def test_who_may_update(reached: Database) -> None:
    reference = await remote(reached)
    with pytest.raises(NotFound):
        await reached.remote_references.update(STRANGER, reference.id)
    for viewer in (READER, WRITER):
        with pytest.raises(Forbidden, match="right MODIFY on"):
            await reached.remote_references.update(viewer, reference.id)
    for viewer in (OWNER, ADMINISTRATOR):
        reference = await remote(reached)
        await reached.remote_references.update(viewer, reference.id)


async def test_an_installation_begins(each_reached: Database, world: World) -> None:
    """The reference is there before its task (defect 18), under its own name and with no organism yet (defect 20)."""
    released(world, "v1.4.0", GOOD, id=7)
    reference, task = await each_reached.remote_references.install(CURATOR, NewRemote())
    assert await each_reached.store.get(Reference, reference.id) == reference
    assert await each_reached.store.get(Task, task.id) == task
    assert (reference.name, reference.organism) == ("Plant Viruses", "")
    assert reference.description == "The official plant virus reference from the Virtool developers"
    assert reference.remotes_from == RemotesFrom(slug=SLUG)
    assert (reference.ready, reference.updating, reference.installed) == (False, True, None)
    assert [(update.name, update.ready, update.user_id) for update in reference.updates] == [
        ("v1.4.0", False, "curator")
    ]
    assert reference.release is not None
    assert (reference.release.id, reference.release.newer) == ("7", True)
    assert reference.task_id == task.id
    assert (task.type, task.state, task.user_id) == (TaskType.REMOTE_REFERENCE, TaskState.WAITING, "curator")
    assert await each_reached.references.official_installed()


async def test_an_installation_may_be_called_otherwise(reached: Database, world: World) -> None:
    released(world, "v1.4.0", GOOD)
    reference, _ = await reached.remote_references.install(CURATOR, NewRemote(name="Ours", description=""))
    assert (reference.name, reference.description) == ("Ours", "")
    with pytest.raises(BadUserInput):
        await reached.remote_references.install(CURATOR, NewRemote(name=" "))


async def test_a_release_can_be_chosen(reached: Database, world: World) -> None:
    world.publish(world.release("v1.5.0", id=2), world.release("v1.4.0", id=11447367))
    reference, _ = await reached.remote_references.install(CURATOR, NewRemote(release_id="11447367"))
    assert reference.release is not None
    assert reference.release.name == "v1.4.0"
    for id in ("9", "latest", ""):
        with pytest.raises(BadUserInput, match=r"^Target release does not exist$") as raised:
            await reached.remote_references.install(CURATOR, NewRemote(release_id=id))
        assert raised.value.path == ("release_id",)


@pytest.mark.parametrize("slug", ["virtool/other", "", "../x", "virtool/ref-plant-viruses/"])
async def test_only_some_repositories_are_installed_from(reached: Database, world: World, slug: str) -> None:
    with pytest.raises(BadUserInput, match=f"References cannot be installed from “{slug}”") as raised:
        await reached.remote_references.install(CURATOR, NewRemote(slug=slug))
    assert raised.value.path == ("slug",)
    assert world.asked == []


async def test_the_operator_may_allow_others(db: Database, redis: Redis, world: World, client: Client) -> None:
    released(world, "v1.0.0", GOOD, slug="lab/viruses")
    way = outside(world, client, db.instance.clock, reference_slugs=("lab/viruses",))
    remotes = reaching(db, redis, way).remote_references
    reference, _ = await remotes.install(CURATOR, NewRemote(slug="lab/viruses"))
    assert reference.remotes_from == RemotesFrom(slug="lab/viruses")
    assert not await db.references.official_installed()


@pytest.mark.parametrize(
    ("reply", "sentence"),
    [
        (Reply(status=404), "Could not retrieve latest GitHub release"),
        (Reply(status=500), "Could not retrieve latest GitHub release"),
        (Reply(b"<html>"), "Could not retrieve latest GitHub release"),
        (json_reply({"id": 1, "name": "v1", "assets": []}), "Could not retrieve latest GitHub release"),
        (Reply(b"{}", cut=1), "Could not reach GitHub"),
    ],
)
async def test_an_installation_that_cannot_begin_leaves_nothing(
    reached: Database, world: World, reply: Reply, sentence: str
) -> None:
    world.set(LATEST, reply)
    with pytest.raises(UpstreamUnavailable, match=f"^{sentence}$"):
        await reached.remote_references.install(CURATOR, NewRemote())
    assert (await reached.store.count(Reference), await reached.store.count(Task)) == (0, 0)


async def test_the_same_request_installs_once(each_reached: Database, world: World) -> None:
    released(world, "v1.0.0", GOOD)
    made = await asyncio.gather(
        *(each_reached.remote_references.install(CURATOR, NewRemote(), idempotency_key="k") for _ in range(5))
    )
    assert len({(reference.id, task.id) for reference, task in made}) == 1
    world.set(LATEST, Reply(status=500))
    again, _ = await each_reached.remote_references.install(CURATOR, NewRemote(), idempotency_key="k")
    assert again.id == made[0][0].id
    assert await each_reached.store.count(Task) == 1


async def test_the_latest_release_is_asked_for(each_reached: Database, world: World) -> None:
    released(world, "v1.2.0", GOOD, id=3)
    reference = await stored_remote(each_reached, errors=("Could not reach GitHub",))
    checked = await each_reached.remote_references.check(OWNER, reference.id)
    assert checked.release is not None
    assert (checked.release.name, checked.release.newer, checked.errors) == ("v1.2.0", True, ())
    assert checked.updated_at == reference.updated_at


@pytest.mark.parametrize(
    ("reply", "sentence", "kept"),
    [
        *[
            (
                Reply(status=404),
                "Release repository does not exist on GitHub",
                "GitHub repository or release does not exist",
            )
        ],
        *[(Reply(b"{}", cut=1), "Could not reach GitHub", "Could not reach GitHub")],
        *[(Reply(status=500), "Encountered error 500", "Encountered error 500")],
    ],
)
async def test_why_it_is_not_known_is_told_and_kept(
    reached: Database, world: World, reply: Reply, sentence: str, kept: str
) -> None:
    world.set(LATEST, reply)
    reference = await remote(reached)
    with pytest.raises(UpstreamUnavailable, match=f"^{sentence}$"):
        await reached.remote_references.check(OWNER, reference.id)
    after = await reached.references.get(OWNER, reference.id)
    assert (after.errors, after.release) == ((kept,), reference.release)


async def test_not_every_reference_has_releases(reached: Database) -> None:
    reference = await stored_reference(reached)
    for ask in (reached.remote_references.check, reached.remote_references.update):
        with pytest.raises(BadUserInput, match=r"^Not a remote reference$"):
            await ask(OWNER, reference.id)


@pytest.mark.parametrize("values", [{"archived": True}, {"ready": False}])
async def test_what_cannot_be_changed_is_not_updated(reached: Database, values: dict[str, bool]) -> None:
    reference = await remote(reached)
    await reached.store.replace(structs.replace(reference, **values))
    for ask in (reached.remote_references.check, reached.remote_references.update):
        with pytest.raises(Conflict):
            await ask(OWNER, reference.id)


async def test_an_update_begins(each_reached: Database) -> None:
    reference = await remote(each_reached)
    begun, task = await each_reached.remote_references.update(OWNER, reference.id, expected_version=reference.version)
    assert await each_reached.store.get(Reference, reference.id) == begun
    assert await each_reached.store.get(Task, task.id) == task
    assert (begun.updating, begun.ready, begun.task_id) == (True, True, task.id)
    assert [(update.name, update.ready) for update in begun.updates] == [("v1.0.0", True), ("v1.1.0", False)]
    assert begun.installed == reference.installed
    assert task.type is TaskType.UPDATE_REMOTE_REFERENCE
    with pytest.raises(Conflict, match="is being updated"):
        await each_reached.remote_references.update(OWNER, reference.id)


async def test_of_many_updates_at_once_one_begins(each_reached: Database) -> None:
    reference = await remote(each_reached)
    update = each_reached.remote_references.update
    ended = await asyncio.gather(*(update(OWNER, reference.id) for _ in range(6)), return_exceptions=True)
    assert sorted(type(each).__name__ for each in ended) == ["Conflict"] * 5 + ["tuple"]
    assert await each_reached.store.count(Task) == 1


async def test_an_update_can_expect_a_version(reached: Database) -> None:
    reference = await remote(reached)
    with pytest.raises(Conflict, match="Somebody else changed the reference first"):
        await reached.remote_references.update(OWNER, reference.id, expected_version=reference.version + 1)


async def test_there_must_be_something_to_update_to(reached: Database) -> None:
    reference = await stored_remote(reached, release=None)
    with pytest.raises(BadUserInput, match=r"^Target release does not exist$"):
        await reached.remote_references.update(OWNER, reference.id)
    for latest in ("v1.0.0", "v0.9.0"):
        reference = await remote(reached, latest)
        with pytest.raises(Conflict, match=f"{latest}, is not newer than what is installed"):
            await reached.remote_references.update(OWNER, reference.id)
