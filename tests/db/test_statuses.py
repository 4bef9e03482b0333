import asyncio

import pytest
from redis.asyncio import Redis

from tests.db.conftest import SteppingClock
from tests.db.reaching import client, each_reached, reached, waits, world
from tests.factories.outside import Reply, World, json_reply, outside, reaching
from tests.factories.users import viewer_named
from virtool_gql.db.database import Database
from virtool_gql.db.outside import SOFTWARE_SLUG
from virtool_gql.db.settings import SettingsChanges
from virtool_gql.db.statuses import newer_of, refresh_hmm, refresh_software
from virtool_gql.errors import Forbidden, UpstreamUnavailable
from virtool_gql.http import Client
from virtool_gql.models.references import Release, Update
from virtool_gql.models.settings import SoftwareChannel
from virtool_gql.models.status import Status
from virtool_gql.models.users import Permission

__all__ = ["client", "each_reached", "reached", "waits", "world"]

HMMS = "virtool/virtool-hmm"
READER = viewer_named("reader")
KEEPER = viewer_named("keeper", Permission.MODIFY_HMM)
ADMINISTRATOR = viewer_named("administrator", administrator=True)


def installed(name: str, *, ready: bool = True) -> Update:
    return Update(id="1", name=name, ready=ready, user_id="keeper", created_at=SteppingClock()())


async def test_looking_for_hmms_needs_a_permission(reached: Database, world: World) -> None:
    with pytest.raises(Forbidden, match="MODIFY_HMM"):
        await reached.statuses.check_hmm(READER)
    assert world.asked == []
    world.publish(world.release("v0.2.1"), slug=HMMS)
    for viewer in (KEEPER, ADMINISTRATOR):
        assert (await reached.statuses.check_hmm(viewer)).release is not None


async def test_looking_for_software_needs_an_administrator(reached: Database, world: World) -> None:
    for viewer in (READER, KEEPER):
        with pytest.raises(Forbidden, match="administrator"):
            await reached.statuses.check_software(viewer)
    assert world.asked == []


async def test_everybody_reads_what_is_known(reached: Database) -> None:
    assert await reached.statuses.hmm() == Status(id="hmm")
    assert await reached.statuses.get_many(READER, ["hmm", "software", "other"]) == {
        "hmm": Status(id="hmm"),
        "software": Status(id="software"),
    }


async def test_the_latest_hmms_are_told(each_reached: Database, world: World) -> None:
    world.publish(world.release("v0.2.1"), slug=HMMS)
    status = await each_reached.statuses.check_hmm(KEEPER)
    assert status == await each_reached.statuses.hmm()
    assert status.release is not None
    assert (status.release.name, status.release.newer, status.errors) == ("v0.2.1", True, ())
    assert status.checked_at is not None
    again = await each_reached.statuses.check_hmm(KEEPER)
    assert world.asked[-1].headers["if-none-match"] == status.release.etag
    assert again.checked_at is not None
    assert again.checked_at > status.checked_at


@pytest.mark.parametrize(("name", "newer"), [(None, True), ("v0.2.0", True), ("v0.2.1", False), ("v0.3.0", False)])
async def test_newer_is_what_is_newer_than_what_is_installed(
    reached: Database, world: World, name: str | None, *, newer: bool
) -> None:
    await reached.store.insert(Status(id="hmm", installed=installed(name) if name else None))
    world.publish(world.release("v0.2.1"), slug=HMMS)
    release = (await reached.statuses.check_hmm(KEEPER)).release
    assert release is not None
    assert release.newer is newer


def test_updating_is_what_is_not_ready() -> None:
    """Upstream told the opposite (defect 13)."""
    old, new = installed("v1"), installed("v2", ready=False)
    assert not Status(id="hmm").updating
    assert not Status(id="hmm", updates=(old,)).updating
    assert Status(id="hmm", updates=(new,)).updating
    assert Status(id="hmm", updates=(old, new)).updating


