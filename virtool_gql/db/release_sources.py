"""Where releases are told and where their files are: GitHub, a manifest at a URL, or a manifest on this machine."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any, BinaryIO, Protocol, cast
from urllib.parse import urljoin, urlsplit

import msgspec
from msgspec import structs

from virtool_gql import http
from virtool_gql.db.releases import GitHubRelease, latest_of, listed, newest_first, of_github
from virtool_gql.errors import UpstreamUnavailable
from virtool_gql.executors import run_in_thread
from virtool_gql.http import BRIEF, Answer, Client, Patience
from virtool_gql.http.answers import NOT_FOUND, NOT_MODIFIED, OK
from virtool_gql.models.documents import Clock
from virtool_gql.models.references import Release
from virtool_gql.setting_values import GITHUB

GITHUB_HEADERS = {"accept": "application/vnd.github.v3+json"}
MOST_LISTED = 30

Progress = Callable[[float], None]
Releases = list[Release]


class Refused(UpstreamUnavailable):
    """Whoever was asked has answered, and nothing that can be used."""


class NotPublished(Refused):
    """There is no such repository, or no such release of it."""

    def __init__(self, message: str = "GitHub repository or release does not exist") -> None:
        super().__init__(message)


class Source(Protocol):
    """Tells of the releases of repositories, which are named as on GitHub: `owner/name`.

    All raise UpstreamUnavailable when there is no telling, and NotPublished when it is told that there is nothing.
    """

    async def latest(self, slug: str, known: Release | None = None, patience: Patience = BRIEF) -> Release | None:
        """Give the latest release that has a file; None when it has none. `known` is what was told last."""

    async def releases(
        self, slug: str, known: Release | None = None, patience: Patience = BRIEF
    ) -> list[Release] | None:
        """Give the latest releases, newest first, with pre-releases; None when nothing is new since `known`."""

    async def release(self, slug: str, id: str, patience: Patience = BRIEF) -> Release | None:
        """Give one release; None when it has no file."""

    def file_of(self, release: Release, folder: Path, progress: Progress) -> AbstractAsyncContextManager[Path]:
        """Have the file of a release while the block lasts; what is downloaded for it takes room in the folder."""


@dataclass(frozen=True, slots=True)
class GitHub:
    """GitHub's API. The token is for it alone, and not for where the files are."""

    client: Client
    clock: Clock
    url: str
    token: str | None = None

    async def latest(self, slug: str, known: Release | None = None, patience: Patience = BRIEF) -> Release | None:
        answer = await self._asked(f"/repos/{slug}/releases/latest", known, patience)
        if answer.status == NOT_MODIFIED and known is not None:
            return structs.replace(known, retrieved_at=self.clock())
        return self._retrieved(of_github(_json(answer, GitHubRelease), etag=_etag(answer)))

    async def releases(
        self, slug: str, known: Release | None = None, patience: Patience = BRIEF
    ) -> list[Release] | None:
        answer = await self._asked(f"/repos/{slug}/releases?per_page={MOST_LISTED}", known, patience)
        if answer.status == NOT_MODIFIED:
            return None
        told = _json(answer, list[GitHubRelease])
        found = (of_github(release, etag=_etag(answer), needs_asset=False) for release in told)
        return newest_first(release for release in map(self._retrieved, found) if release is not None)

    async def release(self, slug: str, id: str, patience: Patience = BRIEF) -> Release | None:
        if not (id.isascii() and id.isdigit()):
            raise NotPublished
        answer = await self._asked(f"/repos/{slug}/releases/{id}", None, patience)
        return self._retrieved(of_github(_json(answer, GitHubRelease)))

    @asynccontextmanager
    async def file_of(self, release: Release, folder: Path, progress: Progress) -> AsyncIterator[Path]:
        async with _downloaded(self.client, "GitHub", release, folder, progress) as path:
            yield path

    async def _asked(self, path: str, known: Release | None, patience: Patience) -> Answer:
        headers = GITHUB_HEADERS | ({"authorization": f"Bearer {self.token}"} if self.token else {})
        if known is not None and known.etag:
            headers["if-none-match"] = known.etag
        answer = await self.client.get(f"{self.url}{path}", "GitHub", headers=headers, patience=patience)
        if answer.status == NOT_FOUND:
            raise NotPublished
        if answer.status not in {OK, NOT_MODIFIED}:
            raise Refused(f"Encountered error {answer.status}")
        return answer

    def _retrieved(self, release: Release | None) -> Release | None:
        return None if release is None else structs.replace(release, retrieved_at=self.clock())


