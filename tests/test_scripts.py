"""The commands of people who work on the project."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SCRIPTS = ("script/setup", "script/server", "script/test", "script/check", "script/lock", ".ci/run")


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_script_is_executable_and_stops_at_a_mistake(name: str) -> None:
    assert os.access(ROOT / name, os.X_OK)
    assert "set -euo pipefail" in (ROOT / name).read_text()
    subprocess.run(["bash", "-n", str(ROOT / name)], check=True)


@pytest.mark.parametrize("lock", ["main", "dev"])
def test_a_lock_has_hashes_and_no_address(lock: str) -> None:
    text = (ROOT / "requirements" / f"{lock}.txt").read_text()
    packages = [line for line in text.splitlines() if line and not line.startswith((" ", "#"))]
    assert packages
    assert all("==" in package and package.endswith("\\") for package in packages)
    assert "://" not in text


def test_the_locks_agree() -> None:
    main, dev = (set((ROOT / "requirements" / f"{name}.txt").read_text().splitlines()) for name in ("main", "dev"))
    assert main <= dev


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A copy of the set-up without dependencies, and without the explorer."""
    for folder in ("script", "requirements"):
        (tmp_path / folder).mkdir()
    shutil.copy(ROOT / "script" / "setup", tmp_path / "script")
    (tmp_path / "requirements" / "main.txt").write_text("")
    return tmp_path


def set_up(clone: Path, purpose: str = "main") -> str:
    return subprocess.run(["script/setup", purpose], cwd=clone, check=True, capture_output=True, text=True).stderr


def test_a_clone_is_set_up_once(clone: Path) -> None:
    assert "Installing Python packages" in set_up(clone)
    assert set_up(clone) == ""


def test_a_new_lock_is_installed(clone: Path) -> None:
    set_up(clone)
    (clone / "requirements" / "main.txt").write_text("# changed\n")
    assert "Installing Python packages" in set_up(clone)


def test_a_broken_environment_is_made_anew(clone: Path) -> None:
    set_up(clone)
    shutil.rmtree(clone / ".venv" / "lib")
    (clone / ".venv" / ".main.stamp").unlink()
    assert "Installing Python packages" in set_up(clone)
    subprocess.run([clone / ".venv" / "bin" / "python", "-c", "import pip"], check=True)


def test_a_clone_that_was_moved_is_set_up_anew(clone: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    set_up(clone)
    moved = tmp_path_factory.mktemp("moved") / "clone"
    clone.rename(moved)
    assert "Installing Python packages" in set_up(moved)
    subprocess.run([moved / ".venv" / "bin" / "pip", "--version"], check=True)


def test_what_is_set_up_is_not_written(clone: Path) -> None:
    set_up(clone)
    shutil.rmtree(clone / ".tools")
    assert set_up(clone) == ""
    assert not (clone / ".tools").exists()


def test_a_clone_that_cannot_be_written_says_what_to_do(clone: Path) -> None:
    (clone / ".tools").write_text("")  # which keeps root, too, from making the folder
    done = subprocess.run(["script/setup"], cwd=clone, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        f"{clone} is not set up yet and cannot be written: run script/setup main as the user whom it belongs to.\n"
    )


def test_checks_need_neither_the_explorer_nor_the_tools_of_tests(clone: Path) -> None:
    (clone / "requirements" / "dev.txt").write_text("")
    (clone / "explorer").mkdir()
    (clone / "explorer" / "package.json").write_text("no JSON")
    assert set_up(clone, "dev") == "Installing Python packages ...\n"


def test_without_the_right_to_install_the_missing_packages_are_named_at_once(clone: Path) -> None:
    programs = clone / "programs"
    programs.mkdir()
    (clone / "explorer").mkdir()
    (clone / "explorer" / "package.json").write_text("{}")
    for name in ("bash", "cat", "dirname", "find", "flock", "mkdir", "sha256sum", "sort", "xargs"):
        (programs / name).symlink_to(shutil.which(name) or "")
    (programs / "id").write_text("#!/bin/sh\necho 1000\n")
    (programs / "id").chmod(0o755)
    done = subprocess.run(
        ["script/setup"], cwd=clone, env={"PATH": str(programs)}, capture_output=True, text=True, check=False
    )
    assert done.returncode != 0
    assert done.stderr == (
        "Missing: python3 python3-venv npm. Install first: sudo apt-get install python3 python3-venv npm\n"
    )
