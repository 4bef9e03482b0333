"""What is settled for the whole instance, and what it tells everybody."""

from enum import StrEnum

from virtool_gql.models.documents import Document, Kept, Timestamp
from virtool_gql.query import Order

SETTINGS_ID = "settings"


class SampleGroup(StrEnum):
    """Which group a new sample belongs to."""

    NONE = "none"
    FORCE_CHOICE = "force_choice"
    USERS_PRIMARY_GROUP = "users_primary_group"


class SoftwareChannel(StrEnum):
    """Which releases of the software are told."""

    STABLE = "stable"
    BETA = "beta"
    ALPHA = "alpha"


class Settings(Document, frozen=True, kw_only=True):
    """What an administrator has settled for the whole instance; one document with the id `settings`."""

    kept = Kept("settings")

    minimum_password_length: int = 8
    sample_group: SampleGroup = SampleGroup.NONE
    sample_group_read: bool = True
    sample_group_write: bool = False
    sample_all_read: bool = True
    sample_all_write: bool = False
    sample_unique_names: bool = True
    default_source_types: tuple[str, ...] = ("isolate", "strain")
    hmm_slug: str = "virtool/virtool-hmm"
    software_channel: SoftwareChannel = SoftwareChannel.STABLE


class MessageColor(StrEnum):
    """In which color a message is shown."""

    RED = "red"
    YELLOW = "yellow"
    BLUE = "blue"
    PURPLE = "purple"
    ORANGE = "orange"
    GREY = "grey"


class InstanceMessage(Document, frozen=True, kw_only=True):
    """What an administrator tells everybody. `active_key` is `active` in the one that is shown, else None."""

    kept = Kept(
        "instance_messages",
        in_rows=True,
        unannounced=frozenset({"active_key"}),
        unique=(("active_key",),),
        indexes=((Order("created_at", descending=True),),),
    )

    message: str
    color: MessageColor
    active: bool = True
    active_key: str | None
    user_id: str
    created_at: Timestamp
    updated_at: Timestamp
