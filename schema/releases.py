"""Releases of what others publish, and what was installed of them."""

from typing import Self

import strawberry

from schema.relations import related
from schema.scalars import Long
from schema.users import User
from virtool_gql.models import references as models
from virtool_gql.models.documents import Timestamp


@strawberry.type(description="One published release, as its publisher told of it last.")
class Release:
    """One published release."""

    release_id: str = strawberry.field(description="Its id where it is published; not unique here.")
    name: str = strawberry.field(description="Its name, like `v1.4.0`.")
    body: str = strawberry.field(description="What is told of it, as Markdown.")
    filename: str = strawberry.field(description="The name of its file.")
    size: Long = strawberry.field(description="How many bytes the file has.")
    html_url: str = strawberry.field(description="The page that tells of it.")
    download_url: str = strawberry.field(description="Where its file is.")
    published_at: Timestamp | None = strawberry.field(description="When it was published.")
    retrieved_at: Timestamp | None = strawberry.field(description="When this was last asked for.")
    newer: bool = strawberry.field(description="Whether it is newer than what is installed.")

    @classmethod
    def from_document(cls, release: models.Release) -> Self:
        return cls(
            release_id=release.id,
            name=release.name,
            body=release.body,
            filename=release.filename,
            size=Long(release.size),
            html_url=release.html_url,
            download_url=release.download_url,
            published_at=release.published_at,
            retrieved_at=release.retrieved_at,
            newer=release.newer,
        )


@strawberry.type(description="One installation of a release.")
class Installation:
    """One installation of a release."""

    release_id: str = strawberry.field(description="The id of the release where it is published; not unique here.")
    name: str = strawberry.field(description="The name of the release, like `v1.4.0`.")
    body: str = strawberry.field(description="What is told of the release, as Markdown.")
    filename: str = strawberry.field(description="The name of its file.")
    size: Long = strawberry.field(description="How many bytes the file has.")
    html_url: str = strawberry.field(description="The page that tells of it.")
    published_at: Timestamp | None = strawberry.field(description="When the release was published.")
    newer: bool = strawberry.field(description="Whether it was newer than what was installed before.")
    ready: bool = strawberry.field(description="Whether all of it is there.")
    created_at: Timestamp = strawberry.field(description="When it was asked for.")
    user_id: strawberry.Private[str]

    user = related("user", "user_id", User, "Who asked for it.")

    @classmethod
    def from_document(cls, update: models.Update) -> Self:
        return cls(
            release_id=update.id,
            name=update.name,
            body=update.body,
            filename=update.filename,
            size=Long(update.size),
            html_url=update.html_url,
            published_at=update.published_at,
            newer=update.newer,
            ready=update.ready,
            created_at=update.created_at,
            user_id=update.user_id,
        )
