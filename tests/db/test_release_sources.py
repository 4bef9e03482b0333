import json
from pathlib import Path
from typing import Any

import pytest

from tests.db.reaching import client, waits, world
from tests.factories.database import SteppingClock
from tests.factories.outside import SLUG, Reply, Waits, World, gzipped, json_reply, limited, outside
from virtool_gql.db.outside import Outside
from virtool_gql.db.release_sources import NotPublished, Refused
from virtool_gql.errors import UpstreamUnavailable
from virtool_gql.executors import run_in_thread
from virtool_gql.http import Client
from virtool_gql.models.references import Release

__all__ = ["client", "waits", "world"]

LATEST = f"/repos/{SLUG}/releases/latest"


@pytest.fixture
def clock() -> SteppingClock:
    return SteppingClock()


@pytest.fixture
def way(world: World, client: Client, clock: SteppingClock) -> Outside:
    return outside(world, client, clock)


def item(name: str, id: int = 1, **values: Any) -> dict[str, Any]:
    """Give a release as a manifest tells of it."""
    told = {
        "id": id,
        "name": name,
        "body": "What is new",
        "content_type": "application/gzip",
        "download_url": f"files/{name}.json.gz",
        "filename": "reference.json.gz",
        "html_url": "https://example.org/releases",
        "prerelease": False,
        "published_at": "2026-02-03T04:05:06Z",
        "size": 3,
    }
    return told | values


def known(release: Release | None) -> Release:
    assert release is not None
    return release


async def test_a_release_on_github_has_its_first_asset(world: World, way: Outside) -> None:
    world.publish(world.release("v1.4.0", b"abc", id=11447367))
    release = known(await way.references.latest(SLUG))
    assert release.retrieved_at is not None
    assert (release.id, release.name, release.filename, release.size) == ("11447367", "v1.4.0", "reference.json.gz", 3)
    assert release.download_url == f"{world.url}/download/v1.4.0/reference.json.gz"
    assert (release.content_type, release.published_at) == ("application/gzip", "2026-02-03T04:05:06.000Z")
    assert release.body == "What is new in v1.4.0"
    assert world.asked[0].headers["accept"] == "application/vnd.github.v3+json"
    assert "authorization" not in world.asked[0].headers


async def test_the_token_goes_to_github_and_not_to_where_files_are(
    world: World, client: Client, clock: SteppingClock, tmp_path: Path
) -> None:
    async with World().open() as files:
        told = world.release("v1.4.0")
        told["assets"][0]["browser_download_url"] = f"{files.url}/file"
        files.set("/file", Reply(b"abc"))
        world.publish(told)
        source = outside(world, client, clock, github_token="geheim").references
        release = known(await source.latest(SLUG))
        async with source.file_of(release, tmp_path, lambda _: None) as path:
            assert path.read_bytes() == b"abc"
        assert world.asked[0].headers["authorization"] == "Bearer geheim"
        assert "authorization" not in files.asked[0].headers
    assert await run_in_thread(lambda: list(tmp_path.iterdir())) == []


async def test_nothing_new_keeps_what_is_known(world: World, way: Outside) -> None:
    world.publish(world.release("v1.4.0"))
    first = known(await way.references.latest(SLUG))
    again = known(await way.references.latest(SLUG, first))
    assert world.asked[1].headers["if-none-match"] == first.etag
    assert first.retrieved_at is not None
    assert again.retrieved_at is not None
    assert again.retrieved_at > first.retrieved_at
    assert (again.name, again.etag, again.download_url) == (first.name, first.etag, first.download_url)


async def test_something_new_is_told(world: World, way: Outside) -> None:
    world.publish(world.release("v1.4.0"))
    first = await way.references.latest(SLUG)
    world.publish(world.release("v1.5.0"))
    assert known(await way.references.latest(SLUG, first)).name == "v1.5.0"


async def test_a_release_without_a_file_is_none(world: World, way: Outside) -> None:
    world.publish(world.release("v1.4.0", assets=[]))
    assert await way.references.latest(SLUG) is None
    world.publish(world.release("v1.4.0", draft=True))
    assert await way.references.latest(SLUG) is None


async def test_an_unmodified_answer_to_who_knows_nothing_is_no_release(world: World, way: Outside) -> None:
    world.set(LATEST, Reply(status=304))
    with pytest.raises(Refused):
        await way.references.latest(SLUG)


