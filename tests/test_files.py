"""Where bytes live: nothing but an id becomes a part of a path."""

from pathlib import Path

import pytest

from virtool_gql.errors import NotFound
from virtool_gql.files import Places


def test_the_folders_are_made_and_stay(tmp_path: Path) -> None:
    places = Places(tmp_path / "data")
    places.create()
    places.file("a1").write_bytes(b"reads")
    places.create()
    assert places.file("a1").read_bytes() == b"reads"
    assert places.reads("s1", 2) == tmp_path / "data" / "samples" / "s1" / "reads_2.fq.gz"
    assert places.job_log("j1") == tmp_path / "data" / "logs" / "jobs" / "j1.log"


def test_the_folders_are_closed_to_others_where_the_data_path_is_not(tmp_path: Path) -> None:
    places = Places(tmp_path)
    tmp_path.chmod(0o755)
    places.create()
    for folder in (places.files, places.samples, places.logs.parent, places.logs, places.services):
        assert folder.stat().st_mode & 0o777 == 0o700, folder


@pytest.mark.parametrize("id", ["", "..", "a/b", "../../etc/passwd", "a\0", "A", "a\n", "é", "a" * 65])
def test_what_is_no_id_leads_nowhere(id: str, tmp_path: Path) -> None:
    places = Places(tmp_path)
    for place in (places.file, places.sample, places.job_log, lambda name: places.reads(name, 1)):
        with pytest.raises(NotFound):
            place(id)