@pytest.mark.parametrize(
    "reply", [Reply(status=404), Reply(status=304), Reply(status=500), Reply(b"{"), Reply(status=403)]
)
async def test_failures_are_kept_and_end_nothing(each_reached: Database, world: World, reply: Reply) -> None:
    """Upstream's loop died of a 404, and of a 304 when nothing was stored (defects 13 and 32)."""
    world.set(f"/repos/{HMMS}/releases/latest", reply)
    failure, status = await refresh_hmm(each_reached.instance)
    assert failure is not None
    assert status.errors == (failure.message,)
    assert status.release is None
    with pytest.raises(UpstreamUnavailable):
        await each_reached.statuses.check_hmm(KEEPER)
    world.publish(world.release("v0.2.1"), slug=HMMS)
    failure, status = await refresh_hmm(each_reached.instance)
    assert (failure, status.errors) == (None, ())
    world.set(f"/repos/{HMMS}/releases/latest", reply)
    if reply.status != 304:
        failure, status = await refresh_hmm(each_reached.instance)
        assert failure is not None
    assert status.release is not None


async def test_a_release_without_a_file_is_no_failure(reached: Database, world: World) -> None:
    world.publish(world.release("v0.2.1", assets=[]), slug=HMMS)
    failure, status = await refresh_hmm(reached.instance)
    assert (failure, status.release, status.errors) == (None, None, ())


async def test_the_settings_say_where_hmms_come_from(reached: Database, world: World) -> None:
    await reached.settings.update(ADMINISTRATOR, SettingsChanges(hmm_slug="lab/our-hmms"))
    world.publish(world.release("v7.0.0"), slug="lab/our-hmms")
    release = (await reached.statuses.check_hmm(KEEPER)).release
    assert release is not None
    assert release.name == "v7.0.0"


async def test_many_who_look_at_once_all_see_it(each_reached: Database, world: World) -> None:
    world.publish(world.release("v0.2.1"), slug=HMMS)
    found = await asyncio.gather(*(each_reached.statuses.check_hmm(KEEPER) for _ in range(8)))
    assert {status.release.name for status in found if status.release} == {"v0.2.1"}


NAMES = ["v9.0.0", "v9.0.0-beta.2", "v9.0.0-alpha.1", "v0.0.1"]


@pytest.mark.parametrize(("channel", "shown"), [("stable", NAMES[:1]), ("beta", NAMES[:2]), ("alpha", NAMES[:3])])
async def test_the_channel_says_which_software_is_told(
    reached: Database, world: World, channel: str, shown: list[str]
) -> None:
    world.publish(*(world.release(name, id=id, assets=[]) for id, name in enumerate(NAMES)), slug=SOFTWARE_SLUG)
    await reached.settings.update(ADMINISTRATOR, SettingsChanges(software_channel=SoftwareChannel(channel)))
    status = await reached.statuses.check_software(ADMINISTRATOR)
    assert [release.name for release in status.releases] == NAMES
    assert [release.name for release in await reached.statuses.newer_software(status)] == shown


def test_what_runs_is_not_newer_than_itself() -> None:
    releases = tuple(Release(id=name, name=name) for name in ("v2.0.0", "v1.1.0", "v1.0.0"))
    told = [release.name for release in newer_of(releases, SoftwareChannel.STABLE, "1.1.0")]
    assert told == ["v2.0.0"]


async def test_nothing_new_of_the_software_keeps_its_releases(reached: Database, world: World) -> None:
    world.publish(world.release("v9.0.0"), slug=SOFTWARE_SLUG)
    first = await reached.statuses.check_software(ADMINISTRATOR)
    again = await reached.statuses.check_software(ADMINISTRATOR)
    assert "if-none-match" in world.asked[-1].headers
    assert again.releases == first.releases


async def test_software_that_cannot_be_asked_for_is_told(reached: Database, world: World) -> None:
    world.publish(world.release("v9.0.0"), slug=SOFTWARE_SLUG)
    await reached.statuses.check_software(ADMINISTRATOR)
    world.set(f"/repos/{SOFTWARE_SLUG}/releases", Reply(status=500))
    with pytest.raises(UpstreamUnavailable, match=r"^Could not retrieve software releases$"):
        await reached.statuses.check_software(ADMINISTRATOR)
    status = await reached.statuses.software()
    assert status.errors == ("Could not retrieve software releases",)
    assert [release.name for release in status.releases] == ["v9.0.0"]


async def test_a_manifest_tells_of_software(db: Database, redis: Redis, world: World, client: Client) -> None:
    listed = [{"id": id, "name": name} for id, name in enumerate(NAMES)]
    world.set("/releases4", json_reply({"virtool-gql": listed}))
    way = outside(world, client, db.instance.clock, software_releases=f"{world.url}/releases4")
    failure, status = await refresh_software(reaching(db, redis, way).instance)
    assert failure is None
    assert [release.name for release in status.releases] == NAMES
