"""The log of a job: printable, bounded, and there as soon as it is written."""

from pathlib import Path

import pytest

from jobs.log import LAST_LINE, LONGEST_LINE, MOST_BYTES, MOST_LINES, JobLog, log_line
from virtool_gql.models.documents import Timestamp

AT = Timestamp("2026-01-02T03:04:05.678Z")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "logs/job.log"


def test_each_line_has_its_time_and_is_there_at_once(path: Path) -> None:
    log = JobLog(path, lambda: AT)
    assert not log.take_grown()
    log.line("one\ntwo\r\n\x1b[31mred\x00\u2028")
    assert path.read_text().split("\n") == [f"{AT} one", f"{AT} two", f"{AT}  [31mred", ""]
    assert log.take_grown()
    assert not log.take_grown()
    log.close()
    log_line(path, lambda: AT, "The end.")
    assert path.read_text().endswith(f"{AT} The end.\n")


def test_a_line_that_a_crash_cut_off_does_not_swallow_the_next(path: Path) -> None:
    path.parent.mkdir()
    path.write_text(f"{AT} half")
    log_line(path, lambda: AT, "whole")
    assert path.read_text() == f"{AT} half\n{AT} whole\n"


def test_a_long_line_is_cut_between_letters(path: Path) -> None:
    log_line(path, lambda: AT, "é" * LONGEST_LINE)
    text = path.read_text().split(" ")[1].strip()
    assert len(text.encode()) == LONGEST_LINE


def test_a_log_stops_growing_and_says_so_once(path: Path) -> None:
    log = JobLog(path, lambda: AT)
    for _ in range(MOST_LINES + 50):
        log.line("again")
    log.close()
    for _ in range(2):
        log = JobLog(path, lambda: AT)
        log.line("more")
        log.line("The end.", closing=True)
        log.close()
    lines = path.read_text().splitlines()
    assert len(lines) == MOST_LINES + 2
    assert [line.removeprefix(f"{AT} ") for line in lines[-4:]] == ["again", LAST_LINE, "The end.", "The end."]


def test_a_log_of_long_lines_stops_growing_too(path: Path) -> None:
    log = JobLog(path, lambda: AT)
    for _ in range(2 * MOST_BYTES // LONGEST_LINE):
        log.line("x" * LONGEST_LINE)
    log.close()
    assert path.stat().st_size < MOST_BYTES
    assert path.read_text().endswith(f"{LAST_LINE}\n")
    log_line(path, lambda: AT, "The end.")
    assert path.read_text().splitlines()[-1] == f"{AT} The end."
