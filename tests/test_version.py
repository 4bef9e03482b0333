import subprocess
from pathlib import Path

import pytest

from virtool_gql import __version__
from virtool_gql.version import running, version


def git(folder: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=Ada", "-c", "user.email=ada@example.org"]
    command = ["git", "-C", str(folder), *identity, *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    git(tmp_path, "init", "-q")
    git(tmp_path, "commit", "-q", "--allow-empty", "-m", "first")
    return tmp_path


def test_a_tag_is_the_version(clone: Path) -> None:
    git(clone, "tag", "v1.2.3")
    assert version(clone) == "1.2.3"


def test_commits_after_a_tag_are_told(clone: Path) -> None:
    git(clone, "tag", "v1.2.3")
    git(clone, "commit", "-q", "--allow-empty", "-m", "second")
    assert version(clone) == f"1.2.3-1-g{git(clone, 'rev-parse', '--short', 'HEAD')}"


def test_without_a_tag_the_commit_is_told(clone: Path) -> None:
    assert version(clone) == f"{__version__}+g{git(clone, 'rev-parse', '--short', 'HEAD')}"


def test_a_file_holds_the_version_where_there_is_no_git(tmp_path: Path) -> None:
    (tmp_path / "VERSION").write_text("2.0.0\n")
    assert version(tmp_path) == "2.0.0"


def test_a_repository_above_is_another_project(clone: Path) -> None:
    git(clone, "tag", "v9")
    (clone / "below").mkdir()
    assert version(clone / "below") == __version__


def test_a_broken_repository_does_no_harm(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    assert version(tmp_path) == __version__


def test_what_runs_knows_its_version() -> None:
    assert running() == version()
