"""What becomes of an OTU when people edit its sequences, and what the history says of it."""

from collections.abc import Mapping
from typing import Any

from msgspec import structs

from virtool_gql.db.otu_edits import Edit, isolate_of, with_isolate
from virtool_gql.db.otu_inputs import check_size
from virtool_gql.db.otu_sentences import named
from virtool_gql.errors import BadUserInput, NotFound
from virtool_gql.models.history import Verb
from virtool_gql.models.joined import JoinedIsolate, JoinedOTU, JoinedSequence
from virtool_gql.models.references import DataType, Reference


def create_sequence(otu: JoinedOTU, isolate_id: str, sequence: JoinedSequence, reference: Reference) -> Edit:
    """Add a sequence to an isolate; of a reference of barcodes it has a target."""
    isolate = isolate_of(otu, isolate_id)
    _check_target(reference, isolate, sequence.target)
    _check_segment(otu, sequence.segment)
    after = with_isolate(otu, structs.replace(isolate, sequences=(*isolate.sequences, sequence)))
    check_size(after)
    description = f"Created new sequence {sequence.accession} in {named(isolate)}"
    return Edit(after, Verb.CREATE_SEQUENCE, description)


def edit_sequence(otu: JoinedOTU, sequence_id: str, values: Mapping[str, Any], reference: Reference) -> Edit | None:
    """Change a sequence. A segment or target that it has already may stay, whatever is defined by now."""
    isolate, before = sequence_of(otu, sequence_id)
    after = structs.replace(before, **values)
    if after == before:
        return None
    if after.target != before.target:
        _check_target(reference, isolate, after.target)
    if after.segment != before.segment:
        _check_segment(otu, after.segment)
    sequences = tuple(after if each.id == sequence_id else each for each in isolate.sequences)
    edited = with_isolate(otu, structs.replace(isolate, sequences=sequences))
    if len(after.sequence) > len(before.sequence):
        check_size(edited)
    return Edit(edited, Verb.EDIT_SEQUENCE, f"Edited sequence {sequence_id} in {named(isolate)}")


def remove_sequence(otu: JoinedOTU, sequence_id: str) -> Edit:
    isolate, _ = sequence_of(otu, sequence_id)
    remaining = tuple(each for each in isolate.sequences if each.id != sequence_id)
    after = with_isolate(otu, structs.replace(isolate, sequences=remaining))
    return Edit(after, Verb.REMOVE_SEQUENCE, f"Removed sequence {sequence_id} from {named(isolate)}")


def sequence_of(otu: JoinedOTU, sequence_id: str) -> tuple[JoinedIsolate, JoinedSequence]:
    """Give a sequence, and the isolate that it is of."""
    for isolate in otu.isolates:
        for sequence in isolate.sequences:
            if sequence.id == sequence_id:
                return isolate, sequence
    raise NotFound("There is no sequence of that id.", path=["id"])


def _check_target(reference: Reference, isolate: JoinedIsolate, target: str | None) -> None:
    """Raise BadUserInput for a new target that the reference does not define, or that is used in the isolate."""
    if target is None:
        if reference.data_type is DataType.BARCODE:
            raise BadUserInput("The 'target' field is required for barcode references.", path=["target"])
        return
    if target not in {each.name for each in reference.targets}:
        raise BadUserInput(f"Target {target} is not defined for the parent reference.", path=["target"])
    if any(each.target == target for each in isolate.sequences):
        raise BadUserInput(f"Target {target} is already used in isolate {isolate.id}.", path=["target"])


def _check_segment(otu: JoinedOTU, segment: str | None) -> None:
    if segment is not None and segment not in {each.name for each in otu.schema}:
        raise BadUserInput(f"Segment {segment} is not defined for the parent OTU.", path=["segment"])
