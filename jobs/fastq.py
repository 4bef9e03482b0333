"""Reading FASTQ: one read of a file copies it, checks it, and hands out its records in blocks of bounded memory.

What is accepted: four lines a record; LF or CRLF; a missing last line end and empty lines at the end of the file;
bases in either case, with IUPAC codes; reads without bases; gzip of any number of members.
"""

import gzip
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol, cast

import numpy as np
from isal import igzip, isal_zlib
from numpy.typing import NDArray

from jobs.damage import readable_lines
from virtool_gql.errors import BadUserInput

Bytes = NDArray[np.uint8]
Offsets = NDArray[np.int64]

BLOCK_BYTES = 256 << 10
LONGEST_RECORD_BYTES = 16 << 20
"""A read of some eight million bases with its qualities: twice the longest that was ever sequenced."""

GZIP = b"\x1f\x8b"
DAMAGED = cast("type[Exception]", isal_zlib.error)
"""isal's annotations call the class an instance of itself."""
OTHER_PACKINGS = {
    b"BZh": "is compressed with bzip2; give it plain or compressed with gzip",
    b"\xfd7zXZ": "is compressed with xz; give it plain or compressed with gzip",
    b"\x28\xb5\x2f\xfd": "is compressed with zstd; give it plain or compressed with gzip",
    b"PK\x03\x04": "is a ZIP archive; give the FASTQ file that is in it",
}
OTHER_FORMATS = {
    b">": "is FASTA, not FASTQ: it has no qualities",
    b"BAM\x01": "is a BAM file, not FASTQ",
    b"@HD\t": "is a SAM file, not FASTQ",
    b"@SQ\t": "is a SAM file, not FASTQ",
    GZIP: "is compressed twice",
}
NAME, BASES, SEPARATOR, QUALITIES = range(4)
LINE_PARTS = np.array([NAME, -1, BASES, -1, SEPARATOR, -1, QUALITIES, -1])
LINE_NAMES = ("name", "bases", "+", "qualities")
AT, PLUS, NEWLINE, RETURN = b"@+\n\r"


class BadReads(BadUserInput):
    """A file of reads is not acceptable; the sentence names the file, and the line where there is one."""


class BrokenGzip(BadReads):
    """A gzip file is cut off or damaged; where is told by whoever has the file."""


class Stream(Protocol):
    """What gives bytes."""

    def read(self, size: int, /) -> bytes: ...


@dataclass(frozen=True, slots=True)
class Records:
    """Whole records of a file as one array of their bytes.

    `starts` and `stops` bound what is on each line, `ends` lie behind each line's end: all of shape (records, 4).
    `first_line` is the number of the first line in the file, from 1.
    """

    text: Bytes
    starts: Offsets
    stops: Offsets
    ends: Offsets
    first_line: int

    @property
    def lengths(self) -> Offsets:
        """The number of bases of each read, shape (records,)."""
        return self.stops[:, BASES] - self.starts[:, BASES]

    def bases_and_qualities(self) -> tuple[Bytes, Bytes]:
        """Give the bases and the qualities of all reads, one read behind the other, each of shape (bases,)."""
        parts = np.stack((self.stops - self.starts, self.ends - self.stops), axis=2)
        is_bases, is_qualities = (np.tile(line == LINE_PARTS, len(parts)) for line in (BASES, QUALITIES))
        return self.text[np.repeat(is_bases, parts.ravel())], self.text[np.repeat(is_qualities, parts.ravel())]

    def name(self, record: int) -> str:
        """Give the name of a read, without what follows it on the line."""
        start, stop = self.starts[record, NAME] + 1, self.stops[record, NAME]
        words = self.text[start:stop].tobytes().decode("ascii", "replace").split()
        return words[0] if words else ""

    def line_number(self, record: int, kind: int) -> int:
        return self.first_line + 4 * record + kind


@contextmanager
def copied_reads(source: Path, target: Path, name: str, on_bytes: Callable[[int], None]) -> Iterator[Stream]:
    """Open the plain text of a file of reads; what is read of it is written to `target`, compressed with gzip.

    A gzip file is copied byte for byte, anything else is compressed. `on_bytes` hears how many bytes of the source
    were read. When the block ends without an error, the whole copy is on the disk.
    """
    with source.open("rb", buffering=0) as original, target.open("wb") as copy:
        head = original.read(8)
        original.seek(0)
        _refuse(head, OTHER_PACKINGS, name)
        if head.startswith(GZIP):
            with _damage_located(source):
                # isal's public reader wants a name and seeks; this is the part of it that only reads on.
                yield isal_zlib._GzipReader(cast("BinaryIO", _Tee(original, copy, on_bytes)), BLOCK_BYTES)  # noqa: SLF001
        else:
            with packed(copy) as writer:
                yield _Tee(original, writer, on_bytes)
        copy.flush()
        os.fsync(copy.fileno())


@contextmanager
def _damage_located(source: Path) -> Iterator[None]:
    try:
        yield
    except BrokenGzip as error:
        lines = readable_lines(source)
        place = f"after line {lines}" if lines else "in line 1"
        raise BadReads(f"{error.message} {place}.") from error


def packed(raw: BinaryIO) -> BinaryIO:
    """Open a writer that compresses with gzip, fast rather than tight, and always to the same bytes."""
    return cast("BinaryIO", igzip.IGzipFile("", "wb", 1, raw, mtime=0))  # type: ignore[no-untyped-call] # isal's


