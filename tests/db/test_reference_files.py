"""Reference files: what is wrong with broken ones, what is odd, and what is read from good ones."""

import gzip
import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.factories.reference_files import (
    OFFICIAL,
    REAL_REFERENCES,
    Contents,
    barcodes,
    changed,
    made_up_reference,
    needs_real_references,
    read_reference,
    written,
)
from virtool_gql.db.otu_inputs import MOST_ISOLATES
from virtool_gql.db.reference_files import ReferenceFile, checked_reference
from virtool_gql.db.reference_findings import MOST_TOLD
from virtool_gql.models.otus import Molecule
from virtool_gql.models.references import DataType, Target

GOOD = made_up_reference()
FIRST = "Made-up virus 00000"
SECOND = "Made-up virus 00001"


def read(path: Path, contents: Any, *, strict: bool = False, **options: Any) -> ReferenceFile:
    return read_reference(written(path / "reference.json.gz", contents), strict=strict, **options)


def told(problems: tuple[Any, ...]) -> list[tuple[str | None, str]]:
    return [(problem.otu_name, problem.message) for problem in problems]


@pytest.mark.parametrize("strict", [True, False])
def test_nothing_is_wrong_with_a_good_file(tmp_path: Path, *, strict: bool) -> None:
    file = read(tmp_path, GOOD, strict=strict)
    assert (file.problems, file.warnings) == ((), ())
    assert (file.data_type, file.organism, len(file.otus)) == (DataType.GENOME, "virus", 3)
    otu, given = file.otus[1], GOOD["otus"][1]
    assert (otu.id, otu.remote_id, otu.name, otu.abbreviation) == ("otu00001", "otu00001", SECOND, "MuV1")
    assert [segment.molecule for segment in otu.schema] == [Molecule.SS_RNA_PLUS] * 2
    assert [isolate.id for isolate in otu.isolates] == ["i0000100", "i0000101"]
    assert [isolate.default for isolate in otu.isolates] == [True, False]
    sequence, told = otu.isolates[1].sequences[1], given["isolates"][1]["sequences"][1]
    assert {"_id": sequence.id, "accession": sequence.accession, "sequence": sequence.sequence}.items() <= told.items()
    assert (sequence.segment, sequence.host, sequence.remote_id) == ("RNA 2", told["host"], told["_id"])


def test_an_otu_that_is_too_large_is_refused(tmp_path: Path) -> None:
    otu = GOOD["otus"][0]
    isolates = [
        {**otu["isolates"][0], "id": f"i{number}", "default": not number, "sequences": []}
        for number in range(MOST_ISOLATES + 1)
    ]
    file = read(tmp_path, {**GOOD, "otus": [{**otu, "isolates": [*otu["isolates"][:1], *isolates[1:]]}]})
    assert told(file.problems) == [(FIRST, "An OTU has at most 1,000 isolates; this one would have 1,001.")]


