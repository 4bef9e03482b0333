"""What is settled for the whole instance."""

from typing import Self

import strawberry

from schema.enums import described
from schema.inputs import optional, partial, translated
from schema.payloads import Payload
from virtool_gql.db.settings import SettingsChanges
from virtool_gql.models import settings as models
from virtool_gql.models.settings import SampleGroup, SoftwareChannel

described(
    SampleGroup,
    "Which group a new sample belongs to.",
    {
        SampleGroup.NONE: "To none, unless its creator says to which.",
        SampleGroup.FORCE_CHOICE: "To the one that its creator must choose.",
        SampleGroup.USERS_PRIMARY_GROUP: "To its creator's primary group, unless its creator says to which.",
    },
)

described(
    SoftwareChannel,
    "Which releases of the software are told.",
    {
        SoftwareChannel.STABLE: "Those that are neither alpha nor beta.",
        SoftwareChannel.BETA: "Those that are not alpha.",
        SoftwareChannel.ALPHA: "All.",
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
    default_source_types: list[str] = strawberry.field(
        description="What the isolates of a new reference can be named by, in lower case."
    )
    hmm_slug: str = strawberry.field(description="The repository on GitHub that profile HMMs come from: `owner/name`.")
    software_channel: SoftwareChannel = strawberry.field(description="Which releases of the software are told.")
    version: int = strawberry.field(description="Counts their changes, for `expectedVersion`; 0 before the first.")

    @classmethod
    def from_document(cls, settings: models.Settings) -> Self:
        return cls(
            minimum_password_length=settings.minimum_password_length,
            sample_group=settings.sample_group,
            sample_group_read=settings.sample_group_read,
            sample_group_write=settings.sample_group_write,
            sample_all_read=settings.sample_all_read,
            sample_all_write=settings.sample_all_write,
            sample_unique_names=settings.sample_unique_names,
            default_source_types=list(settings.default_source_types),
            hmm_slug=settings.hmm_slug,
            software_channel=settings.software_channel,
            version=settings.version,
        )


@strawberry.input(description="What to change of the settings. What is left out stays as it is; nothing can be null.")
class UpdateSettingsInput:
    """What to change of the settings."""

    minimum_password_length: int | None = optional("How many characters a new password must have: from 1 to 100.")
    sample_group: SampleGroup | None = optional("Which group a new sample belongs to.")
    sample_group_read: bool | None = optional("Whether members of its group may read a new sample.")
    sample_group_write: bool | None = optional("Whether members of its group may change a new sample.")
    sample_all_read: bool | None = optional("Whether everybody may read a new sample.")
    sample_all_write: bool | None = optional("Whether everybody may change a new sample.")
    sample_unique_names: bool | None = optional(
        "Whether the names of samples must be unique. Refused while more than one sample has the same name."
    )
    default_source_types: list[str] | None = optional(
        "What the isolates of a new reference can be named by: from 1 to 50, kept once each and in lower case."
    )
    hmm_slug: str | None = optional("The repository on GitHub that profile HMMs come from: `owner/name`.")
    software_channel: SoftwareChannel | None = optional("Which releases of the software are told.")
    expected_version: int | None = optional("Change them only if this is still their version.")

    def changes(self) -> SettingsChanges:
        return partial(
            SettingsChanges,
            minimum_password_length=self.minimum_password_length,
            sample_group=self.sample_group,
            sample_group_read=self.sample_group_read,
            sample_group_write=self.sample_group_write,
            sample_all_read=self.sample_all_read,
            sample_all_write=self.sample_all_write,
            sample_unique_names=self.sample_unique_names,
            default_source_types=translated(self.default_source_types, tuple),
            hmm_slug=self.hmm_slug,
            software_channel=self.software_channel,
        )


@strawberry.type(description="What `updateSettings` answers with.")
class UpdateSettingsPayload(Payload):
    """What `updateSettings` answers with."""

    settings: Settings | None = strawberry.field(default=None, description="The settings as they are now.")