class _Tee:
    """Gives the bytes of a file and writes them to another one."""

    def __init__(self, original: BinaryIO, copy: BinaryIO, on_bytes: Callable[[int], None]) -> None:
        self.original = original
        self.copy = copy
        self.on_bytes = on_bytes

    def read(self, size: int = BLOCK_BYTES) -> bytes:
        block = self.original.read(size)
        self.copy.write(block)
        self.on_bytes(len(block))
        return block

    def readinto(self, buffer: memoryview) -> int:
        block = self.read(len(buffer))
        buffer[: len(block)] = block
        return len(block)


def read_records(stream: Stream, name: str, *, block_bytes: int = BLOCK_BYTES) -> Iterator[Records]:
    """Give the records of a FASTQ file, block by block; raise BadReads, which names the file `name` and the line."""
    line = 1
    try:
        for text, newlines in _whole_records(stream, name, block_bytes):
            records = _divided(np.frombuffer(text, dtype=np.uint8), newlines, line)
            _check(records, name)
            yield records
            line += len(newlines)
    except EOFError as error:
        raise BrokenGzip(f"{name} is a broken gzip file: it is cut off") from error
    except (gzip.BadGzipFile, DAMAGED) as error:
        raise BrokenGzip(f"{name} is a broken gzip file: it is damaged ({error})") from error
    if line == 1:
        raise BadReads(f"{name} is empty: it holds no reads.")


def _whole_records(stream: Stream, name: str, block_bytes: int) -> Iterator[tuple[bytes, Offsets]]:
    """Cut the text where records end; give each part with the offsets of its newlines."""
    rest, line = b"", 1
    while block := stream.read(block_bytes):
        if line == 1 and not rest:
            _refuse(block, OTHER_FORMATS, name)
        text = rest + block
        # Empty lines may be the file's last: they wait until something follows them.
        newlines = _newlines(text, len(text.rstrip(b"\r\n")) + 2)
        whole = newlines[: len(newlines) // 4 * 4]
        end = int(whole[-1]) + 1 if len(whole) else 0
        if end:
            yield text[:end], whole
        rest, line = text[end:], line + len(whole)
        if len(rest) > LONGEST_RECORD_BYTES:
            raise BadReads(f"{name} is not FASTQ: the record at line {line} is longer than any read.")
    if last := _last_records(rest, name, line):
        yield last, _newlines(last, len(last))


def _last_records(text: bytes, name: str, first_line: int) -> bytes:
    """Complete the last record, if there is one, by the line ends that it may lack."""
    lines = text.rstrip(b"\r\n").split(b"\n")
    if lines == [b""]:
        return b""
    _check_line(lines[NAME], AT, name, first_line)
    if len(lines) > SEPARATOR:
        _check_line(lines[SEPARATOR], PLUS, name, first_line + SEPARATOR)
    if len(lines) == QUALITIES and not lines[BASES].strip(b"\r"):
        lines.append(b"")
    if len(lines) < len(LINE_NAMES):
        missing = LINE_NAMES[len(lines)]
        raise BadReads(f"{name} is cut off: line {first_line + len(lines)} ({missing} of the last read) is missing.")
    return b"\n".join(lines) + b"\n"


def _newlines(text: bytes, before: int) -> Offsets:
    newlines: Offsets = np.flatnonzero(np.frombuffer(text, dtype=np.uint8)[:before] == NEWLINE)
    return newlines


def _divided(text: Bytes, newlines: Offsets, first_line: int) -> Records:
    starts = np.empty_like(newlines)
    starts[0] = 0
    starts[1:] = newlines[:-1] + 1
    returned = (text[newlines - 1] == RETURN) & (newlines > starts)
    stops = newlines - returned
    return Records(text, starts.reshape(-1, 4), stops.reshape(-1, 4), (newlines + 1).reshape(-1, 4), first_line)


def _check(records: Records, name: str) -> None:
    """Raise BadReads for the first record that is none."""
    long_enough = records.stops > records.starts
    named = long_enough[:, NAME] & (records.text[records.starts[:, NAME]] == AT)
    separated = long_enough[:, SEPARATOR] & (records.text[records.starts[:, SEPARATOR]] == PLUS)
    qualities = records.stops[:, QUALITIES] - records.starts[:, QUALITIES]
    right = named & separated & (qualities == records.lengths)
    if right.all():
        return
    record = int(np.argmin(right))
    for kind, mark in ((NAME, AT), (SEPARATOR, PLUS)):
        start, stop = records.starts[record, kind], records.stops[record, kind]
        _check_line(records.text[start:stop].tobytes(), mark, name, records.line_number(record, kind))
    raise BadReads(
        f"{name} is not FASTQ: line {records.line_number(record, QUALITIES)} has {qualities[record]} qualities "
        f"for the {records.lengths[record]} bases of line {records.line_number(record, BASES)}."
    )


def _check_line(line: bytes, mark: int, name: str, number: int) -> None:
    if line[:1] == bytes([mark]):
        return
    found = f"begins with {_shown(line)}" if line.strip() else "is empty"
    hint = "; bases and qualities must each stand on one line" if mark == PLUS else ""
    raise BadReads(f"{name} is not FASTQ: line {number} should begin with '{chr(mark)}' but {found}{hint}.")


def _shown(line: bytes) -> str:
    """Show the beginning of a line, with what cannot be printed escaped."""
    return repr(line[:20].decode("ascii", "backslashreplace").rstrip())


def _refuse(head: bytes, kinds: dict[bytes, str], name: str) -> None:
    for mark, sentence in kinds.items():
        if head.startswith(mark):
            raise BadReads(f"{name} {sentence}.")