@pytest.mark.parametrize(
    ("contents", "sentence"),
    [
        (b"", "Not a gzipped file, and not JSON either."),
        (b"@read\nACGT\n", "Not a gzipped file, and not JSON either."),
        (b"PK\x03\x04", "Not a gzipped file, and not JSON either."),
        (b"\x1f\x8b", "The gzipped file was cut off: its end is missing."),
        (gzip.compress(b'{"otus": []}')[:-9], "The gzipped file was cut off: its end is missing."),
        (gzip.compress(b'{"otus": []}')[:-8] + bytes(8), "The gzipped file is damaged: it cannot be unpacked."),
        (gzip.compress(b'{"otus": []}') + b"more", "The gzipped file is damaged: it cannot be unpacked."),
        (gzip.compress(b""), "The gzipped file holds no JSON object."),
        (gzip.compress(b">name\nACGT\n"), "The gzipped file holds no JSON object."),
        (gzip.compress(b'{"otus": [\n  {"name": }\n]}'), "The file is not JSON: Expecting value (line 2, column 12)."),
        (gzip.compress(b'{"otus": [{}'), "The file is not JSON: Expecting ',' delimiter (line 1, column 13)."),
        (gzip.compress(b'{"otus": []}\n{}'), "The file is not JSON: Extra data (line 2, column 1)."),
        (gzip.compress(b'{"name":\n"\xff"}'), "The file is not UTF-8: line 2 has the byte 0xff."),
        (gzip.compress(b'{"a":' + b"[" * 100_000), "The file is not a reference: its JSON is nested too deeply."),
        (
            gzip.compress(b"[" + b"[]," * 2_500_000 + b"1]"),
            "The file has more than 5,000,000 values; that is too many.",
        ),
        (gzip.compress(b"[]"), "The file must be an object, not a list."),
        (gzip.compress(b"{}"), "otus is missing."),
        (gzip.compress(b'{"otus": null}'), "otus is missing."),
        (gzip.compress(b'{"otus": {}}'), "otus must be a list, not an object."),
        (gzip.compress(b'{"otus": [1]}'), "otus[0] must be an object, not 1."),
        (gzip.compress(b'{"otus": [], "organism": 7}'), "organism must be a text, not 7."),
        (gzip.compress(b'{"otus": [], "data_type": "x"}'), 'data_type is "x", but there are only genome, barcode.'),
    ],
)
def test_what_is_no_reference_is_told_in_one_sentence(tmp_path: Path, contents: bytes, sentence: str) -> None:
    path = tmp_path / "reference"
    path.write_bytes(contents)
    assert [problem.message for problem in read_reference(path, strict=False).problems] == [sentence]


@pytest.mark.parametrize(
    "compress", [gzip.compress, bytes, lambda text: gzip.compress(text[:99]) + gzip.compress(text[99:])]
)
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf", b" \n"])
def test_plain_json_parts_and_byte_order_marks_are_read(
    tmp_path: Path, compress: Callable[[bytes], bytes], mark: bytes
) -> None:
    path = tmp_path / "reference"
    path.write_bytes(compress(mark + json.dumps(GOOD).encode()))
    assert len(read_reference(path, strict=True).otus) == 3


def test_a_file_is_not_unpacked_beyond_the_bound(tmp_path: Path) -> None:
    path = tmp_path / "bomb"
    path.write_bytes(gzip.compress(b'{"otus": "' + b"A" * 5_000_000, 9))
    problems = read_reference(path, strict=False, most_bytes=1_000_000).problems
    assert told(problems) == [(None, "The file has more than 1,000,000 bytes when it is unpacked; that is too many.")]


ISOLATE, SEQUENCE = "otus.0.isolates.0", "otus.0.isolates.0.sequences.0"
ONLY_IUPAC = "only the IUPAC codes ACGTURYSWKMBDHVN are allowed."
PLACE = "otus[0].isolates[0].sequences[0]"