@dataclass(frozen=True, slots=True)
class Manifest:
    """A manifest at a URL, beside which files may be."""

    client: Client
    clock: Clock
    url: str

    async def latest(self, slug: str, known: Release | None = None, patience: Patience = BRIEF) -> Release | None:
        told = await self.releases(slug, known, patience)
        if told is None:
            return None if known is None else structs.replace(known, retrieved_at=self.clock())
        return latest_of(told)

    async def releases(
        self, slug: str, known: Release | None = None, patience: Patience = BRIEF
    ) -> list[Release] | None:
        headers = {"if-none-match": known.etag} if known is not None and known.etag else {}
        answer = await self.client.get(self.url, self._host, headers=headers, patience=patience)
        if answer.status == NOT_MODIFIED:
            return None
        if answer.status != OK:
            raise Refused(f"Encountered error {answer.status}")
        at = self.clock()
        return [
            structs.replace(
                release, retrieved_at=at, etag=_etag(answer), download_url=urljoin(self.url, release.download_url)
            )
            for release in _listed(_json(answer, Any), slug)
        ]

    async def release(self, slug: str, id: str, patience: Patience = BRIEF) -> Release | None:
        return _of_id(await self.releases(slug, None, patience), id)

    @asynccontextmanager
    async def file_of(self, release: Release, folder: Path, progress: Progress) -> AsyncIterator[Path]:
        async with _downloaded(self.client, self._host, release, folder, progress) as path:
            yield path

    @property
    def _host(self) -> str:
        return urlsplit(self.url).hostname or "the host of releases"


@dataclass(frozen=True, slots=True)
class Shelf:
    """A manifest on this machine, and the files beside it: for a machine without internet."""

    client: Client
    clock: Clock
    path: Path

    async def latest(self, slug: str, known: Release | None = None, patience: Patience = BRIEF) -> Release | None:
        return latest_of(await self.releases(slug, known, patience))

    async def releases(self, slug: str, known: Release | None = None, patience: Patience = BRIEF) -> list[Release]:
        del known, patience  # a file answers at once
        try:
            content = await run_in_thread(self.path.read_bytes)
            manifest = msgspec.json.decode(content)
        except (OSError, msgspec.DecodeError):
            raise UpstreamUnavailable("The manifest of releases cannot be read") from None
        return [structs.replace(release, retrieved_at=self.clock()) for release in _listed(manifest, slug)]

    async def release(self, slug: str, id: str, patience: Patience = BRIEF) -> Release | None:
        return _of_id(await self.releases(slug, None, patience), id)

    @asynccontextmanager
    async def file_of(self, release: Release, folder: Path, progress: Progress) -> AsyncIterator[Path]:
        if urlsplit(release.download_url).scheme in {"http", "https"}:
            async with _downloaded(self.client, "the host of releases", release, folder, progress) as path:
                yield path
            return
        yield await run_in_thread(self._beside, release)

    def _beside(self, release: Release) -> Path:
        """Give the file that the manifest names, which lies in the manifest's folder or below it."""
        folder = self.path.parent.resolve()
        path = (folder / (release.download_url or release.filename)).resolve()
        if not (path.is_relative_to(folder) and path.is_file()):
            raise UpstreamUnavailable(f"The file of the release {release.name} is not there")
        return path


def source_of(setting: str, client: Client, clock: Clock, github_url: str, token: str | None) -> Source:
    """Give the source that a setting names."""
    if setting == GITHUB:
        return GitHub(client, clock, github_url, token)
    if "://" in setting:
        return Manifest(client, clock, setting)
    return Shelf(client, clock, Path(setting))


def _json(answer: Answer, type: Any) -> Any:
    try:
        return answer.json(type)
    except ValueError:
        raise Refused("What is told of releases cannot be read") from None


def _etag(answer: Answer) -> str:
    return answer.headers.get("etag", "")[:200]


def _listed(manifest: Any, slug: str) -> list[Release]:
    name = slug.partition("/")[2]
    told = listed(manifest, name)
    if told is None:
        raise NotPublished(f"The manifest of releases has none of {name}")
    return told


def _of_id(told: list[Release] | None, id: str) -> Release:
    for release in told or ():
        if release.id == id:
            return release
    raise NotPublished("Target release does not exist")


def _nameless(folder: Path) -> BinaryIO:
    return cast("BinaryIO", TemporaryFile(dir=folder))


@asynccontextmanager
async def _downloaded(
    client: Client, upstream: str, release: Release, folder: Path, progress: Progress
) -> AsyncIterator[Path]:
    """Have the file on the disk while the block lasts; it has no name there, so whoever is killed leaves nothing."""
    if urlsplit(release.download_url).scheme not in {"http", "https"}:
        raise UpstreamUnavailable(f"The file of the release {release.name} is not there")
    file = await run_in_thread(_nameless, folder)
    try:
        await http.download(client, release.download_url, file, upstream, size=release.size, progress=progress)
        yield Path(f"/proc/self/fd/{file.fileno()}")
    finally:
        await run_in_thread(file.close)
