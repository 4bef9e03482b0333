from virtool_gql.db.fasta import BASES_AT_ONCE, batches, entry, file_name
from virtool_gql.models.otus import Sequence


def sequence(length: int) -> Sequence:
    return Sequence(
        id=str(length),
        reference_id="r",
        otu_id="o",
        isolate_id="i",
        accession="",
        definition="",
        length=length,
    )


def test_sequences_are_read_together_up_to_a_number_of_bases() -> None:
    lengths = [1, BASES_AT_ONCE - 1, 1, BASES_AT_ONCE + 1, 0, 5]
    assert [[each.length for each in batch] for batch in batches(map(sequence, lengths))] == [
        [1, BASES_AT_ONCE - 1],
        [1],
        [BASES_AT_ONCE + 1],
        [0, 5],
    ]
    assert list(batches([])) == []


def test_a_name_makes_one_line_and_one_file_name() -> None:
    assert entry("A\nB/C", "s", "AC") == ">A B/C/s/2\nAC"
    assert file_name("A b", "C") == "a_b.c.fa"
