import pytest

from virtool_gql.db.names import comparable, file_name, multi_line, name_key, single_line, told_when_taken, user_handle
from virtool_gql.errors import BadUserInput, Conflict, DuplicateValue


@pytest.mark.parametrize(
    ("sent", "stored"),
    [
        ("reads_1.fq.gz", "reads_1.fq.gz"),
        ("../../etc/passwd", "passwd"),
        ("C:\\fakepath\\reads.fq", "reads.fq"),
        ("Blätter + 3 (copy).fastq", "Blätter + 3 (copy).fastq"),
        ("Bla\u0308tter.fq", "Blätter.fq"),
        ("קריאות.fq", "קריאות.fq"),
        ("reads\u202egz.qf", "readsgz.qf"),
        ("\u200f\u2067reads.fq\u2069", "reads.fq"),
        ("  reads.fq ", "reads.fq"),
        ("x" * 255, "x" * 255),
    ],
)
def test_a_file_name_is_the_last_part_without_marks_that_turn_its_direction(sent: str, stored: str) -> None:
    assert file_name(sent) == stored


@pytest.mark.parametrize(
    "sent",
    ["", " ", "..", "a/..", "../", "a\0b", "a\nb", "a\x7fb", "a\u0085b", "a\u2028b", "a\ud800b", "\u202e", "x" * 256],
)
def test_a_file_name_that_is_none_is_refused(sent: str) -> None:
    with pytest.raises(BadUserInput) as error:
        file_name(sent)
    assert error.value.path == ("name",)


def test_a_long_name_is_told_the_limit() -> None:
    with pytest.raises(BadUserInput, match="has 10000 characters; at most 255 are allowed"):
        file_name("x" * 10_000)


def test_a_refused_character_is_named() -> None:
    with pytest.raises(BadUserInput, match=r"must not contain the invisible character U\+0000"):
        single_line("Le\0af", "name")


def test_notes_keep_their_lines() -> None:
    assert multi_line("one\r\n\ttwo\n", "notes", longest=100) == "one\n\ttwo"
    with pytest.raises(BadUserInput):
        multi_line("one\x1b[31m", "notes", longest=100)


@pytest.mark.parametrize(
    ("sent", "stored"),
    [("Alice", "Alice"), (" alice ", "alice"), ("\uff41\uff4c\uff49\uff43\uff45", "alice"), ("李 雷", "李 雷")],
)
def test_a_handle_is_normalised(sent: str, stored: str) -> None:
    assert user_handle(sent) == stored


@pytest.mark.parametrize(
    "sent",
    [
        "",
        "  ",
        "a:b",
        "ali\u200bce",
        "ali\u202ece",
        "ali\u00adce",
        "ali\u3164ce",
        "ali\ufe0fce",
        "a\tb",
        "a\0",
        "x" * 65,
    ],
)
def test_a_handle_that_cannot_be_told_apart_is_refused(sent: str) -> None:
    with pytest.raises(BadUserInput) as error:
        user_handle(sent)
    assert error.value.path == ("handle",)


@pytest.mark.parametrize("sent", ["virtool", "Virtool", "\uff56irtool"])
def test_a_reserved_handle_is_refused(sent: str) -> None:
    with pytest.raises(BadUserInput, match="Reserved user name"):
        user_handle(sent)


def test_names_that_look_alike_compare_alike() -> None:
    assert len({comparable(name) for name in ("STRASSE", "straße", "\uff33trasse")}) == 1
    assert len({comparable(name) for name in ("Bla\u0308tter", "Blätter", "BLÄTTER")}) == 1
    assert comparable("leaf 1") != comparable("leaf 2")


@pytest.mark.parametrize("name", ["", " ", "\u3000", "\u200b", "\u3164\u2060", "\ufeff \u200d", "\u2800"])
def test_a_name_that_draws_nothing_is_none(name: str) -> None:
    with pytest.raises(BadUserInput, match="A value is needed for name"):
        single_line(name, "name", may_be_empty=False)
    assert name_key(name) == ""


@pytest.mark.parametrize("name", ["virologists", "\uff36IROLOGISTS", "Viro\u200blogists", "Virologists\u2060 "])
def test_names_are_compared_without_what_draws_nothing(name: str) -> None:
    assert name_key(name) == "virologists"


def test_words_of_a_name_stay_words() -> None:
    assert name_key("Plant \u200b  Virologists") == "plant virologists" != name_key("PlantVirologists")


def test_of_values_that_are_taken_only_the_name_is_told_in_its_own_words() -> None:
    taken = told_when_taken("name_key", "name", "This name is taken.")
    with pytest.raises(Conflict, match=r"This name is taken\.") as told, taken:
        raise DuplicateValue("The name_key is taken.", path=["name_key"])
    assert told.value.path == ("name",)
    taken = told_when_taken("name_key", "name", "This name is taken.")
    with pytest.raises(DuplicateValue, match="creation_key"), taken:
        raise DuplicateValue("The creation_key is taken.", path=["creation_key"])
