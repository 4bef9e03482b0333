"""How far a broken gzip file can be read: the fast reader gives nothing of the block in which it finds the damage."""

import zlib
from pathlib import Path

GZIP_ONLY = 31
STEP_BYTES = 64 << 10
FINE_STEP_BYTES = 64


class _Lines:
    """Counts the line ends of what is unpacked, over all members of a gzip file."""

    def __init__(self) -> None:
        self.count = 0
        self._unpacker = zlib.decompressobj(GZIP_ONLY)

    def add(self, packed: bytes) -> None:
        while packed:
            self.count += self._unpacker.decompress(packed).count(b"\n")
            packed = self._unpacker.unused_data.lstrip(b"\0")
            if self._unpacker.eof:
                self._unpacker = zlib.decompressobj(GZIP_ONLY)

    def copy(self) -> "_Lines":
        other = _Lines()
        other.count, other._unpacker = self.count, self._unpacker.copy()
        return other


def readable_lines(path: Path) -> int:
    """Count the whole lines that can be unpacked before a gzip file is damaged or ends."""
    lines = _Lines()
    with path.open("rb") as file:
        while packed := file.read(STEP_BYTES):
            before = lines.copy()
            try:
                lines.add(packed)
            except zlib.error:
                return _finely(before, packed)
    return lines.count


def _finely(lines: _Lines, packed: bytes) -> int:
    try:
        for start in range(0, len(packed), FINE_STEP_BYTES):
            lines.add(packed[start : start + FINE_STEP_BYTES])
    except zlib.error:
        pass
    return lines.count
