"""The quality of reads: against a slow, plain reference, against FastQC itself, and against a stored example."""

import gzip
import io
import json
import math
import shutil
import subprocess
import zipfile
from collections.abc import Sequence
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jobs import quality
from jobs.fastq import BadReads, read_records
from jobs.quality import QualityCounts, quality_of
from jobs.simulate import simulate_genome, simulate_pairs
from virtool_gql.models.samples import Quality

SHARED = Path(__file__).parents[3] / "shared/data"
Read = tuple[str, str]

needs_fastqc = pytest.mark.skipif(
    shutil.which("fastqc") is None, reason="The comparison with FastQC is left out: fastqc is not installed."
)
needs_shared = pytest.mark.skipif(
    not SHARED.is_dir(), reason="The real reads are left out: ../shared/data is not there."
)


def fastq(reads: Sequence[Read], line_end: str = "\n") -> bytes:
    lines = [f"@r{number}{line_end}{bases}{line_end}+{line_end}{marks}" for number, (bases, marks) in enumerate(reads)]
    return (line_end.join(lines) + line_end).encode()


def counts_of(text: bytes, name: str = "reads.fq") -> QualityCounts:
    counts = QualityCounts(name)
    for records in read_records(io.BytesIO(text), name):
        counts.add(records)
    return counts


def of_file(path: Path) -> QualityCounts:
    return counts_of(gzip.decompress(path.read_bytes()), path.name)


