import time
from pathlib import Path

from virtool_gql.db.job_logs import LogReader
from virtool_gql.models.documents import Timestamp

CREATED = Timestamp("2026-03-01T00:00:00.000Z")
LATER = Timestamp("2026-03-01T00:00:01.000Z")


def reader(path: Path, after: int = 0) -> LogReader:
    return LogReader(path, after, CREATED)


def test_lines_have_numbers_times_and_texts(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(f"from the tool\n{LATER} said: {LATER}\n  continued\r\n\n{LATER}\n\xff".encode("latin-1"))
    lines = reader(path).read(10, ended=True)
    assert [(line.number, line.at, line.text) for line in lines] == [
        (1, CREATED, "from the tool"),
        (2, LATER, f"said: {LATER}"),
        (3, LATER, "  continued"),
        (4, LATER, ""),
        (5, LATER, ""),
        (6, LATER, "\ufffd"),
    ]


def test_a_reader_goes_on_where_it_was(tmp_path: Path) -> None:
    path = tmp_path / "log"
    following = reader(path, after=2)
    assert following.read(10, ended=False) == []
    with path.open("ab", buffering=0) as log:
        log.write(b"1\n")
        assert following.read(10, ended=False) == []
        log.write(b"2\n3\n4\n5")
        assert [line.number for line in following.read(1, ended=False)] == [3]
        assert [line.text for line in following.read(10, ended=False)] == ["4"]
        assert following.read(10, ended=False) == []
        assert [(line.number, line.text) for line in following.read(10, ended=True)] == [(5, "5")]


def test_a_very_long_line_is_cut_and_counts_once(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(b"x" * 3_000_000 + b"\nnext\n")
    first, second = reader(path).read(10, ended=False)
    assert len(first.text) == 10_000
    assert (second.number, second.text) == (2, "next")
    assert [line.text for line in reader(path, after=1).read(10, ended=False)] == ["next"]


def test_the_end_of_a_long_log_is_found_without_reading_it_line_by_line(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(b"".join(b"%s line %d\n" % (LATER.encode(), number) for number in range(1, 300_001)))
    started = time.perf_counter()
    lines = reader(path, after=299_990).read(100, ended=True)
    assert time.perf_counter() - started < 1
    assert [line.text for line in lines] == [f"line {number}" for number in range(299_991, 300_001)]
