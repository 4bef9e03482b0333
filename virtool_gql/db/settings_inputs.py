"""What administrators settle, and how it is checked before it is stored."""

from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from virtool_gql.db.names import single_line
from virtool_gql.db.updates import to_values
from virtool_gql.errors import BadUserInput
from virtool_gql.models.settings import SampleGroup, SoftwareChannel
from virtool_gql.setting_values import SLUG

# No password is empty, and one that nobody can be expected to type would lock everybody out.
SHORTEST_MINIMUM, LONGEST_MINIMUM = 1, 100

MOST_SOURCE_TYPES = 50
LONGEST_SOURCE_TYPE = 50


class SettingsChanges(msgspec.Struct, frozen=True, kw_only=True):
    """What is to change of the settings; what is not set stays."""

    minimum_password_length: int | UnsetType = UNSET
    sample_group: SampleGroup | UnsetType = UNSET
    sample_group_read: bool | UnsetType = UNSET
    sample_group_write: bool | UnsetType = UNSET
    sample_all_read: bool | UnsetType = UNSET
    sample_all_write: bool | UnsetType = UNSET
    sample_unique_names: bool | UnsetType = UNSET
    default_source_types: tuple[str, ...] | UnsetType = UNSET
    hmm_slug: str | UnsetType = UNSET
    software_channel: SoftwareChannel | UnsetType = UNSET


def cleaned(changes: SettingsChanges) -> dict[str, Any]:
    """Give the values that are set, as they are stored; raise BadUserInput for one that is not acceptable."""
    values = to_values(changes)
    if "minimum_password_length" in values:
        _check_minimum(values["minimum_password_length"])
    if "default_source_types" in values:
        values["default_source_types"] = _source_types(values["default_source_types"])
    if "hmm_slug" in values:
        values["hmm_slug"] = _slug(values["hmm_slug"])
    return values


def _check_minimum(length: int) -> None:
    if not SHORTEST_MINIMUM <= length <= LONGEST_MINIMUM:
        message = f"The minimum length of a password is a number from {SHORTEST_MINIMUM} to {LONGEST_MINIMUM}."
        raise BadUserInput(message, path=["minimum_password_length"])


def _source_types(texts: Sequence[str]) -> tuple[str, ...]:
    """Give each source type once, in lower case; of the order nothing is lost."""
    field = "default_source_types"
    if not 1 <= len(texts) <= MOST_SOURCE_TYPES:
        raise BadUserInput(f"There are from 1 to {MOST_SOURCE_TYPES} default source types.", path=[field])
    lines = (single_line(text, field, longest=LONGEST_SOURCE_TYPE, may_be_empty=False) for text in texts)
    return tuple(dict.fromkeys(line.lower() for line in lines))


def _slug(text: str) -> str:
    slug = single_line(text, "hmm_slug")
    if not SLUG.fullmatch(slug):
        raise BadUserInput("A repository of HMMs is named as on GitHub: owner/name.", path=["hmm_slug"])
    return slug