@pytest.mark.parametrize(
    ("path", "value", "name", "sentence"),
    [
        ("otus.0.name", ..., None, "otus[0].name is missing."),
        ("otus.0.name", None, None, "otus[0].name is missing."),
        ("otus.0.name", " ", None, "otus[0].name is empty."),
        ("otus.0.name", 5, None, "otus[0].name must be a text, not 5."),
        (
            "otus.0.name",
            "x" * 300,
            None,
            "otus[0].name cannot be used: The name has 300 characters; at most 255 are allowed.",
        ),
        (
            "otus.0.name",
            "a\x00b",
            None,
            "otus[0].name cannot be used: The name must not contain the invisible character U+0000.",
        ),
        ("otus.0._id", "", FIRST, "otus[0]._id is empty."),
        ("otus.0._id", 17, FIRST, "otus[0]._id must be a text, not 17."),
        (
            "otus.0._id",
            "x" * 300,
            FIRST,
            "otus[0]._id cannot be used: The id has 300 characters; at most 255 are allowed.",
        ),
        ("otus.0.abbreviation", ["A"], FIRST, "otus[0].abbreviation must be a text, not a list."),
        ("otus.0.isolates", [], FIRST, "The OTU is empty: it has no isolates."),
        (f"{ISOLATE}.id", "", FIRST, "otus[0].isolates[0].id is empty."),
        (f"{ISOLATE}.source_type", ..., FIRST, "otus[0].isolates[0].source_type is missing."),
        (f"{ISOLATE}.source_name", ..., FIRST, "otus[0].isolates[0].source_name is missing."),
        (f"{ISOLATE}.default", ..., FIRST, "otus[0].isolates[0].default is missing."),
        (f"{ISOLATE}.default", "yes", FIRST, 'otus[0].isolates[0].default must be true or false, not "yes".'),
        (f"{ISOLATE}.sequences", ..., FIRST, "otus[0].isolates[0].sequences is missing."),
        ("otus.0.isolates.1.id", "i0000000", FIRST, "2 isolates have the id i0000000."),
        ("otus.0.isolates.1", None, FIRST, "otus[0].isolates[1] must be an object, not null."),
        (f"{SEQUENCE}._id", "", FIRST, f"{PLACE}._id is empty."),
        (f"{SEQUENCE}.accession", ..., FIRST, f"{PLACE}.accession is missing."),
        (f"{SEQUENCE}.definition", ..., FIRST, f"{PLACE}.definition is missing."),
        (f"{SEQUENCE}.host", 4, FIRST, f"{PLACE}.host must be a text, not 4."),
        (f"{SEQUENCE}.host", float("nan"), FIRST, f"{PLACE}.host must be a text, not NaN."),
        (
            f"{SEQUENCE}.host",
            "\ud800",
            FIRST,
            f"{PLACE}.host cannot be used: The host must not contain the invisible character U+D800.",
        ),
        (f"{SEQUENCE}.segment", {}, FIRST, f"{PLACE}.segment must be a text, not an object."),
        (f"{SEQUENCE}.sequence", ..., FIRST, f"{PLACE}.sequence is missing."),
        (f"{SEQUENCE}.sequence", 1.5, FIRST, f"{PLACE}.sequence must be a text, not 1.5."),
        (
            f"{SEQUENCE}.sequence",
            "ACG-T",
            FIRST,
            f"{PLACE}.sequence (XX_00000000): The sequence has “-” at position 4; {ONLY_IUPAC}",
        ),
        ("otus.0.schema", "RNA", FIRST, 'otus[0].schema must be a list, not "RNA".'),
        ("otus.0.schema.0.name", ..., FIRST, "otus[0].schema[0].name is missing."),
        ("otus.0.schema.0.required", 1, FIRST, "otus[0].schema[0].required must be true or false, not 1."),
        (
            "otus.0.schema.1.name",
            "RNA 1",
            FIRST,
            "The schema has 2 segments of the name “RNA 1”; segment names must be unique.",
        ),
        (
            "otus.0.schema.0.molecule",
            "tRNA",
            FIRST,
            'otus[0].schema[0].molecule is "tRNA", but there are only ssDNA, dsDNA, ssRNA, ssRNA+, ssRNA-, dsRNA.',
        ),
        (
            "otus.1.name",
            "MADE-UP  virus 00000",
            "MADE-UP  virus 00000",
            f"The name “MADE-UP  virus 00000” is used twice: it is also that of “{FIRST}”.",
        ),
        ("otus.1._id", "otu00000", SECOND, f"The id otu00000 is used twice: it is also that of “{FIRST}”."),
        (
            "otus.0.abbreviation",
            "MuV1",
            SECOND,
            f"The abbreviation “MuV1” is used twice: it is also that of “{FIRST}”.",
        ),
        (f"{SEQUENCE}._id", "s00000010", FIRST, f"The sequence id s00000010 is used twice: also in “{FIRST}”."),
        (f"{SEQUENCE}._id", "s00001010", SECOND, f"The sequence id s00001010 is used twice: also in “{FIRST}”."),
    ],
)
def test_what_is_wrong_is_told_with_its_otu(
    tmp_path: Path, path: str, value: Any, name: str | None, sentence: str
) -> None:
    for strict in (True, False):
        assert (name, sentence) in told(read(tmp_path, changed(GOOD, path, value), strict=strict).problems)


