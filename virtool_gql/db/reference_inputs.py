"""What people tell of a reference, and how it is checked before it is stored."""

from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from virtool_gql.db.names import multi_line, name_key, single_line
from virtool_gql.errors import BadUserInput
from virtool_gql.models.references import (
    ClonedFrom,
    DataType,
    ImportedFrom,
    Release,
    RemotesFrom,
    Target,
    Update,
)

LONGEST_DESCRIPTION = 10_000
LONGEST_TARGET_DESCRIPTION = 1_000
LONGEST_SOURCE_TYPE = 50
MOST_SOURCE_TYPES = 50
MOST_TARGETS = 100
LONGEST_TARGET = 2**31 - 1


class NewReference(msgspec.Struct, frozen=True, kw_only=True):
    """What a reference is made from. `source_types` None are those of the settings.

    From `cloned_from` on it is told by those who fill the reference, never by a person.
    """

    name: str
    description: str = ""
    organism: str = ""
    data_type: DataType = DataType.GENOME
    restrict_source_types: bool = False
    source_types: tuple[str, ...] | None = None
    targets: tuple[Target, ...] = ()
    cloned_from: ClonedFrom | None = None
    imported_from: ImportedFrom | None = None
    remotes_from: RemotesFrom | None = None
    release: Release | None = None
    installed: Update | None = None
    updates: tuple[Update, ...] = ()
    updating: bool = False


class ReferenceChanges(msgspec.Struct, frozen=True, kw_only=True):
    """What is to change of a reference; what is not set stays. Targets are of barcode references alone."""

    name: str | UnsetType = UNSET
    description: str | UnsetType = UNSET
    organism: str | UnsetType = UNSET
    internal_control_id: str | UnsetType | None = UNSET
    restrict_source_types: bool | UnsetType = UNSET
    source_types: tuple[str, ...] | UnsetType = UNSET
    targets: tuple[Target, ...] | UnsetType = UNSET


def cleaned(values: dict[str, Any]) -> dict[str, Any]:
    """Give the values as they are stored; raise BadUserInput for one that is not acceptable."""
    stored = dict(values)
    if "name" in values:
        name = single_line(values["name"], "name", may_be_empty=False)
        stored |= {"name": name, "name_key": name_key(name)}
    if "description" in values:
        stored["description"] = multi_line(values["description"], "description", longest=LONGEST_DESCRIPTION)
    if "organism" in values:
        stored["organism"] = single_line(values["organism"], "organism")
    if "source_types" in values:
        stored["source_types"] = _source_types(values["source_types"])
    if "targets" in values:
        stored["targets"] = _targets(values["targets"])
    return stored


def _source_types(texts: Sequence[str]) -> tuple[str, ...]:
    """Give each source type once, in lower case, in the order in which they were given."""
    if len(texts) > MOST_SOURCE_TYPES:
        raise BadUserInput(f"There are at most {MOST_SOURCE_TYPES} source types.", path=["source_types"])
    lines = (single_line(text, "source_types", longest=LONGEST_SOURCE_TYPE, may_be_empty=False) for text in texts)
    return tuple(dict.fromkeys(line.lower() for line in lines))


def _targets(targets: Sequence[Target]) -> tuple[Target, ...]:
    if len(targets) > MOST_TARGETS:
        raise BadUserInput(f"There are at most {MOST_TARGETS} targets.", path=["targets"])
    stored = tuple(_target(target) for target in targets)
    if len({target.name for target in stored}) < len(stored):
        raise BadUserInput("The targets field may not contain duplicate names.", path=["targets"])
    return stored


def _target(target: Target) -> Target:
    if target.length is not None and not 0 < target.length <= LONGEST_TARGET:
        raise BadUserInput("A target is at least one base long.", path=["targets", "length"])
    description = single_line(target.description, "description", longest=LONGEST_TARGET_DESCRIPTION)
    return Target(
        name=single_line(target.name, "targets", may_be_empty=False),
        description=description,
        required=target.required,
        length=target.length,
    )
