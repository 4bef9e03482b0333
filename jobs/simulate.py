"""Made-up viruses and sequencing reads of them, for tests, demonstrations and measurements."""

import gzip
import json
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jobs.fastq import packed

BASES = np.frombuffer(b"ACGT", dtype=np.uint8)
COMPLEMENT = bytes.maketrans(b"ACGTN", b"TGCAN")
SHORTEST_READ = 36
BATCH = 10_000
TRIMMED_SHARE = 0.2
DIP_SHARE = 0.06
WORST_QUALITY, BEST_QUALITY = 2, 40


def simulate_genome(seed: int, length: int = 8_000, gc: float = 0.43) -> str:
    """Give a random genome; the same seed gives the same one."""
    chances = [(1 - gc) / 2, gc / 2, gc / 2, (1 - gc) / 2]
    return np.random.default_rng(seed).choice(BASES, length, p=chances).tobytes().decode()


def simulate_reference(otus: int, seed: int, *, folder: Path, length: int = 2_000) -> Path:
    """Write a reference of viruses, each with two segments of one isolate, to `reference.json.gz` in the folder."""
    contents = {"data_type": "genome", "organism": "virus", "otus": [_otu(n, seed, length) for n in range(1, otus + 1)]}
    path = folder / "reference.json.gz"
    path.write_bytes(gzip.compress(json.dumps(contents).encode(), 1, mtime=0))
    return path


def _otu(number: int, seed: int, length: int) -> dict[str, Any]:
    name = f"Demonstration virus {number}"
    segments = ("RNA 1", "RNA 2")
    sequences = [
        {
            "_id": f"demo{number}s{each}",
            "accession": f"XX{number:06}.{each}",
            "definition": f"{name} segment {segment}, complete sequence",
            "host": "Nicotiana benthamiana",
            "segment": segment,
            "sequence": simulate_genome(seed + 2 * number + each, length),
        }
        for each, segment in enumerate(segments, 1)
    ]
    isolate = {"id": f"demo{number}", "source_type": "isolate", "source_name": f"Field {number}", "default": True}
    return {
        "_id": f"demo{number}",
        "name": name,
        "abbreviation": f"DV{number}",
        "schema": [{"name": segment, "molecule": "ssRNA+", "required": True} for segment in segments],
        "isolates": [{**isolate, "sequences": sequences}],
    }


def simulate_pairs(  # noqa: PLR0913 - a call names what it changes
    genome: str,
    count: int,
    seed: int,
    *,
    folder: Path,
    read_length: int = 150,
    fragment_length: int = 300,
) -> tuple[Path, Path]:
    """Write paired reads of a genome to `reads_1.fq.gz` and `reads_2.fq.gz` in the folder.

    Qualities fall along a read and differ between reads as an Illumina machine's do, bases are wrong as often as
    their qualities say, and one read in five is trimmed to a shorter length.
    """
    random = np.random.default_rng(seed)
    paths = (folder / "reads_1.fq.gz", folder / "reads_2.fq.gz")
    with ExitStack() as stack:
        writers = [stack.enter_context(packed(stack.enter_context(path.open("wb")))) for path in paths]
        for begin in range(0, count, BATCH):
            numbers = range(begin, min(begin + BATCH, count))
            sides = zip(*_pairs(genome.encode(), numbers, random, (read_length, fragment_length)), strict=True)
            for writer, side in zip(writers, sides, strict=True):
                writer.write(b"".join(side))
    return paths


def _pairs(
    genome: bytes, numbers: range, random: np.random.Generator, typical_lengths: tuple[int, int]
) -> Iterator[tuple[bytes, bytes]]:
    count = len(numbers)
    read_length, fragment_length = typical_lengths
    lengths = random.normal(fragment_length, fragment_length / 8, count).astype(int).clip(SHORTEST_READ, len(genome))
    starts = random.integers(0, len(genome) - lengths + 1)
    forward, reverse = (_Machine(random, count, read_length) for _ in range(2))
    for place, number in enumerate(numbers):
        fragment = genome[starts[place] : starts[place] + lengths[place]]
        opposite = fragment[::-1].translate(COMPLEMENT)
        if number % 2:
            fragment, opposite = opposite, fragment
        name = f"simulated:{number // 1000 + 1}:{number}"
        yield forward.record(f"{name} 1:N:0:1", place, fragment), reverse.record(f"{name} 2:N:0:1", place, opposite)


class _Machine:
    """The qualities, lengths and errors of a batch of reads."""

    def __init__(self, random: np.random.Generator, count: int, read_length: int) -> None:
        shortest = min(SHORTEST_READ, read_length)
        trimmed = random.integers(shortest, read_length + 1, count)
        self.lengths = np.where(random.random(count) < TRIMMED_SHARE, trimmed, read_length)
        self.qualities = _qualities(random, count, read_length)
        self.wrong = random.random(self.qualities.shape) < 10 ** (-self.qualities / 10)
        self.others = random.choice(BASES, self.qualities.shape)
        self.others[self.qualities == WORST_QUALITY] = ord("N")

    def record(self, name: str, place: int, fragment: bytes) -> bytes:
        length = min(self.lengths[place], len(fragment))
        bases = np.frombuffer(fragment[:length], dtype=np.uint8)
        called = np.where(self.wrong[place, :length], self.others[place, :length], bases).tobytes()
        qualities = (self.qualities[place, :length] + 33).astype(np.uint8).tobytes()
        return b"@%s\n%s\n+\n%s\n" % (name.encode(), called, qualities)


def _qualities(random: np.random.Generator, count: int, read_length: int) -> NDArray[np.int64]:
    along = 38 - 12 * (np.arange(read_length) / max(read_length, 1)) ** 2
    of_read = random.normal(0, 3, (count, 1))
    depths = random.integers(5, 25, (count, read_length))
    dips = np.where(random.random((count, read_length)) < DIP_SHARE, depths, 0)
    noisy = along + of_read + random.normal(0, 2, (count, read_length)) - dips
    return noisy.round().clip(WORST_QUALITY, BEST_QUALITY).astype(np.int64)