def test_an_otu_without_any_sequence_is_wrong(tmp_path: Path) -> None:
    contents = changed(changed(GOOD, "otus.0.isolates.0.sequences", []), "otus.0.isolates.1.sequences", [])
    file = read(tmp_path, contents)
    assert told(file.problems) == [(FIRST, "The OTU is empty: none of its isolates has a sequence.")]
    assert file.problems[0].otu_id == "otu00000"


def test_abbreviations_that_differ_in_case_are_two(tmp_path: Path) -> None:
    assert read(tmp_path, changed(GOOD, "otus.0.abbreviation", "MUV1")).problems == ()


@pytest.mark.parametrize(
    ("path", "sentence"),
    [
        ("data_type", "data_type is missing."),
        ("organism", "organism is missing."),
        ("otus.0._id", "otus[0]._id is missing."),
        ("otus.0.isolates.0.id", "otus[0].isolates[0].id is missing."),
        (f"{SEQUENCE}._id", f"{PLACE}._id is missing."),
    ],
)
def test_what_only_releases_must_have(tmp_path: Path, path: str, sentence: str) -> None:
    contents = changed(GOOD, path, ...)
    assert [problem.message for problem in read(tmp_path, contents, strict=True).problems] == [sentence]
    assert read(tmp_path, contents).problems == ()
    assert read(tmp_path, changed(GOOD, path, None)).problems == ()


def test_a_release_has_otus_and_ids_that_can_be_kept(tmp_path: Path) -> None:
    empty, odd = changed(GOOD, "otus", []), changed(GOOD, f"{ISOLATE}.id", "a b")
    assert told(read(tmp_path, empty, strict=True).problems) == [(None, "The file has no OTUs.")]
    assert told(read(tmp_path, empty).warnings) == [(None, "The file has no OTUs.")]
    assert told(read(tmp_path, odd, strict=True).problems) == [
        (FIRST, 'otus[0].isolates[0].id is "a b"; only letters, digits and hyphens are allowed.')
    ]


@pytest.mark.parametrize(
    ("path", "value", "sentence"),
    [
        ("data_type", ..., "data_type is not given; this is taken for a reference of genomes."),
        ("organism", None, "organism is not given."),
        (
            f"{ISOLATE}.id",
            "a b",
            'otus[0].isolates[0].id is "a b", which cannot be kept; the isolate was given a new id.',
        ),
        (f"{ISOLATE}.sequences", [], "Isolate Field 0000000 has no sequences."),
        (f"{SEQUENCE}.sequence", "", "The sequence XX_00000000 of Isolate Field 0000000 has no bases."),
        (
            f"{SEQUENCE}.sequence",
            "ac gt\n",
            "The sequence XX_00000000 had small letters or white space; it has capitals alone now.",
        ),
        (f"{SEQUENCE}.accession", "", f"{PLACE}.accession is empty."),
        (
            f"{SEQUENCE}.accession",
            "XX_1\n",
            f"{PLACE}.accession was tidied up to “XX_1”: it had white space or invisible characters.",
        ),
        (
            f"{SEQUENCE}.segment",
            "RNA 9",
            "The sequence XX_00000000 of Isolate Field 0000000 has the segment “RNA 9”, which is not in the schema.",
        ),
        (f"{SEQUENCE}.segment", None, "Isolate Field 0000000 lacks the required segments RNA 1."),
        (
            f"{ISOLATE}.default",
            False,
            "None of the isolates were the default one; it is Isolate Field 0000000 alone now.",
        ),
        (
            "otus.0.isolates.1.default",
            True,
            "2 of the isolates were the default one; it is Isolate Field 0000000 alone now.",
        ),
        ("otus.0.schema.0.molecule", "SSRNA+", 'otus[0].schema[0].molecule was "SSRNA+"; it is ssRNA+ now.'),
    ],
)
def test_what_is_odd_is_told_and_does_no_harm(tmp_path: Path, path: str, value: Any, sentence: str) -> None:
    file = read(tmp_path, changed(GOOD, path, value))
    assert file.problems == ()
    assert sentence in [warning.message for warning in file.warnings]
    assert all(sum(isolate.default for isolate in otu.isolates) == 1 for otu in file.otus)


