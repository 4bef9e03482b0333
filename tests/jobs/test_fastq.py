"""What is FASTQ and what is not, and the sentences that say so."""

import bz2
import gzip
import io
import lzma
import tracemalloc
import zlib
from pathlib import Path

import pytest

from jobs.fastq import BadReads, copied_reads, read_records
from jobs.quality import QualityCounts

READ = b"@r1 first\nACGT\n+\nIIII\n"
GOOD = READ * 3


def outcome(tmp_path: Path, content: bytes, block_bytes: int = 1 << 18) -> str | int:
    """Read a file through; give the number of its reads, or the sentence that refuses it."""
    source = tmp_path / "source"
    source.write_bytes(content)
    name = "mine.fq.gz"
    try:
        with copied_reads(source, tmp_path / "copy.gz", name, lambda _: None) as stream:
            return sum(len(records.lengths) for records in read_records(stream, name, block_bytes=block_bytes))
    except BadReads as error:
        return error.message


@pytest.mark.parametrize(
    "content",
    [
        GOOD,
        GOOD.replace(b"\n", b"\r\n"),
        GOOD.removesuffix(b"\n"),
        GOOD + b"\n\n\r\n\n\n\n\n",
        GOOD.lower().replace(b"iiii", b"IIII"),
        GOOD.replace(b"+\n", b"+r1 first\n"),
        GOOD.replace(b"IIII", b"@+@+"),
        GOOD.replace(b"ACGT", b"NRY."),
        READ * 2 + b"@empty\n\n+\n\n",
        READ * 2 + b"@empty\n\n+",
        READ * 2 + b"@empty\r\n\r\n+\r\n\r\n",
    ],
)
@pytest.mark.parametrize("block", [1, 7, 1 << 18])
def test_good_files_are_read_and_copied(content: bytes, block: int, tmp_path: Path) -> None:
    assert outcome(tmp_path, content, block) == 3
    assert gzip.decompress((tmp_path / "copy.gz").read_bytes()) == content
    packed = gzip.compress(content[:30]) + gzip.compress(b"") + gzip.compress(content[30:], 1) + bytes(512)
    assert outcome(tmp_path, packed, block) == 3
    assert (tmp_path / "copy.gz").read_bytes() == packed


PACKED = gzip.compress(GOOD)
DAMAGED = PACKED[:-8] + bytes([PACKED[-8] ^ 1]) + PACKED[-7:]
NOT_FASTQ = "mine.fq.gz is not FASTQ: "


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "mine.fq.gz is empty: it holds no reads."),
        (b"\n\n", "mine.fq.gz is empty: it holds no reads."),
        (gzip.compress(b""), "mine.fq.gz is empty: it holds no reads."),
        (b"hello", NOT_FASTQ + "line 1 should begin with '@' but begins with 'hello'."),
        (b"\x00\xff\x00" * 99, NOT_FASTQ + r"line 1 should begin with '@' but begins with '\x00\\xff\x00"),
        (b">r1\nACGT\n", "mine.fq.gz is FASTA, not FASTQ: it has no qualities."),
        (gzip.compress(b">r1\nACGT\n"), "mine.fq.gz is FASTA, not FASTQ: it has no qualities."),
        (gzip.compress(b"BAM\x01"), "mine.fq.gz is a BAM file, not FASTQ."),
        (gzip.compress(PACKED), "mine.fq.gz is compressed twice."),
        (bz2.compress(GOOD), "mine.fq.gz is compressed with bzip2; give it plain or compressed with gzip."),
        (lzma.compress(GOOD), "mine.fq.gz is compressed with xz; give it plain or compressed with gzip."),
        (b"PK\x03\x04zip", "mine.fq.gz is a ZIP archive; give the FASTQ file that is in it."),
        (PACKED[:-8], "mine.fq.gz is a broken gzip file: it is cut off after line 12."),
        (PACKED[:20], "mine.fq.gz is a broken gzip file: it is cut off in line 1."),
        (DAMAGED, "mine.fq.gz is a broken gzip file: it is damaged (CRC check failed"),
        (PACKED[:12] + bytes(10) + PACKED[22:], "mine.fq.gz is a broken gzip file: it is damaged ("),
        (PACKED + b"rubbish" * 9, "mine.fq.gz is a broken gzip file: it is damaged ("),
        (b"\x1f\x8b", "mine.fq.gz is a broken gzip file: it is cut off in line 1."),
        (GOOD + b"r4\nACGT\n+\nIIII\n", NOT_FASTQ + "line 13 should begin with '@' but begins with 'r4'."),
        (READ + b"\n" + READ, NOT_FASTQ + "line 5 should begin with '@' but is empty."),
        (
            READ + b"@r\nACGT\nACGT\n+\nIIIIIIII\n",
            NOT_FASTQ + "line 7 should begin with '+' but begins with 'ACGT'; "
            "bases and qualities must each stand on one line.",
        ),
        (GOOD + b"@r4\nACGT\n+\nIII\n", NOT_FASTQ + "line 16 has 3 qualities for the 4 bases of line 14."),
        (GOOD + b"@r4\nACGT\n+\nIII", NOT_FASTQ + "line 16 has 3 qualities for the 4 bases of line 14."),
        (GOOD + b"@r4\nACGT\n+\n", "mine.fq.gz is cut off: line 16 (qualities of the last read) is missing."),
        (GOOD + b"@r4\nACGT", "mine.fq.gz is cut off: line 15 (+ of the last read) is missing."),
        (GOOD + b"@r4", "mine.fq.gz is cut off: line 14 (bases of the last read) is missing."),
        (GOOD + b"r4", NOT_FASTQ + "line 13 should begin with '@' but begins with 'r4'."),
    ],
)
def test_bad_files_are_refused_with_a_sentence(content: bytes, sentence: str, tmp_path: Path) -> None:
    message = outcome(tmp_path, content)
    assert isinstance(message, str)
    assert message.startswith(sentence)


