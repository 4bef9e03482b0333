"""The log of a job: `<timestamp> <text>` lines in a file that cannot grow without bounds."""

import re
from pathlib import Path
from threading import Lock

from virtool_gql.models.documents import Clock

MOST_LINES = 100_000
MOST_BYTES = 10_000_000
LONGEST_LINE = 4_000
LAST_LINE = "The log ends here: it has reached its greatest length."
UNPRINTABLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029]+")


class JobLog:
    """Appends to the log of one job, from any thread; each line is in the file when `line` returns."""

    def __init__(self, path: Path, clock: Clock) -> None:
        self._clock = clock
        self._lock = Lock()
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = path.open("ab+", buffering=0)
        self._file.seek(0)
        written = self._file.read(2 * MOST_BYTES)
        self._lines, self._bytes = written.count(b"\n"), len(written)
        self._grown = False
        if not written.endswith(b"\n") and written:
            self._append(b"\n")

    def line(self, text: str, *, closing: bool = False) -> None:
        """Write the text, line by line. A closing line is written even if the log is full."""
        with self._lock:
            for part in text.splitlines():
                if self._lines < MOST_LINES and self._bytes < MOST_BYTES:
                    full = self._lines == MOST_LINES - 1 or self._bytes > MOST_BYTES - 2 * LONGEST_LINE
                    self._write(LAST_LINE if full and not closing else part)
                    self._lines = MOST_LINES if full else self._lines
                elif closing:
                    self._write(part)

    def take_grown(self) -> bool:
        """Tell whether lines were written since the last call."""
        grown, self._grown = self._grown, False
        return grown

    def close(self) -> None:
        self._file.close()

    def _write(self, text: str) -> None:
        printable = UNPRINTABLE.sub(" ", text).encode(errors="replace")[:LONGEST_LINE].decode(errors="ignore")
        self._append(f"{self._clock()} {printable.rstrip()}\n".encode())

    def _append(self, line: bytes) -> None:
        self._file.write(line)
        self._lines += 1
        self._bytes += len(line)
        self._grown = True


def log_line(path: Path, clock: Clock, text: str) -> None:
    """Write one closing line to a job's log."""
    log = JobLog(path, clock)
    try:
        log.line(text, closing=True)
    finally:
        log.close()
