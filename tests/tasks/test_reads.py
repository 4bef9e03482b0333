import gzip
import os
from pathlib import Path

import pytest

from virtool_gql.tasks.reads import CutOff, NotReads, check_reads

RECORD = b"@r 1\nACGT\n+\nIIII\n"
LONG = b"@long\n" + b"A" * 300_000 + b"\n+\n" + b"I" * 300_000 + b"\n"


def check(tmp_path: Path, content: bytes, name: str = "reads.fq") -> None:
    path = tmp_path / "file"
    path.write_bytes(content)
    handle = os.open(path, os.O_RDONLY)
    try:
        check_reads(handle, name, len(content))
    finally:
        os.close(handle)


@pytest.mark.parametrize(
    "content",
    [
        RECORD,
        RECORD[:-1],
        RECORD.replace(b"\n", b"\r\n"),
        RECORD + b"\n\n",
        RECORD * 10_000,
        LONG,
        LONG * 2,
        RECORD + b"@empty\n\n+\n\n",
        b"@empty\n\n+\n\n",
        gzip.compress(RECORD),
        gzip.compress(LONG),
    ],
)
def test_reads_are_reads(tmp_path: Path, content: bytes) -> None:
    check(tmp_path, content)


@pytest.mark.parametrize(
    "content",
    [
        gzip.compress(RECORD),
        gzip.compress(RECORD * 100_000),
        gzip.compress(RECORD[:9]) + gzip.compress(RECORD[9:]),
        gzip.compress(b"") + gzip.compress(RECORD) + bytes(8),
    ],
)
def test_gzip_of_any_number_of_members_is_unpacked(tmp_path: Path, content: bytes) -> None:
    check(tmp_path, content, "reads.FQ.GZ")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "It is empty"),
        (RECORD[:9], "cut off in its first record"),
        (RECORD[:-3], "as many qualities as bases"),
        (RECORD * 2 + RECORD[:7], "last record is not whole"),
        (RECORD * 10_000 + RECORD[:-2], "last record is not whole"),
        (gzip.compress(LONG)[:-300], "gzip file that is cut off"),
    ],
)
def test_what_is_cut_off_is_told(tmp_path: Path, content: bytes, reason: str) -> None:
    with pytest.raises(CutOff, match=reason):
        check(tmp_path, content)


@pytest.mark.parametrize(
    ("content", "name", "reason"),
    [
        (b">seq\nACGT\n", "a.fq", "FASTA"),
        (gzip.compress(b">seq\nACGT\n"), "a.fq.gz", "FASTA"),
        (b"BZh91AY", "a.fq", "bzip2"),
        (b"PK\x03\x04 and more", "a.fq", "ZIP"),
        (b"\xfd7zXZ\x00", "a.fq", "xz"),
        (b"\x28\xb5\x2f\xfd", "a.fq", "zstd"),
        (RECORD, "a.fq.gz", "not compressed"),
        (b"\x1f\x8b" + b"nonsense" * 9, "a.fq.gz", "damaged gzip"),
        (b"junk", "a.fq", "first line"),
        (gzip.compress(b""), "a.fq.gz", "first line"),
        (gzip.compress(b"") * 100_000 + gzip.compress(RECORD), "a.fq.gz", "nothing at its beginning"),
        (RECORD.replace(b"+", b"-"), "a.fq", "third line"),
        (b"@r\nACGT\n+\nIII\n", "a.fq", "as many qualities"),
        (b"@" + b"A" * (17 << 20), "a.fq", "longer than any read"),
    ],
)
def test_what_is_something_else_is_told(tmp_path: Path, content: bytes, name: str, reason: str) -> None:
    with pytest.raises(NotReads, match=reason) as raised:
        check(tmp_path, content, name)
    assert not isinstance(raised.value, CutOff)
