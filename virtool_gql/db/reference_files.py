"""The file format of references, `reference.json.gz`: read and checked, and written."""

from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from virtool_gql.db.names import name_key
from virtool_gql.db.reference_fields import Part, shown
from virtool_gql.db.reference_findings import Findings
from virtool_gql.db.reference_inputs import LONGEST_TARGET_DESCRIPTION, MOST_TARGETS
from virtool_gql.db.reference_otus import Rules, otu_of
from virtool_gql.models.joined import JoinedOTU
from virtool_gql.models.references import DataType, Target
from virtool_gql.models.tasks import Problem

TELL_EACH = 100
"""After how many OTUs it is told how far the reading is."""

Tell = Callable[[float], None]


class ReferenceFile(msgspec.Struct, frozen=True, kw_only=True):
    """What is in a file: OTUs with the ids that the file gives them, all that is wrong, and what is odd.

    An id that the file does not give, or that cannot be kept, is empty. `remote_id` is the file's id, or None.
    """

    data_type: DataType = DataType.GENOME
    organism: str = ""
    targets: tuple[Target, ...] = ()
    otus: tuple[JoinedOTU, ...] = ()
    problems: tuple[Problem, ...] = ()
    warnings: tuple[Problem, ...] = ()


def checked_reference(contents: Any, *, strict: bool, progress: Tell = lambda _: None) -> ReferenceFile:
    """Check all of what was read from a file; what is wrong is in `problems`, and then nothing else counts.

    `strict` is for releases, which must say their data type and organism, and give ids to everything. This blocks.
    """
    findings = Findings()
    file = Part(contents, "", findings)
    if not file.is_object:
        return ReferenceFile(problems=findings.problems)
    data_type, organism = _data_type(file, strict=strict), _organism(file, strict=strict)
    targets = _targets(file)
    rules = Rules(strict=strict, data_type=data_type, targets=frozenset(target.name for target in targets))
    otus = tuple(_otus(file, rules, progress))
    _check_doubles(otus, findings)
    return ReferenceFile(
        data_type=data_type,
        organism=organism,
        targets=targets if data_type is DataType.BARCODE else (),
        otus=otus,
        problems=findings.problems,
        warnings=findings.warnings,
    )


def _data_type(file: Part, *, strict: bool) -> DataType:
    text = file.line("data_type", required=strict, may_be_empty=not strict)
    if text is None:
        if not strict and file.lacks("data_type"):
            file.odd("data_type is not given; this is taken for a reference of genomes.")
        return DataType.GENOME
    if text not in set(DataType):
        file.wrong(f"data_type is {shown(text)}, but there are only {', '.join(DataType)}.")
        return DataType.GENOME
    return DataType(text)


def _organism(file: Part, *, strict: bool) -> str:
    organism = file.line("organism", required=strict, may_be_empty=not strict)
    if not organism and not strict:
        file.odd("organism is not given.")
    return organism or ""


def _targets(file: Part) -> tuple[Target, ...]:
    targets = tuple(_target(part) for part in file.parts("targets"))
    if len(targets) > MOST_TARGETS:
        file.wrong(f"There are {len(targets):,} targets; at most {MOST_TARGETS} are allowed.")
    for name, count in Counter(target.name for target in targets if target.name).items():
        if count > 1:
            file.wrong(f"The targets field may not contain duplicate names: there are {count} of the name “{name}”.")
    return targets


def _target(part: Part) -> Target:
    return Target(
        name=part.line("name", required=True, may_be_empty=False) or "",
        description=part.line("description", longest=LONGEST_TARGET_DESCRIPTION) or "",
        required=part.flag("required", default=False),
        length=part.length("length"),
    )


def _otus(file: Part, rules: Rules, progress: Tell) -> Iterable[JoinedOTU]:
    total = file.count("otus")
    if not total and rules.strict:
        file.wrong("The file has no OTUs.")
    elif not total:
        file.odd("The file has no OTUs.")
    for number, part in enumerate(file.each("otus", otus=True, required=True)):
        if number % TELL_EACH == 0:
            progress(number / total)
        yield otu_of(part, rules)


def _check_doubles(otus: Iterable[JoinedOTU], findings: Findings) -> None:
    """Find what must be unique in the file and is not."""
    names, abbreviations, ids, sequence_ids = (Seen(findings) for _ in range(4))
    for otu in otus:
        names.add(name_key(otu.name), otu, f"The name “{otu.name}” is used twice: it is also that of")
        abbreviations.add(
            otu.abbreviation, otu, f"The abbreviation “{otu.abbreviation}” is used twice: it is also that of"
        )
        ids.add(otu.id, otu, f"The id {otu.id} is used twice: it is also that of")
        for sequence in (sequence for isolate in otu.isolates for sequence in isolate.sequences):
            sequence_ids.add(sequence.id, otu, f"The sequence id {sequence.id} is used twice: also in")


class Seen:
    """The OTUs in which each of the keys was seen first."""

    def __init__(self, findings: Findings) -> None:
        self._findings = findings
        self._first: dict[str, JoinedOTU] = {}

    def add(self, key: str, otu: JoinedOTU, complaint: str) -> None:
        """Note a key, unless it is empty; complain, with the name of the OTU that had it first, when it is not new."""
        if key in self._first:
            told = f"{complaint} “{self._first[key].name}”."
            self._findings.wrong(told, otu.id or None, otu.name or None)
        elif key:
            self._first[key] = otu
