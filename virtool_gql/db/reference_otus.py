"""The OTUs of a reference file: one after the other checked, and made joined OTUs."""

import re
from collections import Counter
from dataclasses import dataclass

from msgspec import structs

from virtool_gql.db.otu_inputs import LONGEST_DEFINITION, LONGEST_SEQUENCE, MOST_SEGMENTS, bases_of, too_large
from virtool_gql.db.reference_fields import Part, shown
from virtool_gql.models.joined import JoinedIsolate, JoinedOTU, JoinedSequence, isolate_name, issues_of
from virtool_gql.models.otus import Isolate, Molecule, Segment
from virtool_gql.models.references import DataType

ISOLATE_ID = re.compile(r"[0-9A-Za-z-]{1,64}")
MOLECULES = {molecule.lower(): molecule for molecule in Molecule}


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What the rest of the file says of how its OTUs must be."""

    strict: bool
    data_type: DataType
    targets: frozenset[str]


def otu_of(part: Part, rules: Rules) -> JoinedOTU:
    """Read an OTU; when anything is wrong with it, what is given counts for nothing but finding what else is wrong."""
    part.otu_id, part.otu_name = part.label("_id"), part.label("name")
    id = id_of(part, "_id", strict=rules.strict)
    name = part.line("name", required=True, may_be_empty=False)
    schema = _schema(part)
    isolates = tuple(_isolate(each, schema, rules) for each in part.parts("isolates", required=True))
    _check_isolates(part, isolates)
    _verify(part, isolates)
    otu = JoinedOTU(
        id=id or "",
        version=0,
        name=name or "",
        abbreviation=part.line("abbreviation") or "",
        schema=schema,
        isolates=_with_one_default(part, isolates),
        remote_id=id,
    )
    fault = too_large(otu)
    if fault is not None:
        part.wrong(fault)
    return otu


def id_of(part: Part, key: str, *, strict: bool) -> str | None:
    """Give an id, which may be missing but never empty."""
    return part.line(key, required=strict, may_be_empty=False)


def _schema(part: Part) -> tuple[Segment, ...]:
    segments = tuple(_segment(each) for each in part.parts("schema"))
    if len(segments) > MOST_SEGMENTS:
        part.wrong(f"The schema has {len(segments):,} segments; at most {MOST_SEGMENTS} are allowed.")
    for name, count in Counter(segment.name for segment in segments if segment.name).items():
        if count > 1:
            part.wrong(f"The schema has {count} segments of the name “{name}”; segment names must be unique.")
    return segments


def _segment(part: Part) -> Segment:
    name = part.line("name", required=True, may_be_empty=False) or ""
    return Segment(name=name, molecule=_molecule(part), required=part.flag("required", default=True))


def _molecule(part: Part) -> Molecule | None:
    text = part.line("molecule")
    if not text:
        return None
    molecule = MOLECULES.get(text.lower())
    if molecule is None:
        part.wrong(f"{part.at('molecule')} is {shown(text)}, but there are only {', '.join(Molecule)}.")
    elif molecule != text:
        part.odd(f"{part.at('molecule')} was {shown(text)}; it is {molecule} now.")
    return molecule


def _isolate(part: Part, schema: tuple[Segment, ...], rules: Rules) -> JoinedIsolate:
    source_type = part.line("source_type", required=True) or ""
    source_name = part.line("source_name", required=True) or ""
    name = isolate_name(source_type, source_name)
    segments = frozenset(segment.name for segment in schema)
    sequences = tuple(_sequence(each, name, segments, rules) for each in part.parts("sequences", required=True))
    _check_segments(part, name, schema, sequences)
    _check_targets(part, name, sequences)
    return JoinedIsolate(
        id=_isolate_id(part, strict=rules.strict),
        source_type=source_type.lower(),
        source_name=source_name,
        default=part.flag("default"),
        sequences=sequences,
    )


def _isolate_id(part: Part, *, strict: bool) -> str:
    """Give the id; nothing for one that is missing or cannot be kept."""
    id = id_of(part, "id", strict=strict)
    if id is None or ISOLATE_ID.fullmatch(id):
        return id or ""
    if strict:
        part.wrong(f"{part.at('id')} is {shown(id)}; only letters, digits and hyphens are allowed.")
    else:
        part.odd(f"{part.at('id')} is {shown(id)}, which cannot be kept; the isolate was given a new id.")
    return ""


def _sequence(part: Part, isolate: str, segments: frozenset[str], rules: Rules) -> JoinedSequence:
    id = id_of(part, "_id", strict=rules.strict)
    accession = part.line("accession", required=True) or ""
    if not accession:
        part.odd(f"{part.at('accession')} is empty.")
    sequence = JoinedSequence(
        id=id or "",
        accession=accession,
        definition=part.line("definition", required=True, longest=LONGEST_DEFINITION) or "",
        host=part.line("host") if part.gives("host") else "",
        segment=part.line("segment") or None,
        target=part.line("target") or None,
        sequence=_bases(part, accession),
        remote_id=id,
    )
    if sequence.segment and sequence.segment not in segments:
        part.odd(
            f"The sequence {accession} of {isolate} has the segment “{sequence.segment}”, which is not in the schema."
        )
    _check_target(part, isolate, sequence, rules)
    return sequence


def _bases(part: Part, accession: str) -> str:
    text = part.text("sequence")
    if text is None:
        return ""
    bases, fault = bases_of(text)
    if fault is not None:
        part.wrong(f"{part.at('sequence')} ({accession}): {fault}")
    elif len(bases) > LONGEST_SEQUENCE:
        part.wrong(f"The sequence {accession} has {len(bases):,} bases; at most {LONGEST_SEQUENCE:,} are allowed.")
    elif bases != text:
        part.odd(f"The sequence {accession} had small letters or white space; it has capitals alone now.")
    return bases


def _check_segments(
    part: Part, isolate: str, schema: tuple[Segment, ...], sequences: tuple[JoinedSequence, ...]
) -> None:
    there = {sequence.segment for sequence in sequences}
    missing = [segment.name for segment in schema if segment.required and segment.name not in there]
    if missing and sequences:
        part.odd(f"{isolate} lacks the required segments {', '.join(missing)}.")


def _check_target(part: Part, isolate: str, sequence: JoinedSequence, rules: Rules) -> None:
    if rules.data_type is not DataType.BARCODE:
        return
    if sequence.target is None:
        part.odd(f"The sequence {sequence.accession} of {isolate} has no target.")
    elif sequence.target not in rules.targets:
        part.wrong(f"Target {sequence.target} is not defined for the parent reference ({sequence.accession}).")


def _check_targets(part: Part, isolate: str, sequences: tuple[JoinedSequence, ...]) -> None:
    for target, count in Counter(sequence.target for sequence in sequences if sequence.target).items():
        if count > 1:
            part.odd(f"{isolate} has {count} sequences of the target {target}.")


def _check_isolates(part: Part, isolates: tuple[JoinedIsolate, ...]) -> None:
    if not isolates:
        part.wrong("The OTU is empty: it has no isolates.")
    elif not any(isolate.sequences for isolate in isolates):
        part.wrong("The OTU is empty: none of its isolates has a sequence.")
    for id, count in Counter(isolate.id for isolate in isolates if isolate.id).items():
        if count > 1:
            part.wrong(f"{count} isolates have the id {id}.")


def _verify(part: Part, isolates: tuple[JoinedIsolate, ...]) -> None:
    """Warn of what will keep the OTU out of an index."""
    names = [isolate_name(isolate.source_type, isolate.source_name) for isolate in isolates]
    rows = [Isolate(id=str(i), sequence_ids=("",) * len(each.sequences)) for i, each in enumerate(isolates)]
    issues = issues_of(rows)
    if issues is not None and not issues.empty_otu:
        for row in issues.empty_isolate:
            part.odd(f"{names[int(row)]} has no sequences.")
        if issues.isolate_inconsistency:
            part.odd("The isolates have different numbers of sequences.")
    for isolate, name in zip(isolates, names, strict=True):
        for sequence in isolate.sequences:
            if not sequence.sequence:
                part.odd(f"The sequence {sequence.accession} of {name} has no bases.")


def _with_one_default(part: Part, isolates: tuple[JoinedIsolate, ...]) -> tuple[JoinedIsolate, ...]:
    """Give the isolates with exactly one default one: the first of several, or of all."""
    defaults = [number for number, isolate in enumerate(isolates) if isolate.default]
    if len(defaults) == 1 or not isolates:
        return isolates
    first = defaults[0] if defaults else 0
    count = len(defaults) or "None"
    name = isolate_name(isolates[first].source_type, isolates[first].source_name)
    part.odd(f"{count} of the isolates were the default one; it is {name} alone now.")
    return tuple(structs.replace(isolate, default=number == first) for number, isolate in enumerate(isolates))
