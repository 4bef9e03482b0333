"""The server, and what is settled for it."""

from enum import StrEnum
from typing import Self

import strawberry

from schema.enums import described
from virtool_gql.models import settings as models


@strawberry.type(description="The server. Anybody may read it.")
class Server:
    """The server."""

    version: str = strawberry.field(description="Its version.")
    setup_required: bool = strawberry.field(
        description="Whether there is no user yet, so that `createFirstUser` works."
    )
    minimum_password_length: int = strawberry.field(description="How many characters a password must have.")


class SampleGroup(StrEnum):
    """Which group a new sample belongs to."""

    NONE = "none"
    FORCE_CHOICE = "force_choice"
    USERS_PRIMARY_GROUP = "users_primary_group"


described(
    SampleGroup,
    "Which group a new sample belongs to.",
    {
        SampleGroup.NONE: "To none, unless its creator says to which.",
        SampleGroup.FORCE_CHOICE: "To the one that its creator must choose.",
        SampleGroup.USERS_PRIMARY_GROUP: "To its creator's primary group.",
    },
)


@strawberry.type(description="What is settled for the whole instance. Everybody who is signed in may read it.")
class Settings:
    """What is settled for the whole instance."""

    minimum_password_length: int = strawberry.field(description="How many characters a password must have.")
    sample_group: SampleGroup = strawberry.field(description="Which group a new sample belongs to.")
    sample_group_read: bool = strawberry.field(description="Whether members of its group may read a new sample.")
    sample_group_write: bool = strawberry.field(description="Whether members of its group may change a new sample.")
    sample_all_read: bool = strawberry.field(description="Whether everybody may read a new sample.")
    sample_all_write: bool = strawberry.field(description="Whether everybody may change a new sample.")
    sample_unique_names: bool = strawberry.field(description="Whether the names of samples must be unique.")

    @classmethod
    def from_document(cls, settings: models.Settings) -> Self:
        return cls(
            minimum_password_length=settings.minimum_password_length,
            sample_group=SampleGroup(settings.sample_group),
            sample_group_read=settings.sample_group_read,
            sample_group_write=settings.sample_group_write,
            sample_all_read=settings.sample_all_read,
            sample_all_write=settings.sample_all_write,
            sample_unique_names=settings.sample_unique_names,
        )