def test_isolates_of_different_sizes_are_odd(tmp_path: Path) -> None:
    file = read(tmp_path, changed(GOOD, f"{ISOLATE}.sequences.1", ...))
    assert (FIRST, "The isolates have different numbers of sequences.") in told(file.warnings)


def test_files_of_earlier_programs_are_read(tmp_path: Path) -> None:
    """Keys that nobody knows, null where there is nothing, typos of people, ids in any case."""
    contents = changed(GOOD, "targets", None) | {"name": "1.5.0", "created_at": "2022-09-27T21:02:03Z"}
    contents["otus"][0] |= {"taxid": None, "remote": {"id": "abcd"}, "version": 4, "verified": True, "schema": None}
    contents["otus"][1] = {key: value for key, value in contents["otus"][1].items() if key not in {"schema", "_id"}}
    contents["otus"][0]["isolates"][0] |= {"source_type": "Islaote", "id": "Ab-3"}
    contents["otus"][0]["isolates"][1] |= {"source_type": "", "source_name": None}
    contents["otus"][2]["abbreviation"] = None
    contents["otus"][2]["schema"][0] = {"name": "RNA 1", "molecule": None}
    del contents["otus"][2]["isolates"][0]["sequences"][0]["host"]
    file = read(tmp_path, contents)
    assert file.problems == ()
    assert [isolate.source_type for isolate in file.otus[0].isolates] == ["islaote", ""]
    assert file.otus[0].isolates[0].id == "Ab-3"
    assert (file.otus[1].id, file.otus[1].remote_id) == ("", None)
    segment = file.otus[2].schema[0]
    assert (segment.molecule, segment.required) == (None, True)
    assert file.otus[2].isolates[0].sequences[0].host == ""


def test_an_id_that_cannot_be_kept_is_left_out(tmp_path: Path) -> None:
    assert read(tmp_path, changed(GOOD, f"{ISOLATE}.id", "é")).otus[0].isolates[0].id == ""


def test_keys_that_are_given_twice(tmp_path: Path) -> None:
    text = json.dumps(GOOD)
    same = text.replace(f'"name": "{FIRST}"', f'"name": "{FIRST}", "name": "{FIRST}"')
    other = text.replace(f'"name": "{FIRST}"', f'"name": "{FIRST}", "name": "Another"')
    assert read(tmp_path, same.encode()).problems == ()
    assert told(read(tmp_path, other.encode()).problems) == [(None, 'otus[0] has two different values for "name".')]


def test_barcodes_have_targets(tmp_path: Path) -> None:
    good = barcodes()
    file = read(tmp_path, good, strict=True)
    assert (file.problems, file.data_type) == ((), DataType.BARCODE)
    assert file.targets == (Target(name="ITS", length=60), Target(name="COI", length=60))
    assert [sequence.target for sequence in file.otus[0].isolates[0].sequences] == ["ITS", "COI"]
    unknown = read(tmp_path, changed(good, f"{SEQUENCE}.target", "18S"))
    assert told(unknown.problems) == [(FIRST, "Target 18S is not defined for the parent reference (XX_00000000).")]
    missing = read(tmp_path, changed(good, f"{SEQUENCE}.target", None))
    assert (FIRST, "The sequence XX_00000000 of Isolate Field 0000000 has no target.") in told(missing.warnings)
    twice = read(tmp_path, changed(good, f"{SEQUENCE}.target", "COI"))
    assert (FIRST, "Isolate Field 0000000 has 2 sequences of the target COI.") in told(twice.warnings)
    doubled = read(tmp_path, changed(good, "targets.1.name", "ITS"))
    assert (None, "The targets field may not contain duplicate names: there are 2 of the name “ITS”.") in told(
        doubled.problems
    )
    long = read(tmp_path, changed(good, "targets.0.length", 10**40))
    assert told(long.problems) == [(None, "targets[0].length must be a whole number from 1 on, not 1e+40.")]


