import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from virtool_gql.tasks.removal import mend, reject, remove
from virtool_gql.tasks.sources import Changed, Gone, LeftAlone, Source, seen_in
from virtool_gql.tasks.writers import Writers

READS = b"@r\nACGT\n+\nIIII\n"


def put(folder: Path, name: str = "a.fq", content: bytes = READS) -> Source:
    (folder / name).write_bytes(content)
    return next(source for source in seen_in(folder)[0] if source.name == name)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_what_was_imported_is_removed_without_a_trace(tmp_path: Path) -> None:
    remove(tmp_path, put(tmp_path), Writers())
    assert names(tmp_path) == []
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    remove(tmp_path / "link", put(tmp_path / "real"), Writers())
    assert names(tmp_path / "real") == []


def test_many_are_removed_at_once(tmp_path: Path) -> None:
    sources = [put(tmp_path, f"{number}.fq") for number in range(500)]
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(lambda source: remove(tmp_path, source, Writers()), sources))
    assert names(tmp_path) == []


def test_what_took_its_place_is_put_back(tmp_path: Path) -> None:
    source = put(tmp_path)
    (tmp_path / "newer").write_bytes(b"newer")
    (tmp_path / "newer").rename(tmp_path / "a.fq")
    with pytest.raises(Changed):
        remove(tmp_path, source, Writers())
    assert names(tmp_path) == ["a.fq"]
    assert (tmp_path / "a.fq").read_bytes() == b"newer"


def test_what_was_written_to_or_is_being_written_is_put_back(tmp_path: Path) -> None:
    source = put(tmp_path)
    with (tmp_path / "a.fq").open("ab") as out:
        with pytest.raises(Changed):
            remove(tmp_path, source, Writers())
        out.write(READS)
    with pytest.raises(Changed):
        remove(tmp_path, source, Writers())
    assert (tmp_path / "a.fq").read_bytes() == READS * 2


def test_even_a_folder_that_took_its_place_is_put_back(tmp_path: Path) -> None:
    source = put(tmp_path)
    (tmp_path / "a.fq").unlink()
    (tmp_path / "a.fq" / "inner").mkdir(parents=True)
    with pytest.raises(Changed):
        remove(tmp_path, source, Writers())
    assert names(tmp_path) == ["a.fq"]
    assert names(tmp_path / "a.fq") == ["inner"]


def test_what_is_gone_is_gone(tmp_path: Path) -> None:
    source = put(tmp_path)
    (tmp_path / "a.fq").unlink()
    with pytest.raises(Gone):
        remove(tmp_path, source, Writers())
    assert names(tmp_path) == []


def test_what_a_killed_process_had_set_aside_is_settled(tmp_path: Path) -> None:
    imported, other = put(tmp_path, "imported.fq"), put(tmp_path, "other.fq")
    for source, content in ((imported, imported.content), (other, "1-2-3")):
        (tmp_path / ".virtool" / content).mkdir(parents=True)
        (tmp_path / source.name).rename(tmp_path / ".virtool" / content / source.name)
    put(tmp_path, "other.fq", b"newer")
    mend(tmp_path, Writers())
    assert names(tmp_path) == ["other (2).fq", "other.fq"]
    assert (tmp_path / "other.fq").read_bytes() == b"newer"
    assert (tmp_path / "other (2).fq").read_bytes() == READS
    mend(tmp_path, Writers())


def test_nothing_rejected_is_ever_overwritten(tmp_path: Path) -> None:
    for content in (b"first", b"second", b"third"):
        reject(tmp_path, put(tmp_path, "a.tar.gz", content), f"It is the {content.decode()}.")
    rejected = tmp_path / "rejected"
    kept = ["a (2).tar.gz", "a (3).tar.gz", "a.tar.gz"]
    assert names(rejected) == sorted(kept + [f"{name}.reason.txt" for name in kept])
    assert (rejected / "a.tar.gz").read_bytes() == b"first"
    assert (rejected / "a (3).tar.gz.reason.txt").read_text() == "It is the third.\n"
    put(tmp_path, "b.reason.txt", b"x")
    assert reject(tmp_path, put(tmp_path, "b.reason.txt"), "No.") == "b.reason.txt"


@pytest.mark.parametrize("name", ["x" * 251 + ".txt", "ü" * 127, os.fsdecode(b"\xff\xfe.txt"), "a\nb"])
def test_any_name_can_be_rejected(tmp_path: Path, name: str) -> None:
    put_name = reject(tmp_path, put(tmp_path, name), f"{name} is no file of reads.")
    assert (tmp_path / "rejected" / put_name).read_bytes() == READS
    assert (tmp_path / "rejected" / f"{put_name}.reason.txt").exists()


def test_a_file_that_was_exchanged_before_it_was_rejected_stays(tmp_path: Path) -> None:
    source = put(tmp_path, "a.fq", b"junk")
    put(tmp_path, "b.fq")
    (tmp_path / "b.fq").rename(tmp_path / "a.fq")
    with pytest.raises(Changed):
        reject(tmp_path, source, "It is junk.")
    (tmp_path / "a.fq").unlink()
    with pytest.raises(Gone):
        reject(tmp_path, source, "It is junk.")
    assert names(tmp_path / "rejected") == []


def test_nothing_is_moved_to_where_a_link_leads(tmp_path: Path) -> None:
    folder, elsewhere = tmp_path / "watch", tmp_path / "elsewhere"
    folder.mkdir()
    elsewhere.mkdir()
    source = put(folder, "a.txt")
    for name in ("rejected", ".virtool"):
        (folder / name).symlink_to(elsewhere)
    with pytest.raises(LeftAlone, match="rejected is no folder"):
        reject(folder, source, "No.")
    with pytest.raises(LeftAlone, match="virtool is no folder"):
        remove(folder, source, Writers())
    assert names(elsewhere) == []
    assert (folder / "a.txt").exists()
