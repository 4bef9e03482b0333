from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from virtool_gql.db import otu_inputs
from virtool_gql.db.otu_inputs import bases_of, cleaned_bases, cleaned_isolate, cleaned_otu, cleaned_sequence
from virtool_gql.errors import BadUserInput
from virtool_gql.models.otus import Molecule, Segment

CODES = "ACGTURYSWKMBDHVN"


def test_a_sequence_has_no_whitespace_and_is_in_capitals() -> None:
    assert cleaned_bases(" acg t\nRYSWKMBDHVN\r\n\tu\u00a0A ") == "ACGTRYSWKMBDHVNUA"
    assert cleaned_bases(CODES.lower()) == CODES


@pytest.mark.parametrize(
    ("text", "character", "position"),
    [
        ("ACGX", "X", 4),
        ("AC GT\n-ACE", "-", 5),
        ("acgé", "é", 4),
        ("ßACG", "ß", 1),
        ("A\x00", "U+0000", 2),
        ("AC\ud800", "U+D800", 3),
        ("ACGT*", "*", 5),
        ("\ufb01", "\ufb01", 1),
        (">seq\nACGT", ">", 1),
    ],
)
def test_the_first_wrong_character_is_named_with_its_position(text: str, character: str, position: int) -> None:
    with pytest.raises(BadUserInput) as error:
        cleaned_bases(text)
    assert error.value.message == (
        f"The sequence has “{character}” at position {position}; only the IUPAC codes {CODES} are allowed."
    )
    assert error.value.path == ("sequence",)


@pytest.mark.parametrize("text", ["", " ", "\n\t \u3000"])
def test_a_sequence_is_not_empty(text: str) -> None:
    with pytest.raises(BadUserInput, match=r"^A value is needed for sequence\.$"):
        cleaned_bases(text)
    assert bases_of(text) == ("", None)


def test_a_sequence_has_a_greatest_length() -> None:
    longest = otu_inputs.LONGEST_SEQUENCE
    assert len(cleaned_bases("A" * longest)) == longest
    with pytest.raises(BadUserInput, match=f"has {longest + 1} bases; at most {longest} are allowed"):
        cleaned_bases("A" * (longest + 1))


@given(st.text(alphabet=st.sampled_from(CODES + CODES.lower() + " \n\r\t")))
def test_whatever_is_of_the_alphabet_is_taken(text: str) -> None:
    bases, fault = bases_of(text)
    assert fault is None
    assert bases == "".join(text.split()).upper()


@given(st.text())
def test_any_text_is_a_sequence_or_has_a_fault(text: str) -> None:
    bases, fault = bases_of(text)
    assert (fault is None) == (set("".join(text.split())) <= set(CODES + CODES.lower()))
    if fault is None:
        assert bases_of(bases) == (bases, None)


def test_values_are_trimmed_and_nothing_is_none() -> None:
    assert cleaned_otu({"name": " Virus\u200b ", "abbreviation": " V "})["abbreviation"] == "V"
    assert cleaned_isolate({"source_type": " StraiN ", "source_name": " A b "}) == {
        "source_type": "strain",
        "source_name": "A b",
    }
    sequence = {"accession": " NC_1 ", "definition": " D ", "host": None, "segment": " ", "target": ""}
    assert cleaned_sequence(sequence) == {
        "accession": "NC_1",
        "definition": "D",
        "host": None,
        "segment": None,
        "target": None,
    }
    assert cleaned_sequence({"host": " Malus "}) == {"host": "Malus"}
    assert cleaned_otu({}) == cleaned_isolate({}) == cleaned_sequence({}) == {}


def test_a_schema_keeps_its_order() -> None:
    segments = (Segment(name=" B "), Segment(name="A", molecule=Molecule.DS_RNA, required=False), Segment(name="a"))
    (b, a, small) = cleaned_otu({"schema": segments})["schema"]
    assert (b.name, a, small) == ("B", segments[1], segments[2])


@pytest.mark.parametrize(
    ("clean", "values", "path", "message"),
    [
        (cleaned_otu, {"name": " "}, ("name",), "A value is needed for name."),
        (cleaned_otu, {"name": "a\nb"}, ("name",), "invisible character"),
        (cleaned_otu, {"name": "x" * 256}, ("name",), "at most 255"),
        (cleaned_otu, {"abbreviation": "x" * 256}, ("abbreviation",), "at most 255"),
        (
            cleaned_otu,
            {"schema": (Segment(name="A"), Segment(name=" A"))},
            ("schema",),
            "Segment names must be unique.",
        ),
        (cleaned_otu, {"schema": (Segment(name=" "),)}, ("schema", "name"), "A value is needed"),
        (cleaned_otu, {"schema": tuple(Segment(name=str(n)) for n in range(101))}, ("schema",), "at most 100"),
        (cleaned_isolate, {"source_type": "x" * 256}, ("source_type",), "at most 255"),
        (cleaned_isolate, {"source_name": "a\0"}, ("source_name",), "invisible character"),
        (cleaned_sequence, {"accession": ""}, ("accession",), "A value is needed for accession."),
        (cleaned_sequence, {"definition": "\u3164"}, ("definition",), "A value is needed for definition."),
        (cleaned_sequence, {"definition": "x" * 2_001}, ("definition",), "at most 2000"),
        (cleaned_sequence, {"host": "x" * 256}, ("host",), "at most 255"),
        (cleaned_sequence, {"segment": "x" * 256}, ("segment",), "at most 255"),
        (cleaned_sequence, {"target": "a\nb"}, ("target",), "invisible character"),
    ],
)
def test_what_is_not_acceptable_is_named(
    clean: Callable[[dict[str, Any]], dict[str, Any]], values: dict[str, Any], path: tuple[str, ...], message: str
) -> None:
    with pytest.raises(BadUserInput) as error:
        clean(values)
    assert error.value.path == path
    assert message in error.value.message