def test_everything_is_found_at_once(tmp_path: Path) -> None:
    contents = changed(changed(GOOD, "otus.0.isolates", []), "otus.1.name", FIRST)
    contents = changed(changed(contents, "otus.2.isolates.0.sequences.0.sequence", "Ü"), "data_type", 3)
    names = [problem.otu_name for problem in read(tmp_path, contents).problems]
    assert names == [None, FIRST, "Made-up virus 00002", FIRST]


def test_very_many_problems_are_counted(tmp_path: Path) -> None:
    contents = made_up_reference(2_600, 1, bases=1)
    for otu in contents["otus"]:
        otu["isolates"][0]["sequences"][0]["sequence"] = "?"
        otu["isolates"][0]["sequences"][1]["sequence"] = ""
    file = read(tmp_path, contents)
    assert (len(file.problems), len(file.warnings)) == (MOST_TOLD + 1, MOST_TOLD + 1)
    assert file.problems[-1].message == "There are 1,600 more problems."
    assert file.warnings[-1].message == "There are 1,600 more warnings."


def test_progress_is_told(tmp_path: Path) -> None:
    seen: list[float] = []
    read(tmp_path, made_up_reference(250, 1, bases=1), progress=seen.append)
    assert seen == [0.0, 0.4, 0.8]


def test_a_file_that_is_not_there_is_an_error_of_the_system(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read_reference(tmp_path / "missing", strict=False)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=4,
)


def places(value: Any, path: str = "") -> list[str]:
    """Give the paths of all values in a file."""
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    below = [f"{path}.{key}".lstrip(".") for key, _ in pairs]
    inner = [each for key, one in pairs for each in places(one, f"{path}.{key}".lstrip("."))]
    return below + inner


@settings(max_examples=150, deadline=None)
@given(data=st.data(), strict=st.booleans())
def test_whatever_stands_anywhere_is_read_or_told(data: st.DataObject, *, strict: bool) -> None:
    base: Contents = random.Random(data.draw(st.integers(0, 1))).choice([made_up_reference(2), barcodes()])  # noqa: S311
    contents = changed(base, data.draw(st.sampled_from(places(base))), data.draw(JSON))
    file = checked_reference(contents, strict=strict)
    if not file.problems:
        assert all(otu.name and sum(isolate.default for isolate in otu.isolates) == 1 for otu in file.otus)
        assert all(
            sequence.remote_id != "" for otu in file.otus for each in otu.isolates for sequence in each.sequences
        )


@needs_real_references
@pytest.mark.parametrize(("name", "otus"), [("plant_viruses.25", 25), ("plant_viruses.full", 2_084)])
def test_nothing_is_wrong_with_the_official_reference(name: str, otus: int) -> None:
    file = read_reference(REAL_REFERENCES / f"{name}.json.gz", strict=True)
    assert (file.problems, len(file.otus)) == ((), otus)


@needs_real_references
def test_what_is_odd_in_the_official_reference_is_told() -> None:
    warnings = told(read_reference(OFFICIAL, strict=False).warnings)
    assert (
        "Citrus virus A",
        "The sequence MZ220968.1 had small letters or white space; it has capitals alone now.",
    ) in warnings
    assert len([sentence for _, sentence in warnings if "lacks the required segments" in sentence]) == 32
