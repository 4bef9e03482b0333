"""Simulated reads: the same from the same seed, in pairs, and of the genome that they are said to be of."""

import gzip
from pathlib import Path

from jobs.simulate import COMPLEMENT, SHORTEST_READ, simulate_genome, simulate_pairs, simulate_reference
from tests.factories.reference_files import read_reference


def records(path: Path) -> list[list[str]]:
    lines = gzip.decompress(path.read_bytes()).decode().splitlines()
    return [lines[start : start + 4] for start in range(0, len(lines), 4)]


def test_the_same_seed_gives_the_same_bytes(tmp_path: Path) -> None:
    folders = [tmp_path / name for name in "abc"]
    for folder in folders:
        folder.mkdir()
    assert simulate_genome(1) == simulate_genome(1) != simulate_genome(2)
    [first, again, other] = [
        simulate_pairs(simulate_genome(1), 100, seed, folder=folder)
        for seed, folder in zip((1, 1, 2), folders, strict=True)
    ]
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in again]
    assert [path.read_bytes() for path in first] != [path.read_bytes() for path in other]


def test_pairs_come_from_the_genome_with_few_errors(tmp_path: Path) -> None:
    genome = simulate_genome(1, 2_000)
    strands = (genome, genome.encode()[::-1].translate(COMPLEMENT).decode())
    pairs = [records(path) for path in simulate_pairs(genome, 500, 2, folder=tmp_path)]
    assert [len(side) for side in pairs] == [500, 500]
    lengths, exact = set(), 0
    for forward, reverse in zip(*pairs, strict=True):
        assert forward[0].split()[0] == reverse[0].split()[0]
        for name, bases, plus, qualities in (forward, reverse):
            assert name.startswith("@simulated:")
            assert plus == "+"
            assert len(bases) == len(qualities)
            lengths.add(len(bases))
            exact += any(bases[:30] in strand for strand in strands)
    assert min(lengths) >= SHORTEST_READ
    assert max(lengths) == 150
    assert len(lengths) > 20
    assert exact > 700


def test_short_genomes_and_reads_work(tmp_path: Path) -> None:
    paths = simulate_pairs(simulate_genome(1, 100), 10, 1, folder=tmp_path, read_length=20, fragment_length=60)
    assert all(len(record[1]) <= 20 for path in paths for record in records(path))


def test_a_reference_is_one_that_can_be_imported(tmp_path: Path) -> None:
    path = simulate_reference(3, 1, folder=tmp_path, length=50)
    file = read_reference(path, strict=True)
    assert (file.problems, file.warnings, len(file.otus)) == ((), (), 3)
    sequences = [sequence.sequence for otu in file.otus for isolate in otu.isolates for sequence in isolate.sequences]
    assert len(set(sequences)) == 6
    assert simulate_reference(3, 1, folder=tmp_path, length=50).read_bytes() == path.read_bytes()
