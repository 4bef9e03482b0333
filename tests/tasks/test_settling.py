"""When files count as quiet; time is what the test says."""

import math
from pathlib import Path

from virtool_gql.tasks.settling import Look, Settling


def settled(look: Look) -> list[str]:
    return [candidate.source.name for candidate in look.settled]


def test_a_file_is_given_once_when_it_was_quiet_for_long_enough(tmp_path: Path) -> None:
    settling = Settling(tmp_path, 5)
    (tmp_path / "b.fq").write_bytes(b"x")
    first = settling.look(100)
    assert (settled(first), first.next_due) == ([], 105)
    (tmp_path / "a.fq").write_bytes(b"x")
    assert settled(settling.look(104.9)) == []
    (tmp_path / "b.fq").write_bytes(b"xy")
    second = settling.look(105)
    assert (settled(second), second.next_due) == ([], 109.9)
    third = settling.look(110)
    assert settled(third) == ["a.fq", "b.fq"]
    assert [candidate.quiet_seconds for candidate in third.settled] == [110 - 104.9, 5]
    last = settling.look(200)
    assert (settled(last), last.next_due) == ([], math.inf)


def test_what_is_given_back_is_given_again_if_it_is_still_the_same(tmp_path: Path) -> None:
    settling = Settling(tmp_path, 5)
    for name in ("same.fq", "other.fq", "gone.fq"):
        (tmp_path / name).write_bytes(b"x")
    settling.look(0)
    for candidate in settling.look(5).settled:
        settling.again(candidate.source, 20)
    (tmp_path / "other.fq").write_bytes(b"xy")
    (tmp_path / "gone.fq").unlink()
    look = settling.look(10)
    assert (settled(look), look.next_due) == ([], 15)
    assert settled(settling.look(15)) == ["other.fq"]
    assert settled(settling.look(20)) == ["same.fq"]


def test_a_thing_is_news_once_for_each_content(tmp_path: Path) -> None:
    settling = Settling(tmp_path, 0)
    (tmp_path / "a.fq").write_bytes(b"x")
    (first,) = settling.look(0).settled
    assert [settling.is_news(first.source, word) for word in ("one", "one", "two")] == [True, False, True]
    (tmp_path / "a.fq").write_bytes(b"xy")
    (second,) = settling.look(1).settled
    assert settling.is_news(second.source, "two")


def test_other_things_are_told_when_they_are_new(tmp_path: Path) -> None:
    settling = Settling(tmp_path, 0)
    (tmp_path / "folder").mkdir()
    assert [settling.look(0).others, settling.look(1).others] == [["folder"], []]
    (tmp_path / "folder" / "inner").touch()
    (tmp_path / "link").symlink_to("folder")
    assert settling.look(2).others == ["link"]
