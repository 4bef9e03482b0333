"""The quality of sequencing reads, from one numpy pass over them.

What FastQC 0.11.9 computes with `--nogroup`, for every position by itself; verified against it.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import zip_longest

import numpy as np
from numpy.typing import NDArray

from jobs.fastq import BASES, QUALITIES, BadReads, Bytes, Records
from virtool_gql.models.samples import Quality

Counts = NDArray[np.int64]

POSITIONS = 10_000
"""Positions behind it have no rows of their own in a quality document, so that long reads cannot burst it."""

LOWEST, HIGHEST = ord("!"), ord("~")
LEVELS = HIGHEST - LOWEST + 1
GATC = b"GATC"
OTHER = len(GATC)
INVALID = 255
MEANS = 50
PERCENTILES = (50, 25, 75, 10, 90)


def _base_codes() -> Bytes:
    codes = np.full(256, INVALID, dtype=np.uint8)
    for letter in b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz.-*":
        codes[letter] = OTHER
    for code, letter in enumerate(GATC):
        codes[[letter, ord(chr(letter).lower())]] = code
    return codes


BASE_CODES = _base_codes()


@dataclass
class QualityCounts:
    """What is counted of the reads of one file, in memory that does not grow with their number.

    `positions` has the shape (positions, bases G A T C other, quality characters from `!`); `means` counts the reads
    by their mean quality character, rounded down; `bases` counts G, A, T, C and others at all positions.
    """

    name: str
    count: int = 0
    shortest: int = 0
    longest: int = 0
    lowest: int = HIGHEST
    first_read: str = ""
    positions: Counts = field(default_factory=lambda: np.zeros((0, OTHER + 1, LEVELS), dtype=np.int64))
    means: Counts = field(default_factory=lambda: np.zeros(LEVELS, dtype=np.int64))
    bases: Counts = field(default_factory=lambda: np.zeros(OTHER + 1, dtype=np.int64))

    def add(self, records: Records) -> None:
        """Count a block of reads; raise BadReads where a character is neither base nor quality."""
        lengths = records.lengths
        bases, qualities = records.bases_and_qualities()
        codes = BASE_CODES[bases]
        self._check(records, lengths, codes, qualities)
        self.first_read = self.first_read or records.name(0)
        self.shortest = min(self.shortest, int(lengths.min())) if self.count else int(lengths.min())
        self.longest = max(self.longest, int(lengths.max()))
        self.count += len(lengths)
        if len(qualities):
            self.lowest = min(self.lowest, int(qualities.min()))
            self._count(lengths, codes, qualities)

    def _check(self, records: Records, lengths: Counts, codes: Bytes, qualities: Bytes) -> None:
        wrong = codes == INVALID
        if wrong.any():
            record = _record_of(int(np.argmax(wrong)), lengths)
            line = records.line_number(record, BASES)
            raise BadReads(f"{self.name} is not FASTQ: line {line} holds something other than bases.")
        wrong = (qualities < LOWEST) | (qualities > HIGHEST)
        if wrong.any():
            record = _record_of(int(np.argmax(wrong)), lengths)
            line = records.line_number(record, QUALITIES)
            character = repr(chr(qualities[np.argmax(wrong)]))
            raise BadReads(f"{self.name} is not FASTQ: line {line} holds {character}, which stands for no quality.")

    def _count(self, lengths: Counts, codes: Bytes, qualities: Bytes) -> None:
        filled = lengths[lengths > 0]
        begins = np.cumsum(filled) - filled
        sums = np.add.reduceat(qualities, begins, dtype=np.int64)
        self.means += np.bincount(sums // filled - LOWEST, minlength=LEVELS)
        at = np.arange(len(codes)) - np.repeat(begins, filled)
        if self.longest > POSITIONS:
            self.bases += np.bincount(codes[at >= POSITIONS], minlength=OTHER + 1)
            head = at < POSITIONS
            codes, qualities, at = codes[head], qualities[head], at[head]
        self._grow(min(int(filled.max()), POSITIONS))
        at *= OTHER + 1
        at += codes
        at *= LEVELS
        at += qualities
        at -= LOWEST
        self._tally(at)

    def _tally(self, cells: Counts) -> None:
        """Add one to each of the cells of `positions`; many cells and few reads are better added one by one."""
        flat = self.positions.reshape(-1)
        if flat.size > 4 * cells.size:
            np.add.at(flat, cells, 1)
        else:
            flat += np.bincount(cells, minlength=flat.size)

    def _grow(self, positions: int) -> None:
        missing = positions - len(self.positions)
        if missing > 0:
            more = np.zeros((missing, OTHER + 1, LEVELS), dtype=np.int64)
            self.positions = np.concatenate((self.positions, more))

    def base_counts(self) -> Counts:
        """Count G, A, T, C and others over all reads, shape (5,)."""
        counts: Counts = self.bases + self.positions.sum(axis=(0, 2))
        return counts


def _record_of(base: int, lengths: Counts) -> int:
    return int(np.searchsorted(np.cumsum(lengths), base, side="right"))


def encoding_of(lowest: int) -> tuple[str, int]:
    """Tell the encoding of qualities, and what it adds to them, from the lowest character (FastQC's rule)."""
    if lowest < ord("@"):
        return "Sanger / Illumina 1.9", 33
    return ("Illumina 1.3" if lowest == ord("A") else "Illumina 1.5"), 64


def quality_of(sides: Iterable[QualityCounts]) -> Quality:
    """Give the quality of the reads of one file, or of both files of pairs together.

    Means over the two files are means of their values, position by position; where one file's reads are longer than
    the other's, its values stand alone. Bases are rounded to 3 decimals, the composition to 1.
    """
    sides = list(sides)
    encoding, offset = encoding_of(min(side.lowest for side in sides if side.lowest <= HIGHEST))
    return Quality(
        count=sum(side.count for side in sides),
        encoding=encoding,
        length=(min(side.shortest for side in sides), max(side.longest for side in sides)),
        gc=sum(gc_percent(side) for side in sides) / len(sides),
        bases=_mean_rows([base_qualities(side.positions.sum(axis=1), offset) for side in sides], decimals=3),
        composition=_mean_rows([composition(side.positions.sum(axis=2)) for side in sides], decimals=1),
        sequences=_mean_quality_counts(sides, offset),
    )


def gc_percent(side: QualityCounts) -> int:
    """Give 100 * (G + C) / (A + C + G + T) of one file, rounded down; 0 when there is no base."""
    g, a, t, c, _ = (int(count) for count in side.base_counts())
    return 100 * (g + c) // max(g + a + t + c, 1)


def base_qualities(histograms: Counts, offset: int) -> NDArray[np.float64]:
    """Give mean, median, lower and upper quartile, 10th and 90th percentile for each position, shape (positions, 6).

    `histograms` counts the quality characters from `!` at each position, shape (positions, 94). Percentile p of n
    qualities is the lowest quality that at least floor(n * p / 100) of them do not exceed (FastQC's rule), and never
    one below the lowest that there is.
    """
    qualities = np.arange(LEVELS) + LOWEST - offset
    totals = histograms.sum(axis=1)
    means = (histograms @ qualities) / np.maximum(totals, 1)
    cumulative = histograms.cumsum(axis=1)
    columns = [means]
    for percentile in PERCENTILES:
        rank = np.maximum(totals * percentile // 100, 1)
        columns.append(qualities[np.argmax(cumulative >= rank[:, None], axis=1)])
    return np.stack(columns, axis=1)


def composition(counts: Counts) -> NDArray[np.float64]:
    """Give G, A, T and C in percent of these four for each position; `counts` and the result are (positions, 4+)."""
    four = counts[:, : len(GATC)]
    # In FastQC's order, so that what lies between two roundings is rounded as it is there.
    percents: NDArray[np.float64] = four / np.maximum(four.sum(axis=1, keepdims=True), 1) * 100
    return percents


def _mean_rows(sides: list[NDArray[np.float64]], decimals: int) -> tuple[tuple[float, ...], ...]:
    rows = (np.mean([row for row in of_sides if row is not None], axis=0) for of_sides in zip_longest(*sides))
    return tuple(tuple(round(float(value), decimals) for value in row) for row in rows)


def _mean_quality_counts(sides: list[QualityCounts], offset: int) -> tuple[int, ...]:
    """Count the reads by mean quality 0 to 49; better ones count as 49."""
    means = sum((side.means for side in sides), np.zeros(LEVELS, dtype=np.int64))[offset - LOWEST :]
    counts = np.zeros(max(MEANS, len(means)), dtype=np.int64)
    counts[: len(means)] = means
    counts[MEANS - 1] += counts[MEANS:].sum()
    return tuple(int(count) for count in counts[:MEANS])
