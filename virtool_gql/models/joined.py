"""OTUs with all that is in them: what is edited, compared, exported, and kept in the history."""

from collections.abc import Iterable, Mapping

import msgspec

from virtool_gql.models.otus import OTU, Isolate, Segment, Sequence


class JoinedSequence(msgspec.Struct, frozen=True, kw_only=True):
    """A sequence with its bases, which are IUPAC codes in capitals."""

    id: str
    accession: str
    definition: str
    host: str | None = ""
    segment: str | None = None
    target: str | None = None
    sequence: str
    remote_id: str | None = None


class JoinedIsolate(msgspec.Struct, frozen=True, kw_only=True):
    """An isolate with its sequences in their order."""

    id: str
    source_type: str = ""
    source_name: str = ""
    default: bool = False
    sequences: tuple[JoinedSequence, ...] = ()


class JoinedOTU(msgspec.Struct, frozen=True, kw_only=True):
    """An OTU with its isolates and sequences, as of one revision. `version` is that revision."""

    id: str
    version: int
    name: str
    abbreviation: str = ""
    schema: tuple[Segment, ...] = ()
    isolates: tuple[JoinedIsolate, ...] = ()
    remote_id: str | None = None


def join(otu: OTU, sequences: Mapping[str, Sequence]) -> JoinedOTU:
    """Put an OTU and its sequences, which were read whole, together."""
    return JoinedOTU(
        id=otu.id,
        version=otu.revision,
        name=otu.name,
        abbreviation=otu.abbreviation,
        schema=otu.schema,
        isolates=tuple(_joined(isolate, sequences) for isolate in otu.isolates),
        remote_id=otu.remote_id,
    )


def _joined(isolate: Isolate, sequences: Mapping[str, Sequence]) -> JoinedIsolate:
    return JoinedIsolate(
        id=isolate.id,
        source_type=isolate.source_type,
        source_name=isolate.source_name,
        default=isolate.default,
        sequences=tuple(_joined_sequence(sequences[id]) for id in isolate.sequence_ids),
    )


def _joined_sequence(sequence: Sequence) -> JoinedSequence:
    if not isinstance(sequence.sequence, str):
        raise TypeError(f"The sequence {sequence.id} was read without its bases.")
    return JoinedSequence(
        id=sequence.id,
        accession=sequence.accession,
        definition=sequence.definition,
        host=sequence.host,
        segment=sequence.segment,
        target=sequence.target,
        sequence=sequence.sequence,
        remote_id=sequence.remote_id,
    )


class Issues(msgspec.Struct, frozen=True, kw_only=True):
    """Why an OTU cannot be built into an index; of isolates and sequences their ids."""

    empty_otu: bool = False
    empty_isolate: tuple[str, ...] = ()
    empty_sequence: tuple[str, ...] = ()
    isolate_inconsistency: bool = False


def issues_of(isolates: Iterable[Isolate], empty_sequence_ids: tuple[str, ...] = ()) -> Issues | None:
    """Verify an OTU; None when nothing is wrong with it.

    Isolates with different numbers of sequences are inconsistent, unless one of them has none.
    """
    counts = {isolate.id: len(isolate.sequence_ids) for isolate in isolates}
    empty = tuple(id for id, count in counts.items() if not count)
    issues = Issues(
        empty_otu=not counts,
        empty_isolate=empty,
        empty_sequence=empty_sequence_ids,
        isolate_inconsistency=not empty and len(set(counts.values())) > 1,
    )
    return None if issues == Issues() else issues


def issues_in(otu: JoinedOTU) -> Issues | None:
    """Verify a joined OTU; None when nothing is wrong with it."""
    isolates = [Isolate(id=each.id, sequence_ids=tuple(one.id for one in each.sequences)) for each in otu.isolates]
    empty = tuple(one.id for each in otu.isolates for one in each.sequences if not one.sequence)
    return issues_of(isolates, empty)


def isolate_name(source_type: str, source_name: str) -> str:
    """Give the name that an isolate is shown by."""
    if not source_type or not source_name:
        return "Unnamed Isolate"
    return f"{source_type[0].upper()}{source_type[1:]} {source_name}"