@pytest.mark.parametrize(
    ("title", "tag", "name"),
    [
        *(("v1.4.0", "v1.4.0", "v1.4.0"), (None, "v1.4.0", "v1.4.0"), ("", "v1.4.0", "v1.4.0")),
        *(("Spring cleaning", "v1.4.0", "v1.4.0"), ("Spring", "spring-2026", "Spring"), ("1.4.0", "x", "1.4.0")),
    ],
)
async def test_a_release_is_called_by_its_version(
    world: World, way: Outside, title: str | None, tag: str, name: str
) -> None:
    world.publish(world.release("v1.4.0") | {"name": title, "tag_name": tag})
    assert known(await way.references.latest(SLUG)).name == name


async def test_compressed_json_is_read(world: World, way: Outside) -> None:
    world.set(LATEST, gzipped(json_reply(world.release("v1.4.0"))))
    assert known(await way.references.latest(SLUG)).name == "v1.4.0"


async def test_what_is_not_there_is_told(world: World, way: Outside) -> None:
    with pytest.raises(NotPublished, match=r"^GitHub repository or release does not exist$"):
        await way.references.latest(SLUG)
    assert len(world.asked) == 1


@pytest.mark.parametrize("status", [400, 401, 403, 410, 451, 500])
async def test_other_statuses_are_told_by_their_number(world: World, way: Outside, status: int) -> None:
    world.set(LATEST, Reply(status=status))
    with pytest.raises(Refused, match=f"^Encountered error {status}$"):
        await way.references.latest(SLUG)


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'{"id": 1', b'{"name": "v1"}', b'{"id": 1, "assets": {}}'])
async def test_what_cannot_be_read_is_told(world: World, way: Outside, body: bytes) -> None:
    world.set(LATEST, Reply(body))
    with pytest.raises(Refused, match="cannot be read"):
        await way.references.latest(SLUG)


async def test_who_does_not_answer_is_named(client: Client, clock: SteppingClock) -> None:
    """Upstream looked for the name of an exception in its text, and never found it (defect 31)."""
    nobody = World()
    nobody.url = "http://127.0.0.1:9"
    with pytest.raises(UpstreamUnavailable, match=r"^Could not reach GitHub$"):
        await outside(nobody, client, clock).references.latest(SLUG)


async def test_a_limit_is_waited_for(world: World, way: Outside, waits: Waits) -> None:
    world.set(LATEST, limited(600, waits.now), json_reply(world.release("v1.4.0")))
    for _ in range(3):
        with pytest.raises(UpstreamUnavailable, match="GitHub takes no more requests before 08:10 UTC"):
            await way.references.latest(SLUG)
    assert len(world.asked) == 1
    waits.now += 601
    assert known(await way.references.latest(SLUG)).name == "v1.4.0"


async def test_one_release_is_found_by_its_id(world: World, way: Outside) -> None:
    world.publish(world.release("v1.5.0", id=2), world.release("v1.4.0", id=11447367))
    assert known(await way.references.release(SLUG, "11447367")).name == "v1.4.0"
    for id in ("3", "latest", "../../user", ""):
        with pytest.raises(NotPublished):
            await way.references.release(SLUG, id)
    assert world.paths()[-1] == f"/repos/{SLUG}/releases/3"


async def test_releases_are_listed_newest_first_without_drafts(world: World, way: Outside) -> None:
    world.publish(
        world.release("v1.9.0", id=1, assets=[]),
        world.release("v1.10.0-beta.1", id=2, prerelease=True),
        world.release("v1.10.0", id=3),
        world.release("v2.0.0", id=4, draft=True),
    )
    told = await way.software.releases(SLUG)
    assert told is not None
    assert [release.name for release in told] == ["v1.10.0", "v1.10.0-beta.1", "v1.9.0"]
    assert await way.software.releases(SLUG, told[0]) is None


async def test_a_manifest_tells_the_newest_that_is_finished(
    world: World, client: Client, clock: SteppingClock, tmp_path: Path
) -> None:
    listed = [item("v1.2.0", 3), item("v1.10.0", 4), item("v2.0.0-beta.1", 5, prerelease=True)]
    manifest = json_reply({"ref-plant-viruses": listed, "virtool-hmm": []})
    world.set("/m/manifest.json", Reply(manifest.body, headers={"etag": '"m"'}))
    world.set("/m/files/v1.10.0.json.gz", Reply(b"abc"))
    source = outside(world, client, clock, reference_releases=f"{world.url}/m/manifest.json").references
    release = known(await source.latest(SLUG))
    assert (release.id, release.name, release.etag) == ("4", "v1.10.0", '"m"')
    async with source.file_of(release, tmp_path, lambda _: None) as path:
        assert path.read_bytes() == b"abc"
    assert known(await source.release(SLUG, "3")).name == "v1.2.0"
    with pytest.raises(NotPublished, match="Target release does not exist"):
        await source.release(SLUG, "9")
    with pytest.raises(NotPublished, match="has none of other"):
        await source.latest("virtool/other")
    assert await source.latest("virtool/virtool-hmm") is None


