"""How far a broken gzip file can be read."""

import gzip
from hashlib import sha256
from pathlib import Path

import pytest

from jobs.damage import readable_lines

LINES = [sha256(str(number).encode()).hexdigest().encode() for number in range(5_000)]
TEXT = b"\n".join(LINES) + b"\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "reads.fq.gz"


def test_a_whole_file_is_readable_to_its_end(file: Path) -> None:
    file.write_bytes(gzip.compress(TEXT) + gzip.compress(TEXT) + b"\0" * 100)
    assert readable_lines(file) == 2 * len(LINES)


def test_a_file_that_is_cut_off_is_readable_to_the_cut(file: Path) -> None:
    packed = gzip.compress(TEXT)
    file.write_bytes(packed[: len(packed) // 2])
    assert 0.45 * len(LINES) < readable_lines(file) < 0.55 * len(LINES)


def test_a_file_whose_second_member_is_damaged_is_readable_to_the_end_of_the_first(file: Path) -> None:
    file.write_bytes(gzip.compress(TEXT) + b"no member at all")
    assert readable_lines(file) == len(LINES)


def test_what_is_no_gzip_behind_its_head_has_no_line(file: Path) -> None:
    file.write_bytes(gzip.compress(b"")[:10] + b"\xff" * 100)
    assert readable_lines(file) == 0