@pytest.mark.parametrize("count", [1_000, 200_000])
def test_the_line_is_named_after_which_a_gzip_file_breaks(count: int, tmp_path: Path) -> None:
    content = b"".join(b"@r%d\nACGTACGTAC\n+\nIIIIIIIIII\n" % number for number in range(count))
    head, tail = content[: len(content) // 3], content[len(content) // 3 :]
    half = gzip.compress(tail, 1)[: len(tail) // 20]
    lines = (head + zlib.decompressobj(31).decompress(half)).count(b"\n")
    cut_off = outcome(tmp_path, gzip.compress(head) + half)
    assert cut_off == f"mine.fq.gz is a broken gzip file: it is cut off after line {lines}."
    no_block = b"\x07" * 99
    damaged = str(outcome(tmp_path, gzip.compress(head) + gzip.compress(b"")[:10] + no_block))
    assert damaged.startswith("mine.fq.gz is a broken gzip file: it is damaged (")
    whole = head.count(b"\n")
    assert damaged.endswith(f") after line {whole}.")


def test_a_line_without_end_does_not_fill_the_memory() -> None:
    class Endless:
        def read(self, size: int, /) -> bytes:
            return b"A" * size

    with pytest.raises(BadReads, match="line 1 is longer than any read"):
        list(read_records(Endless(), "zeros"))


def test_long_reads_are_read_in_bounded_memory(tmp_path: Path) -> None:
    source = tmp_path / "long.fq"
    with source.open("wb") as file:
        for number in range(20):
            file.write(b"@long%d\n%s\n+\n%s\n" % (number, b"GATTACANNN" * 100_000, b"0123456789" * 100_000))
    counts = QualityCounts("long.fq")
    tracemalloc.start()
    with copied_reads(source, tmp_path / "copy.gz", "long.fq", lambda _: None) as stream:
        for records in read_records(stream, "long.fq"):
            counts.add(records)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (counts.count, counts.longest) == (20, 1_000_000)
    assert peak < 150_000_000


def test_progress_counts_the_bytes_of_the_source(tmp_path: Path) -> None:
    (tmp_path / "source").write_bytes(PACKED)
    counted: list[int] = []
    with copied_reads(tmp_path / "source", tmp_path / "copy", "mine", counted.append) as stream:
        assert stream.read(io.DEFAULT_BUFFER_SIZE) == GOOD
        assert stream.read(1) == b""
    assert sum(counted) == len(PACKED)
