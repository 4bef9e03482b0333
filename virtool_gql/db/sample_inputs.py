"""What people tell of a sample, and how it is checked before it is stored."""

from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from virtool_gql.db.names import comparable, multi_line, single_line
from virtool_gql.errors import BadUserInput
from virtool_gql.models.samples import LibraryType

LONGEST_NOTES = 10_000
MOST_LINKS = 100  # labels of one sample, and subtractions


class NewSample(msgspec.Struct, frozen=True, kw_only=True):
    """What a sample is created from. `file_ids` are one or two uploads of the type reads."""

    name: str
    file_ids: tuple[str, ...]
    library_type: LibraryType = LibraryType.NORMAL
    host: str = ""
    isolate: str = ""
    locale: str = ""
    notes: str = ""
    label_ids: tuple[str, ...] = ()
    subtraction_ids: tuple[str, ...] = ()
    group_id: str | None = None


class SampleChanges(msgspec.Struct, frozen=True, kw_only=True):
    """What is to change of a sample; what is not set stays."""

    name: str | UnsetType = UNSET
    library_type: LibraryType | UnsetType = UNSET
    host: str | UnsetType = UNSET
    isolate: str | UnsetType = UNSET
    locale: str | UnsetType = UNSET
    notes: str | UnsetType = UNSET
    label_ids: tuple[str, ...] | UnsetType = UNSET
    subtraction_ids: tuple[str, ...] | UnsetType = UNSET


class RightsChanges(msgspec.Struct, frozen=True, kw_only=True):
    """What is to change of a sample's rights; what is not set stays. `group_id` None takes the group away."""

    group_id: str | UnsetType | None = UNSET
    group_read: bool | UnsetType = UNSET
    group_write: bool | UnsetType = UNSET
    all_read: bool | UnsetType = UNSET
    all_write: bool | UnsetType = UNSET


def cleaned(values: dict[str, Any], *, unique_names: bool) -> dict[str, Any]:
    """Give the values as they are stored; raise BadUserInput for one that is not acceptable."""
    stored = dict(values)
    if "name" in values:
        name = single_line(values["name"], "name", may_be_empty=False)
        stored |= {"name": name, "unique_key": comparable(name) if unique_names else None}
    for field in {"host", "isolate", "locale"} & values.keys():
        stored[field] = single_line(values[field], field)
    if "notes" in values:
        stored["notes"] = multi_line(values["notes"], "notes", longest=LONGEST_NOTES)
    for field in ("label_ids", "subtraction_ids"):
        if field in values:
            stored[field] = linked(values[field], field)
    return stored


def linked(ids: Sequence[str], field: str) -> tuple[str, ...]:
    """Give the ids of labels or subtractions as they are stored: each once."""
    once = tuple(dict.fromkeys(ids))
    if len(once) > MOST_LINKS:
        raise BadUserInput(f"At most {MOST_LINKS} ids can be given.", path=[field])
    return once
