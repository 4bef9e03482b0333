from typing import Any

import pytest
from msgspec import structs

from tests.factories.otus import RNA_A, RNA_B, joined_isolate, joined_otu, joined_sequence
from virtool_gql.db.otu_inputs import MOST_BASES, MOST_SEQUENCES
from virtool_gql.db.sequence_edits import create_sequence, edit_sequence, remove_sequence
from virtool_gql.errors import BadUserInput
from virtool_gql.models.documents import Timestamp
from virtool_gql.models.history import Verb
from virtool_gql.models.references import DataType, Reference, Target

AT = Timestamp("2026-01-01T00:00:00.000Z")
GENOME = Reference(id="ref", name="R", name_key="r", user_id="owner", created_at=AT, updated_at=AT)
BARCODE = structs.replace(
    GENOME, data_type=DataType.BARCODE, targets=(Target(name="CPN60"), Target(name="ITS2"), Target(name="COI"))
)

A = joined_isolate("a", [joined_sequence("s1", segment="RNA A"), joined_sequence("s2", segment="RNA B")], default=True)
OTU = joined_otu(schema=(RNA_A, RNA_B), isolates=[A, joined_isolate("b")])
BARCODES = joined_otu(
    isolates=[
        joined_isolate("a", [joined_sequence("s1", target="CPN60"), joined_sequence("s2", target="ITS2")]),
        joined_isolate("b", [joined_sequence("s3", target=None)]),
    ]
)


def test_a_sequence_is_created() -> None:
    sequence = joined_sequence("s3", accession="NC_3", segment="RNA A")
    edit = create_sequence(OTU, "a", sequence, GENOME)
    assert (edit.verb, edit.description) == (Verb.CREATE_SEQUENCE, "Created new sequence NC_3 in Isolate A")
    assert edit.otu.isolates == (structs.replace(A, sequences=(*A.sequences, sequence)), OTU.isolates[1])


def test_a_sequence_is_edited() -> None:
    edit = edit_sequence(OTU, "s2", {"host": "Malus", "sequence": "ACG", "segment": None}, GENOME)
    assert edit is not None
    assert (edit.verb, edit.description) == (Verb.EDIT_SEQUENCE, "Edited sequence s2 in Isolate A")
    edited = structs.replace(A.sequences[1], host="Malus", sequence="ACG", segment=None)
    assert edit.otu.isolates[0].sequences == (A.sequences[0], edited)
    for nothing in ({}, {"segment": "RNA B"}, {"accession": "NC_s2"}):
        assert edit_sequence(OTU, "s2", nothing, GENOME) is None


def test_a_sequence_is_removed() -> None:
    edit = remove_sequence(OTU, "s1")
    assert (edit.verb, edit.description) == (Verb.REMOVE_SEQUENCE, "Removed sequence s1 from Isolate A")
    assert edit.otu.isolates[0].sequences == A.sequences[1:]


REQUIRED = "The 'target' field is required for barcode references."
UNDEFINED = "Target X is not defined for the parent reference."
USED = "Target CPN60 is already used in isolate a."
NO_SEGMENT = "Segment X is not defined for the parent OTU."


@pytest.mark.parametrize(
    ("reference", "isolate_id", "values", "message"),
    [
        (BARCODE, "a", {}, REQUIRED),
        (BARCODE, "a", {"target": "X"}, UNDEFINED),
        (BARCODE, "a", {"target": "CPN60"}, USED),
        (BARCODE, "b", {"target": "CPN60"}, None),
        (BARCODE, "a", {"target": "COI"}, None),
        (GENOME, "a", {"target": "X"}, UNDEFINED),
        (GENOME, "a", {"segment": "X"}, NO_SEGMENT),
        (GENOME, "a", {}, None),
        (BARCODE, "a", {"target": "COI", "segment": "X"}, NO_SEGMENT),
    ],
)
def test_a_new_sequence_is_of_a_target_and_a_segment_that_there_are(
    reference: Reference, isolate_id: str, values: dict[str, Any], message: str | None
) -> None:
    sequence = joined_sequence("new", **values)
    if message is None:
        create_sequence(BARCODES, isolate_id, sequence, reference)
        return
    with pytest.raises(BadUserInput) as error:
        create_sequence(BARCODES, isolate_id, sequence, reference)
    assert error.value.message == message
    assert error.value.path == ("segment" if "Segment" in message else "target",)


@pytest.mark.parametrize(
    ("sequence_id", "values", "message"),
    [
        ("s1", {"target": None}, REQUIRED),
        ("s1", {"target": "X"}, UNDEFINED),
        ("s2", {"target": "CPN60"}, USED),
        ("s1", {"target": "CPN60"}, None),
        ("s1", {"target": "CPN60", "host": "Malus"}, None),
        ("s1", {"target": "COI"}, None),
        ("s3", {"host": "Malus"}, None),
        ("s3", {"target": "CPN60"}, None),
        ("s1", {"segment": "X"}, NO_SEGMENT),
    ],
)
def test_the_same_holds_for_an_edit_in_which_the_sequence_itself_does_not_count(
    sequence_id: str, values: dict[str, Any], message: str | None
) -> None:
    if message is None:
        edit_sequence(BARCODES, sequence_id, values, BARCODE)
        return
    with pytest.raises(BadUserInput) as error:
        edit_sequence(BARCODES, sequence_id, values, BARCODE)
    assert error.value.message == message


def test_what_an_import_brought_may_stay_while_other_things_are_edited() -> None:
    odd = joined_otu(isolates=[joined_isolate("a", [joined_sequence("s", segment="Odd", target="Odd")])])
    edit = edit_sequence(odd, "s", {"host": "Malus", "segment": "Odd", "target": "Odd"}, GENOME)
    assert edit is not None


def test_an_otu_grows_to_a_bound_and_shrinks_beyond_it() -> None:
    long = joined_sequence("long", sequence="A" * (MOST_BASES + 1))
    otu = structs.replace(OTU, isolates=(joined_isolate("a", [long], default=True),))
    with pytest.raises(BadUserInput, match=r"An OTU has at most 20,000,000 bases; this one would have 20,000,016\."):
        create_sequence(otu, "a", joined_sequence("s3"), GENOME)
    with pytest.raises(BadUserInput, match="at most 20,000,000 bases"):
        edit_sequence(otu, "long", {"sequence": long.sequence + "A"}, GENOME)
    for allowed in ({"sequence": long.sequence[:-1]}, {"host": "Malus"}):
        assert edit_sequence(otu, "long", allowed, GENOME) is not None


def test_an_otu_has_so_many_sequences() -> None:
    several = [joined_sequence(f"s{number}") for number in range(MOST_SEQUENCES)]
    otu = structs.replace(OTU, isolates=(joined_isolate("a", several, default=True),))
    with pytest.raises(BadUserInput, match="at most 5,000 sequences"):
        create_sequence(otu, "a", joined_sequence("new"), GENOME)
