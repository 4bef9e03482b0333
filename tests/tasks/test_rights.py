"""A watch folder as seen by a server whose user has few rights."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.tasks.powerless import NOBODY

READS = b"@r\nACGT\n+\nIIII\n"


@pytest.fixture
def folder() -> Iterator[Path]:
    """Give a folder that other users can get at."""
    folder = Path(tempfile.mkdtemp(prefix="vt-watch-"))
    folder.chmod(0o777)
    yield folder
    shutil.rmtree(folder)


def put(folder: Path, name: str, mode: int = 0o644, owner: int = 0) -> None:
    (folder / name).write_bytes(READS)
    if os.geteuid() == 0:
        os.chown(folder / name, owner, owner)
    (folder / name).chmod(mode)


def said_by_the_powerless(folder: Path) -> dict[str, str]:
    command = [sys.executable, "-m", "tests.tasks.powerless", str(folder)]
    root = Path(__file__).resolve().parents[2]
    lines = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True).stdout.splitlines()
    return {line.partition(" ")[0]: line.partition(" ")[2] for line in lines}


def test_what_cannot_be_read_is_left_alone_and_others_files_are_taken(folder: Path) -> None:
    put(folder, "closed.fq", 0o000)
    put(folder, "open.fq")
    assert said_by_the_powerless(folder) == {
        "folder": "well",
        "closed.fq": "it cannot be read (Permission denied)",
        "open.fq": "well",
    }


def test_a_folder_without_rights_is_told(folder: Path) -> None:
    folder.chmod(0o555)
    assert said_by_the_powerless(folder)["folder"].startswith("the server's user must be allowed to read, write")


def test_what_only_its_owner_may_remove_is_left_alone(folder: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("left out: another user's files can be made by root alone")
    folder.chmod(0o1777)
    put(folder, "own.fq", owner=NOBODY)
    put(folder, "others.fq")
    said = said_by_the_powerless(folder)
    assert said["own.fq"] == "well"
    assert "sticky bit" in said["others.fq"]
