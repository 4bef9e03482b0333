"""The bytes of a reference file: unpacked, whose size is bounded, and read as JSON."""

import gzip
import json
import zlib
from pathlib import Path
from typing import Any

MOST_BYTES = 512 * 1024 * 1024
"""How large a file may be when it is unpacked: twenty times the official reference."""

MOST_VALUES = 5_000_000
"""How many values the JSON may have, each of which takes far more memory than in the file: fifty times the official
reference has."""

CHUNK_BYTES = 1024 * 1024
GZIP = b"\x1f\x8b"
BOM = b"\xef\xbb\xbf"
BLANKS = b" \t\r\n"
LONGEST_NUMBER = 30


class Unreadable(Exception):
    """The file is not what it should be as a whole; the message is for whoever has uploaded it."""


class Doubled(dict[str, Any]):
    """An object of which `keys_twice` were given twice, with different values."""

    keys_twice: tuple[str, ...]


def read_json(path: Path, *, most_bytes: int = MOST_BYTES) -> Any:
    """Read JSON that is gzipped, or plain; raise Unreadable when it is neither."""
    contents = unpacked(path, most_bytes=most_bytes)
    if sum(map(contents.count, (b",", b"[", b"{"))) > MOST_VALUES:
        raise Unreadable(f"The file has more than {MOST_VALUES:,} values; that is too many.")
    return _parsed(_text(contents))


def unpacked(path: Path, *, most_bytes: int = MOST_BYTES) -> bytearray:
    """Give the bytes of a file, unpacked when it is gzipped; plain ones must look like JSON from their start."""
    with path.open("rb") as file:
        start = file.read(len(GZIP))
        file.seek(0)
        if start != GZIP:
            return _collected(file, most_bytes, "Not a gzipped file, and not JSON either.")
        with gzip.GzipFile(fileobj=file) as contents:
            try:
                return _collected(contents, most_bytes, "The gzipped file holds no JSON object.")
            except EOFError:
                raise Unreadable("The gzipped file was cut off: its end is missing.") from None
            except (gzip.BadGzipFile, zlib.error):
                raise Unreadable("The gzipped file is damaged: it cannot be unpacked.") from None


def _collected(file: Any, most_bytes: int, complaint: str) -> bytearray:
    """Read to the end, but nothing that is no object from its first character on."""
    contents = bytearray()
    while chunk := file.read(CHUNK_BYTES):
        contents += chunk
        if len(contents) > most_bytes:
            raise Unreadable(f"The file has more than {most_bytes:,} bytes when it is unpacked; that is too many.")
        if len(contents) == len(chunk):
            _check_start(chunk, complaint)
    if not contents:
        raise Unreadable(complaint)
    return contents


def _check_start(chunk: bytes, complaint: str) -> None:
    start = chunk.removeprefix(BOM).lstrip(BLANKS)
    if not start.startswith((b"{", b"[")):
        raise Unreadable(complaint)


def _text(contents: bytearray) -> str:
    try:
        return contents.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = contents.count(b"\n", 0, error.start) + 1
        raise Unreadable(f"The file is not UTF-8: line {line} has the byte 0x{contents[error.start]:02x}.") from None


def _parsed(text: str) -> Any:
    try:
        return json.loads(text, object_pairs_hook=_object, parse_int=_number)
    except json.JSONDecodeError as error:
        raise Unreadable(f"The file is not JSON: {error.msg} (line {error.lineno}, column {error.colno}).") from None
    except RecursionError:
        raise Unreadable("The file is not a reference: its JSON is nested too deeply.") from None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) == len(pairs):
        return found
    twice = {key for key, value in pairs if value != found[key]}
    if not twice:
        return found
    doubled = Doubled(found)
    doubled.keys_twice = tuple(sorted(twice))
    return doubled


def _number(digits: str) -> float:
    """Give a whole number; of one that is too long for anything Python would not even say what it is."""
    return int(digits) if len(digits) <= LONGEST_NUMBER else float(digits)
