import os
import socket
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from virtool_gql.errors import BadUserInput
from virtool_gql.tasks.reads import NotReads
from virtool_gql.tasks.sources import (
    Changed,
    Gone,
    PerhapsUnfinished,
    Source,
    Stopped,
    check_room,
    copy,
    inspect,
    is_abandoned,
    seen_in,
)
from virtool_gql.tasks.writers import Writers

READS = b"@r\nACGT\n+\nIIII\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "watch").mkdir()
    return tmp_path / "watch"


def put(folder: Path, name: str = "a.fq", content: bytes = READS) -> Source:
    (folder / name).write_bytes(content)
    return seen(folder, name)


def seen(folder: Path, name: str) -> Source:
    return next(source for source in seen_in(folder)[0] if source.name == name)


def test_what_is_hidden_or_on_its_way_is_not_seen(folder: Path) -> None:
    for name in (".a.fq", "b.fq.part", "c.fq.TMP", "d.crdownload", "e.fq~", "f.fq.filepart", "rejected"):
        (folder / name).write_bytes(READS)
    put(folder, "part.fq")
    (folder / "sub").mkdir()
    (folder / "link.fq").symlink_to("part.fq")
    os.mkfifo(folder / "pipe.fq")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(os.path.relpath(folder / "s.fq"))
    sources, others = seen_in(folder)
    assert [source.name for source in sources] == ["part.fq"]
    assert sorted(others) == ["link.fq", "pipe.fq", "s.fq", "sub"]


@pytest.mark.parametrize("name", ["a.fq", "a.FASTQ", "a b.fq.gz", "ü.Fastq.Gz", "a.b.fq"])
def test_names_of_reads(folder: Path, name: str) -> None:
    assert put(folder, name).is_reads


@pytest.mark.parametrize("name", ["fq", "a.fa", "a.fq.bz2", "a.fastq.gz.zip", "afq", "a.gz", "a.fq\n"])
def test_names_of_others(folder: Path, name: str) -> None:
    source = put(folder, name)
    assert not source.is_reads
    with pytest.raises(NotReads, match="name does not end"):
        inspect(folder, source, Writers())


def test_each_content_of_a_file_has_a_key_of_its_own(folder: Path) -> None:
    first = put(folder)
    assert seen(folder, "a.fq").key == first.key
    keys = {first.key, put(folder, content=READS * 2).key, put(folder, content=READS).key}
    (folder / "a.fq").rename(folder / "b.fq")
    keys |= {seen(folder, "b.fq").key, put(folder).key}
    assert len(keys) == 5
    os.utime(folder / "a.fq", ns=(first.mtime_ns, first.mtime_ns))
    assert seen(folder, "a.fq").key not in keys


def test_a_name_that_cannot_be_shown_is_refused(folder: Path) -> None:
    source = put(folder, os.fsdecode(b"caf\xe9.fq"))
    assert source.key
    with pytest.raises(BadUserInput, match="U\\+DCE9"):
        inspect(folder, source, Writers())


def test_a_file_that_is_open_for_writing_is_not_settled(folder: Path) -> None:
    source = put(folder)
    with (folder / "a.fq").open("ab"), pytest.raises(Changed):
        inspect(folder, source, Writers())
    inspect(folder, source, Writers())


def test_links_and_what_took_a_files_place_are_not_opened(folder: Path) -> None:
    source = put(folder)
    (folder / "a.fq").rename(folder / "b.fq")
    with pytest.raises(Gone):
        inspect(folder, source, Writers())
    (folder / "a.fq").symlink_to("b.fq")
    with pytest.raises(Changed):
        inspect(folder, source, Writers())
    (folder / "a.fq").unlink()
    os.mkfifo(folder / "a.fq")
    with pytest.raises(Changed):
        inspect(folder, source, Writers())


def test_where_writers_may_hide_a_file_that_is_cut_off_may_be_unfinished(folder: Path) -> None:
    source, writers = put(folder, content=READS + b"@r"), Writers()
    with pytest.raises(NotReads):
        inspect(folder, source, writers)
    writers.remote = True
    with pytest.raises(PerhapsUnfinished):
        inspect(folder, source, writers)


def never() -> bool:
    return False


def test_a_copy_is_locked_while_somebody_is_at_work(folder: Path, tmp_path: Path) -> None:
    content = READS * 200_000
    source, target = put(folder, content=content), tmp_path / "copy"
    assert is_abandoned(target) is None
    made = copy(folder, source, target, Writers(), never)
    assert target.read_bytes() == content
    assert is_abandoned(target) is False
    os.close(made)
    assert is_abandoned(target) is True


def grow(path: Path) -> None:
    with path.open("ab") as out:
        out.write(READS)


@pytest.mark.parametrize("deed", [grow, Path.unlink])
def test_a_source_that_changes_or_vanishes_while_it_is_copied_is_found_out(
    folder: Path, tmp_path: Path, deed: Callable[[Path], None]
) -> None:
    source = put(folder)

    def meanwhile() -> bool:
        deed(folder / "a.fq")
        return False

    with pytest.raises((Changed, Gone)):
        copy(folder, source, tmp_path / "copy", Writers(), meanwhile)
    assert is_abandoned(tmp_path / "copy") is True


def test_a_copy_stops_when_it_is_told(folder: Path, tmp_path: Path) -> None:
    stopped = threading.Event()
    stopped.set()
    with pytest.raises(Stopped):
        copy(folder, put(folder), tmp_path / "copy", Writers(), stopped.is_set)
    assert is_abandoned(tmp_path / "copy") is True


def test_a_file_for_which_there_is_no_room_is_not_begun(folder: Path) -> None:
    (folder / "a.fq").touch()
    os.truncate(folder / "a.fq", 1 << 42)
    with pytest.raises(OSError, match="No space left"):
        check_room(folder, seen(folder, "a.fq"))
    check_room(folder, put(folder))
