import pytest
from msgspec import structs

from tests.db.reaching import client, each_reached, reached, waits, world
from tests.factories.outside import Reply, World
from tests.factories.references import stored_reference
from tests.factories.remotes import SLUG, released, stored_remote
from virtool_gql.db.database import Database
from virtool_gql.db.reference_releases import refresh
from virtool_gql.models.references import Reference, RemotesFrom

__all__ = ["client", "each_reached", "reached", "waits", "world"]

LATEST = f"/repos/{SLUG}/releases/latest"


async def now(db: Database, reference: Reference) -> Reference:
    found = await db.store.get(Reference, reference.id)
    assert found is not None
    return found


async def test_each_remote_reference_is_told_of_its_latest_release(each_reached: Database, world: World) -> None:
    released(world, "v1.1.0", {}, id=2)
    old, new, local = [
        await stored_remote(each_reached),
        await stored_remote(each_reached, installed="v1.1.0"),
        await stored_reference(each_reached),
    ]
    told: list[float] = []
    await refresh(each_reached.instance, told.append)
    assert told == [1.0]
    releases = [(await now(each_reached, reference)).release for reference in (old, new)]
    assert [release and (release.name, release.newer) for release in releases] == [("v1.1.0", True), ("v1.1.0", False)]
    assert await now(each_reached, local) == local
    assert len(world.asked) == 1


async def test_what_is_known_is_not_sent_again(reached: Database, world: World) -> None:
    released(world, "v1.1.0", {}, id=2)
    references = [await stored_remote(reached) for _ in range(3)]
    await refresh(reached.instance)
    first = await now(reached, references[0])
    await refresh(reached.instance)
    assert "if-none-match" not in world.asked[0].headers
    assert first.release is not None
    assert world.asked[1].headers["if-none-match"] == first.release.etag
    again = [(await now(reached, reference)).release for reference in references]
    assert len({release.retrieved_at for release in again if release}) == 1
    assert again[0] == structs.replace(first.release, retrieved_at=again[0].retrieved_at if again[0] else None)
    assert again[0] != first.release


async def test_who_knows_less_lets_all_be_told(reached: Database, world: World) -> None:
    released(world, "v1.1.0", {}, id=2)
    await stored_remote(reached)
    await refresh(reached.instance)
    newcomer = await stored_remote(reached, release=None)
    await refresh(reached.instance)
    assert "if-none-match" not in world.asked[1].headers
    release = (await now(reached, newcomer)).release
    assert release is not None
    assert release.name == "v1.1.0"


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (Reply(status=404), "GitHub repository or release does not exist"),
        (Reply(b"{}", cut=1), "Could not reach GitHub"),
        (Reply(status=502), "Encountered error 502"),
        (Reply(b"nonsense"), "What is told of releases cannot be read"),
    ],
)
async def test_a_failure_is_kept_beside_what_was_known(
    each_reached: Database, world: World, reply: Reply, error: str
) -> None:
    reference = await stored_remote(each_reached)
    world.set(LATEST, reply)
    await refresh(each_reached.instance)
    after = await now(each_reached, reference)
    assert (after.errors, after.release) == ((error,), reference.release)
    released(world, "v1.1.0", {})
    await refresh(each_reached.instance)
    assert (await now(each_reached, reference)).errors == ()


async def test_a_failure_that_stays_is_written_once(reached: Database, world: World) -> None:
    world.set(LATEST, Reply(status=404))
    reference = await stored_remote(reached)
    await refresh(reached.instance)
    once = await now(reached, reference)
    await refresh(reached.instance)
    assert await now(reached, reference) == once


async def test_the_failure_of_one_is_none_of_the_others(reached: Database, world: World) -> None:
    released(world, "v1.1.0", {})
    lost = await stored_remote(reached, remotes_from=RemotesFrom(slug="a/lost"))
    found = await stored_remote(reached)
    told: list[float] = []
    await refresh(reached.instance, told.append)
    assert told == [0.5, 1.0]
    assert (await now(reached, lost)).errors
    release = (await now(reached, found)).release
    assert release is not None
    assert release.name == "v1.1.0"


@pytest.mark.parametrize("values", [{"archived": True}, {"ready": False}])
async def test_what_cannot_be_changed_is_left_alone(reached: Database, world: World, values: dict[str, bool]) -> None:
    reference = await stored_remote(reached, **values)
    await refresh(reached.instance)
    assert await now(reached, reference) == reference
    assert world.asked == []


async def test_a_release_that_lost_its_file_is_none(reached: Database, world: World) -> None:
    reference = await stored_remote(reached)
    world.publish(world.release("v1.1.0", assets=[]))
    await refresh(reached.instance)
    assert (await now(reached, reference)).release is None
