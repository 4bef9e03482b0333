"""What people tell of OTUs, isolates and sequences, and how it is checked before it is stored."""

from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType, structs

from virtool_gql.db.names import single_line
from virtool_gql.errors import BadUserInput
from virtool_gql.models.joined import JoinedOTU
from virtool_gql.models.otus import Segment

LONGEST_DEFINITION = 2_000
LONGEST_SEQUENCE = 5_000_000  # twice the genome of the largest virus that is known
MOST_SEGMENTS = 100

MOST_ISOLATES = 1_000
MOST_SEQUENCES = 5_000
MOST_BASES = 20_000_000
"""How much there can be in one OTU, which is read whole for each change: many times what is in any that is known."""

ALPHABET = b"ACGTURYSWKMBDHVN"
CAPITALS = bytes(range(256)).upper()


class NewOTU(msgspec.Struct, frozen=True, kw_only=True):
    """What an OTU is created from."""

    name: str
    abbreviation: str = ""
    schema: tuple[Segment, ...] = ()


class OTUChanges(msgspec.Struct, frozen=True, kw_only=True):
    """What is to change of an OTU; what is not set stays."""

    name: str | UnsetType = UNSET
    abbreviation: str | UnsetType = UNSET
    schema: tuple[Segment, ...] | UnsetType = UNSET


class NewIsolate(msgspec.Struct, frozen=True, kw_only=True):
    """What an isolate is created from; the first one of an OTU is the default one anyway."""

    source_type: str = ""
    source_name: str = ""
    default: bool = False


class IsolateChanges(msgspec.Struct, frozen=True, kw_only=True):
    """What is to change of an isolate; what is not set stays."""

    source_type: str | UnsetType = UNSET
    source_name: str | UnsetType = UNSET


class NewSequence(msgspec.Struct, frozen=True, kw_only=True):
    """What a sequence is created from."""

    accession: str
    definition: str
    sequence: str
    host: str | None = ""
    segment: str | None = None
    target: str | None = None


class SequenceChanges(msgspec.Struct, frozen=True, kw_only=True):
    """What is to change of a sequence; what is not set stays. None takes the segment or the target away."""

    accession: str | UnsetType = UNSET
    definition: str | UnsetType = UNSET
    sequence: str | UnsetType = UNSET
    host: str | UnsetType | None = UNSET
    segment: str | UnsetType | None = UNSET
    target: str | UnsetType | None = UNSET


def cleaned_otu(values: dict[str, Any]) -> dict[str, Any]:
    """Give the values of an OTU as they are stored; raise BadUserInput for one that is not acceptable."""
    stored = dict(values)
    if "name" in values:
        stored["name"] = single_line(values["name"], "name", may_be_empty=False)
    if "abbreviation" in values:
        stored["abbreviation"] = single_line(values["abbreviation"], "abbreviation")
    if "schema" in values:
        stored["schema"] = cleaned_schema(values["schema"])
    return stored


def too_large(otu: JoinedOTU) -> str | None:
    """Say of what an OTU has more than it may."""
    lengths = [len(sequence.sequence) for isolate in otu.isolates for sequence in isolate.sequences]
    for count, most, noun in (
        (len(otu.isolates), MOST_ISOLATES, "isolates"),
        (len(lengths), MOST_SEQUENCES, "sequences"),
        (sum(lengths), MOST_BASES, "bases"),
    ):
        if count > most:
            return f"An OTU has at most {most:,} {noun}; this one would have {count:,}."
    return None


def check_size(otu: JoinedOTU) -> None:
    fault = too_large(otu)
    if fault is not None:
        raise BadUserInput(fault)


def cleaned_schema(segments: Sequence[Segment]) -> tuple[Segment, ...]:
    """Give a schema as it is stored: segments whose names are not empty, and each another one."""
    if len(segments) > MOST_SEGMENTS:
        raise BadUserInput(f"A schema has at most {MOST_SEGMENTS} segments.", path=["schema"])
    cleaned = tuple(structs.replace(segment, name=_segment_name(segment.name)) for segment in segments)
    if len({segment.name for segment in cleaned}) < len(cleaned):
        raise BadUserInput("Segment names must be unique.", path=["schema"])
    return cleaned


def _segment_name(text: str) -> str:
    try:
        return single_line(text, "name", may_be_empty=False)
    except BadUserInput as error:
        raise BadUserInput(error.message, path=["schema", "name"]) from error


def cleaned_isolate(values: dict[str, Any]) -> dict[str, Any]:
    """Give the values of an isolate as they are stored: a type of source in small letters."""
    stored = dict(values)
    if "source_type" in values:
        stored["source_type"] = single_line(values["source_type"], "source_type").lower()
    if "source_name" in values:
        stored["source_name"] = single_line(values["source_name"], "source_name")
    return stored


def cleaned_sequence(values: dict[str, Any]) -> dict[str, Any]:
    """Give the values of a sequence as they are stored; raise BadUserInput for one that is not acceptable."""
    stored = dict(values)
    if "accession" in values:
        stored["accession"] = single_line(values["accession"], "accession", may_be_empty=False)
    if "definition" in values:
        stored["definition"] = single_line(
            values["definition"], "definition", longest=LONGEST_DEFINITION, may_be_empty=False
        )
    for field in {"host", "segment", "target"} & values.keys():
        stored[field] = None if values[field] is None else single_line(values[field], field)
    for field in {"segment", "target"} & values.keys():
        stored[field] = stored[field] or None
    if "sequence" in values:
        stored["sequence"] = cleaned_bases(values["sequence"])
    return stored


def cleaned_bases(text: str) -> str:
    """Give a sequence as it is stored: without whitespace, IUPAC codes in capitals, and not empty."""
    bases, fault = bases_of(text)
    if fault is not None:
        raise BadUserInput(fault, path=["sequence"])
    if not bases:
        raise BadUserInput("A value is needed for sequence.", path=["sequence"])
    if len(bases) > LONGEST_SEQUENCE:
        message = f"The sequence has {len(bases)} bases; at most {LONGEST_SEQUENCE} are allowed."
        raise BadUserInput(message, path=["sequence"])
    return bases


def bases_of(text: str) -> tuple[str, str | None]:
    """Give a text without whitespace and in capitals, and what is wrong with it as a sequence."""
    written = "".join(text.split())
    bases = written.encode("ascii", "replace").translate(CAPITALS)
    wrong = bases.translate(None, ALPHABET)
    if not wrong:
        return bases.decode(), None
    position = bases.index(wrong[0])
    character = written[position]
    shown = character if character.isprintable() else f"U+{ord(character):04X}"
    allowed = ALPHABET.decode()
    return (
        written,
        f"The sequence has “{shown}” at position {position + 1}; only the IUPAC codes {allowed} are allowed.",
    )