def plainly(reads: Sequence[Read], offset: int) -> Quality:
    """Compute the quality of one file as the specification words it, without any cleverness."""
    bases, contents = [], []
    for position in range(max(len(read) for read, _ in reads)):
        marks = sorted(ord(marks[position]) - offset for read, marks in reads if position < len(read))
        column = [read[position].upper() for read, _ in reads if position < len(read)]
        ranks = [max(len(marks) * percent // 100, 1) for percent in (50, 25, 75, 10, 90)]
        bases.append((round(sum(marks) / len(marks), 3), *(float(marks[rank - 1]) for rank in ranks)))
        four = sum(column.count(base) for base in "GATC")
        contents.append(tuple(round(column.count(base) / max(four, 1) * 100, 1) for base in "GATC"))
    everything = "".join(read for read, _ in reads).upper()
    gc, all_four = (sum(everything.count(base) for base in four) for four in ("GC", "GATC"))
    means = [0] * 50
    for read, marks in reads:
        if read:
            means[min(sum(ord(mark) - offset for mark in marks) // len(read), 49)] += 1
    return Quality(
        count=len(reads),
        encoding="Sanger / Illumina 1.9" if offset == 33 else "Illumina 1.5",
        length=(min(len(read) for read, _ in reads), max(len(read) for read, _ in reads)),
        gc=100 * gc // max(all_four, 1),
        bases=tuple(bases),
        composition=tuple(contents),
        sequences=tuple(means),
    )


def reads_with(lowest: str) -> st.SearchStrategy[list[Read]]:
    mark = st.characters(min_codepoint=ord(lowest), max_codepoint=126)
    pairs = st.lists(st.tuples(st.sampled_from("GATCNgatcnRY.-"), mark), max_size=30)
    read = pairs.map(lambda pairs: ("".join(base for base, _ in pairs), "".join(mark for _, mark in pairs)))
    return st.lists(read, min_size=1, max_size=30)


@settings(max_examples=150, deadline=None)
@given(reads=reads_with("!"), line_end=st.sampled_from(["\n", "\r\n"]), cut=st.booleans(), block=st.integers(1, 200))
def test_equals_the_plain_reference_for_any_reads(reads: list[Read], line_end: str, cut: bool, block: int) -> None:
    text = fastq([*reads, ("A", "!")], line_end) + (b"" if cut else b"\n\r\n")
    if cut:
        text = text.removesuffix(line_end.encode())
    counts = QualityCounts("reads.fq")
    for records in read_records(_Trickle(text, block), "reads.fq"):
        counts.add(records)
    assert quality_of([counts]) == plainly([*reads, ("A", "!")], 33)


@settings(max_examples=50, deadline=None)
@given(reads=reads_with("B"))
def test_reads_of_old_machines_have_their_own_offset(reads: list[Read]) -> None:
    reads = [*reads, ("A", "B")]
    assert quality_of([counts_of(fastq(reads))]) == plainly(reads, 64)


def test_the_lowest_character_names_the_encoding() -> None:
    encodings = [quality.encoding_of(ord(lowest)) for lowest in "!?@ABh"]
    old = ("Illumina 1.5", 64)
    assert encodings == [*[("Sanger / Illumina 1.9", 33)] * 2, old, ("Illumina 1.3", 64), old, old]


def test_two_files_are_averaged_position_by_position_and_the_longer_one_ends_alone() -> None:
    sides = [counts_of(fastq([("GGA", "!5I")] * 2)), counts_of(fastq([("AC", "++")] * 4))]
    both = quality_of(sides)
    assert both.count == 6
    assert both.length == (2, 3)
    assert both.gc == (66 + 50) / 2
    assert [row[0] for row in both.bases] == [5.0, 15.0, 40.0]
    assert both.composition == ((50.0, 50.0, 0.0, 0.0), (50.0, 0.0, 0.0, 50.0), (0.0, 100.0, 0.0, 0.0))
    assert sum(both.sequences) == 6


def test_a_read_without_bases_counts_and_has_no_mean() -> None:
    found = quality_of([counts_of(fastq([("", ""), ("ACGT", "IIII")]))])
    assert (found.count, found.length, sum(found.sequences)) == (2, (0, 4), 1)
    assert quality_of([counts_of(b"@r\n\n+\n")]).length == (0, 0)


def test_qualities_above_49_count_as_49() -> None:
    found = quality_of([counts_of(fastq([("A", "!"), ("ACGT", "~~~~")]))])
    assert found.sequences[0] == found.sequences[49] == 1


def test_positions_beyond_the_limit_count_for_all_but_their_own_rows() -> None:
    length = quality.POSITIONS + 5_000
    found = quality_of([counts_of(fastq([("G" * quality.POSITIONS + "A" * 5_000, "5" * length), ("GC", "II")]))])
    assert found.length == (2, length)
    assert len(found.bases) == len(found.composition) == quality.POSITIONS
    assert found.gc == 100 * (quality.POSITIONS + 2) // (length + 2)
    assert found.sequences[20] == found.sequences[40] == 1


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (fastq([("ACGT", "IIII"), ("AC T", "IIII")]), "line 6 holds something other than bases"),
        (fastq([("", ""), ("ACGT", "III "), ("ACGT", "IIII")]), "line 8 holds ' ', which stands for no quality"),
        (fastq([("ACGT", "II\x7fI")]), r"line 4 holds '\x7f', which stands for no quality"),
    ],
)
def test_what_is_no_base_and_no_quality_is_refused(text: bytes, sentence: str) -> None:
    with pytest.raises(BadReads) as refused:
        counts_of(text)
    assert refused.value.message == f"reads.fq is not FASTQ: {sentence}."


class _Trickle:
    """Gives a text a few bytes at a time."""

    def __init__(self, text: bytes, size: int) -> None:
        self.text = io.BytesIO(text)
        self.size = size

    def read(self, size: int = -1) -> bytes:  # noqa: ARG002 - never more than its own size
        return self.text.read(self.size)


def fastqc(path: Path, folder: Path) -> dict[str, list[list[str]]]:
    """Run FastQC on a file; give the rows of each module."""
    command = ["fastqc", "--quiet", "-f", "fastq", "--nogroup", "-o", str(folder), str(path)]
    subprocess.run(command, check=True, capture_output=True)
    [archive] = folder.glob(f"{path.name.split('.')[0]}*_fastqc.zip")
    with zipfile.ZipFile(archive) as packed:
        [name] = [name for name in packed.namelist() if name.endswith("fastqc_data.txt")]
        text = packed.read(name).decode()
    modules = {}
    for module in text.split(">>END_MODULE\n"):
        lines = [line for line in module.splitlines() if line and not line.startswith(("##", "#"))]
        if lines:
            modules[lines[0].removeprefix(">>").split("\t")[0]] = [line.split("\t") for line in lines[1:]]
    return modules


def assert_equals_fastqc(counts: QualityCounts, told: dict[str, list[list[str]]]) -> None:
    ours = quality_of([counts])
    basics = {row[0]: row[1] for row in told["Basic Statistics"]}
    assert basics["Total Sequences"] == str(ours.count)
    assert basics["Encoding"] == ours.encoding
    assert basics["%GC"] == str(int(ours.gc))
    assert basics["Sequence length"] == "-".join(str(length) for length in sorted(set(ours.length)))
    assert len(told["Per base sequence quality"]) == len(ours.bases)
    for row, (_, *values) in zip(ours.bases, told["Per base sequence quality"], strict=True):
        for value, text in zip(row, values, strict=True):
            # FastQC gives no percentiles for positions that a hundred reads or fewer reach.
            assert math.isnan(float(text)) or value == round(float(text), 3)
    for shares, (_, *values) in zip(ours.composition, told["Per base sequence content"], strict=True):
        assert shares == tuple(round(float(text), 1) for text in values)
    means = {int(mean): int(float(count)) for mean, count in told["Per sequence quality scores"]}
    assert {mean: count for mean, count in enumerate(ours.sequences) if count} == {
        mean: count for mean, count in means.items() if count
    }


@needs_fastqc
def test_equals_fastqc_on_simulated_reads(tmp_path: Path) -> None:
    for path in simulate_pairs(simulate_genome(5), 4_000, 6, folder=tmp_path):
        assert_equals_fastqc(of_file(path), fastqc(path, tmp_path))


@needs_fastqc
def test_equals_fastqc_on_reads_of_old_machines(tmp_path: Path) -> None:
    path = tmp_path / "old.fq"
    path.write_bytes(fastq([("GATTACA", "BCDEFGh"), ("GATTNca", "hhhhhhB")] * 80, "\r\n"))
    assert_equals_fastqc(counts_of(path.read_bytes()), fastqc(path, tmp_path))


@needs_fastqc
@needs_shared
@pytest.mark.parametrize("name", ["paired_1.fq.gz", "paired_2.fq.gz"])
def test_equals_fastqc_on_real_reads(name: str, tmp_path: Path) -> None:
    assert_equals_fastqc(of_file(SHARED / "reads" / name), fastqc(SHARED / "reads" / name, tmp_path))


@needs_shared
def test_equals_the_stored_quality_of_real_reads_where_that_is_not_grouped() -> None:
    stored = json.loads((SHARED / "expected/quality_nuvs_modern.json").read_text())
    ours = msgspec.to_builtins(quality_of([of_file(SHARED / f"reads/paired_{side}.fq.gz") for side in (1, 2)]))
    assert ours["encoding"] == stored["encoding"].strip()
    for key in ("count", "gc", "length", "sequences"):
        assert list(ours[key]) == stored[key] if isinstance(stored[key], list) else ours[key] == stored[key]
    assert len(ours["bases"]) == len(stored["bases"])
    for key, decimals in (("bases", 3), ("composition", 1)):
        for mine, theirs in zip(ours[key][:9], stored[key][:9], strict=True):
            assert list(mine) == pytest.approx(theirs, abs=1.01 * 10**-decimals)