async def test_a_manifest_that_is_not_new_is_not_sent_again(world: World, client: Client, clock: SteppingClock) -> None:
    source = outside(world, client, clock, reference_releases=f"{world.url}/m.json").references
    world.set("/m.json", Reply(json.dumps([item("v1.0.0")]).encode(), headers={"etag": '"m"'}), Reply(status=304))
    first = known(await source.latest(SLUG))
    again = known(await source.latest(SLUG, first))
    assert world.asked[1].headers["if-none-match"] == '"m"'
    assert (again.name, again.retrieved_at != first.retrieved_at) == ("v1.0.0", True)


@pytest.mark.parametrize("manifest", [b"", b"{", b'"text"', b'{"ref-plant-viruses": {}}', b"[1]", b'[{"id": 1}]'])
async def test_a_manifest_that_cannot_be_used_is_told(
    world: World, client: Client, clock: SteppingClock, tmp_path: Path, manifest: bytes
) -> None:
    world.set("/m.json", Reply(manifest))
    (tmp_path / "m.json").write_bytes(manifest)
    for setting in (f"{world.url}/m.json", str(tmp_path / "m.json")):
        with pytest.raises(UpstreamUnavailable):
            await outside(world, client, clock, reference_releases=setting).references.latest(SLUG)


@pytest.fixture
def shelf(world: World, client: Client, clock: SteppingClock, tmp_path: Path) -> tuple[Outside, Path]:
    (tmp_path / "shelf" / "files").mkdir(parents=True)
    path = tmp_path / "shelf" / "manifest.json"
    return outside(world, client, clock, reference_releases=str(path)), path


async def test_a_manifest_on_this_machine_needs_nobody(
    world: World, shelf: tuple[Outside, Path], tmp_path: Path
) -> None:
    way, path = shelf
    path.write_text(json.dumps({"ref-plant-viruses": [item("v1.0.0"), item("v1.1.0", 2)]}))
    (path.parent / "files" / "v1.1.0.json.gz").write_bytes(b"abc")
    release = known(await way.references.latest(SLUG))
    assert (release.name, release.download_url) == ("v1.1.0", "files/v1.1.0.json.gz")
    async with way.references.file_of(release, tmp_path, lambda _: None) as file:
        assert file.read_bytes() == b"abc"
    assert known(await way.references.release(SLUG, "1")).name == "v1.0.0"
    assert world.asked == []


async def test_a_manifest_on_this_machine_may_name_files_elsewhere(
    world: World, shelf: tuple[Outside, Path], tmp_path: Path
) -> None:
    way, path = shelf
    world.set("/there", Reply(b"abc"))
    path.write_text(json.dumps([item("v1.0.0", download_url=f"{world.url}/there")]))
    release = known(await way.references.latest(SLUG))
    async with way.references.file_of(release, tmp_path, lambda _: None) as file:
        assert file.read_bytes() == b"abc"


@pytest.mark.parametrize(
    "url", ["../secret", "/etc/passwd", "missing", "files", "file:///etc/passwd", "files/../../secret"]
)
async def test_files_lie_beside_their_manifest(shelf: tuple[Outside, Path], tmp_path: Path, url: str) -> None:
    way, path = shelf
    (tmp_path / "secret").write_bytes(b"abc")
    path.write_text(json.dumps([item("v1.0.0", download_url=url)]))
    release = known(await way.references.latest(SLUG))
    with pytest.raises(UpstreamUnavailable, match=r"The file of the release v1\.0\.0 is not there"):
        async with way.references.file_of(release, tmp_path, lambda _: None):
            pass


async def test_a_manifest_that_is_not_there_is_told(shelf: tuple[Outside, Path]) -> None:
    with pytest.raises(UpstreamUnavailable, match=r"^The manifest of releases cannot be read$"):
        await shelf[0].references.latest(SLUG)


async def test_github_tells_no_files_of_this_machine(world: World, way: Outside, tmp_path: Path) -> None:
    release = Release(id="1", name="v1", download_url="file:///etc/passwd")
    with pytest.raises(UpstreamUnavailable, match="is not there"):
        async with way.references.file_of(release, tmp_path, lambda _: None):
            pass
    assert world.asked == []
