"""Releases as GitHub and manifests tell of them."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec
from msgspec import structs

from virtool_gql.db.versions import OLDEST, is_newer, version_of
from virtool_gql.errors import UpstreamUnavailable
from virtool_gql.models.documents import Timestamp, timestamp
from virtool_gql.models.references import Release, Update

LONGEST_BODY = 10_000


class Asset(msgspec.Struct, frozen=True, kw_only=True):
    """A file of a release on GitHub."""

    name: str = ""
    size: int = 0
    browser_download_url: str = ""
    content_type: str | None = None


class GitHubRelease(msgspec.Struct, frozen=True, kw_only=True):
    """A release as GitHub's API tells of it."""

    id: int | str
    tag_name: str = ""
    name: str | None = None
    body: str | None = None
    html_url: str = ""
    published_at: str | None = None
    draft: bool = False
    prerelease: bool = False
    assets: list[Asset] = msgspec.field(default_factory=list)


class ManifestItem(msgspec.Struct, frozen=True, kw_only=True):
    """A release as a manifest tells of it."""

    id: int | str
    name: str
    body: str | None = None
    content_type: str | None = None
    download_url: str = ""
    filename: str = ""
    html_url: str | None = None
    prerelease: bool = False
    published_at: str | None = None
    size: int = 0


def of_github(release: GitHubRelease, *, etag: str = "", needs_asset: bool = True) -> Release | None:
    """Give a release with its first asset; None when it has none, and without one is of no use."""
    if release.draft or (needs_asset and not release.assets):
        return None
    asset = release.assets[0] if release.assets else Asset()
    return Release(
        id=str(release.id),
        name=_name(release),
        body=(release.body or "")[:LONGEST_BODY],
        etag=etag,
        filename=asset.name,
        size=max(asset.size, 0),
        html_url=release.html_url,
        download_url=asset.browser_download_url,
        content_type=asset.content_type or "",
        published_at=_moment(release.published_at),
        prerelease=release.prerelease,
    )


def _name(release: GitHubRelease) -> str:
    """Give the title, or the tag where the title is none or that alone tells the version."""
    title = (release.name or "").strip()
    if title and (version_of(title) or not version_of(release.tag_name)):
        return title
    return release.tag_name or title


def of_manifest(item: ManifestItem, *, etag: str = "") -> Release:
    return Release(
        id=str(item.id),
        name=item.name,
        body=(item.body or "")[:LONGEST_BODY],
        etag=etag,
        filename=item.filename,
        size=max(item.size, 0),
        html_url=item.html_url or "",
        download_url=item.download_url,
        content_type=item.content_type or "",
        published_at=_moment(item.published_at),
        prerelease=item.prerelease,
    )


def listed(manifest: Any, name: str) -> list[Release] | None:
    """Give what a manifest lists under a name, newest first; None when it has no such list.

    A manifest is an object with a list for each name. One that is a list is of one thing alone, whatever its name.
    """
    items = manifest.get(name) if isinstance(manifest, Mapping) else manifest
    if not isinstance(items, list):
        return None
    try:
        return newest_first(of_manifest(item) for item in msgspec.convert(items, list[ManifestItem]))
    except msgspec.ValidationError:
        raise UpstreamUnavailable("The manifest of releases cannot be read") from None


def newest_first(releases: Iterable[Release]) -> list[Release]:
    return sorted(releases, key=lambda release: version_of(release.name) or OLDEST, reverse=True)


def latest_of(releases: Iterable[Release]) -> Release | None:
    """Give the first that is no pre-release, as GitHub does."""
    return next((release for release in releases if not release.prerelease), None)


def compared(release: Release | None, installed: Update | None) -> Release | None:
    """Give a release with whether it is newer than what is installed; than nothing everything is."""
    if release is None:
        return None
    return structs.replace(release, newer=installed is None or is_newer(release.name, installed.name))


def update_to(release: Release, user_id: str, at: Timestamp) -> Update:
    """Give the installation of a release, which is not there yet."""
    return Update(
        id=release.id,
        name=release.name,
        body=release.body,
        filename=release.filename,
        size=release.size,
        html_url=release.html_url,
        published_at=release.published_at,
        newer=release.newer,
        user_id=user_id,
        created_at=at,
    )


def _moment(text: str | None) -> Timestamp | None:
    """Give a moment as we write it; None for what is none."""
    try:
        moment = datetime.fromisoformat(text or "")
    except ValueError:
        return None
    try:
        return timestamp(moment if moment.tzinfo else moment.replace(tzinfo=UTC))
    except (OverflowError, ValueError):
        return None


def finished(updates: tuple[Update, ...]) -> tuple[Update, ...]:
    """Give the updates with the last one ready."""
    return (*updates[:-1], structs.replace(updates[-1], ready=True))
