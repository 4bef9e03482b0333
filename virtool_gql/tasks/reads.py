"""A cheap look at whether a file holds reads: how it begins and, if it is not compressed, how it ends.

The whole of it is checked when a sample is made from it.
"""

import os
import zlib
from collections.abc import Iterator

from virtool_gql.errors import BadUserInput

GZIP = b"\x1f\x8b"
AS_GZIP = 31  # zlib's number for a gzip stream
BLOCK_BYTES = 256 << 10
LONGEST_RECORD_BYTES = 16 << 20
MOST_BLOCKS = 1_000
"""In which a first record must be whole: a gzip file can consist of any number of parts that hold nothing."""
TAIL_BYTES = 64 << 10
RECORD_LINES = 4
BEGINNINGS = {
    b"BZh": "It is compressed with bzip2; give it plain or compressed with gzip.",
    b"\xfd7zXZ": "It is compressed with xz; give it plain or compressed with gzip.",
    b"\x28\xb5\x2f\xfd": "It is compressed with zstd; give it plain or compressed with gzip.",
    b"PK\x03\x04": "It is a ZIP archive; give the FASTQ file that is in it.",
    b">": "It is FASTA, not FASTQ: it has no qualities.",
}


class NotReads(BadUserInput):
    """A file is not FASTQ; the sentence says why."""


class CutOff(NotReads):
    """A file could be FASTQ, but for its end, which is missing."""


def check_reads(handle: int, name: str, size: int) -> None:
    """Look at an open file; raise NotReads when it is not FASTQ, plain or gzipped as its name says."""
    if not size:
        raise CutOff("It is empty.")
    head = os.pread(handle, 8, 0)
    packed = head.startswith(GZIP)
    if name.lower().endswith(".gz") and not packed:
        raise NotReads("It is called .gz but is not compressed with gzip.")
    try:
        _check_first_record(_unpacked(handle) if packed else _blocks(handle))
    except zlib.error as error:
        raise NotReads(f"It is a damaged gzip file ({error}).") from error
    if not packed:
        _check_last_record(handle, size)


def _blocks(handle: int) -> Iterator[bytes]:
    offset = 0
    while block := os.pread(handle, BLOCK_BYTES, offset):
        yield block
        offset += len(block)


def _unpacked(handle: int) -> Iterator[bytes]:
    """Unpack a gzip file of any number of members."""
    member = None
    for packed in _blocks(handle):
        waiting = packed
        while waiting:
            member = member or zlib.decompressobj(AS_GZIP)
            yield member.decompress(waiting, BLOCK_BYTES)
            waiting = member.unused_data.lstrip(b"\0") if member.eof else member.unconsumed_tail
            member = None if member.eof else member
    while member and (rest := member.decompress(b"", BLOCK_BYTES)):
        yield rest
    if member and not member.eof:
        raise CutOff("It is a gzip file that is cut off.")


def _check_first_record(blocks: Iterator[bytes]) -> None:
    text, ends = bytearray(), 0
    for number, block in enumerate(blocks):
        if number == MOST_BLOCKS:
            raise NotReads("It is not FASTQ: there is nothing at its beginning.")
        text += block
        ends += block.count(b"\n")
        if ends >= RECORD_LINES:
            break
        _refuse_other_formats(text)
        if len(text) > LONGEST_RECORD_BYTES:
            raise NotReads("It is not FASTQ: its first record is longer than any read.")
    _refuse_other_formats(text)
    lines = bytes(text).split(b"\n")[:RECORD_LINES]
    if not lines[0].startswith(b"@"):
        raise NotReads("It is not FASTQ: its first line does not begin with '@'.")
    if len(lines) < RECORD_LINES:
        raise CutOff("It is cut off in its first record.")
    if not lines[2].startswith(b"+"):
        raise NotReads("It is not FASTQ: its third line does not begin with '+'.")
    if not _alike(lines):
        raise (NotReads if ends >= RECORD_LINES else CutOff)(
            "It is not FASTQ: its first record has not as many qualities as bases."
        )


def _refuse_other_formats(text: bytearray) -> None:
    for mark, sentence in BEGINNINGS.items():
        if text.startswith(mark):
            raise NotReads(sentence)


def _check_last_record(handle: int, size: int) -> None:
    """See that the file does not end within a record; of records longer than what is looked at, nothing is said."""
    begin = max(0, size - TAIL_BYTES)
    lines = os.pread(handle, TAIL_BYTES, begin).rstrip(b"\r\n").split(b"\n")
    whole = lines[1:] if begin else lines
    if len(whole) >= RECORD_LINES - 1 and whole[-1].startswith(b"+") and not whole[-2].strip():
        return  # a read without bases, whose empty line of qualities was stripped
    last = whole[-RECORD_LINES:]
    if len(last) == RECORD_LINES and not (last[0].startswith(b"@") and last[2].startswith(b"+") and _alike(last)):
        raise CutOff("It is cut off: its last record is not whole.")


def _alike(lines: list[bytes]) -> bool:
    return len(lines[1].rstrip(b"\r")) == len(lines[3].rstrip(b"\r"))
