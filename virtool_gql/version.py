"""The version of this copy: what git calls it, what its VERSION file says, or the release it descends from."""

import subprocess
from functools import cache
from pathlib import Path

from virtool_gql import __version__

ROOT = Path(__file__).resolve().parent.parent
GIT_SECONDS = 5.0


def version(root: Path = ROOT) -> str:
    """Give the version of the copy in the folder."""
    return _described(root) or _written(root) or __version__


@cache
def running() -> str:
    """Give the version of what runs, which does not change before the next start."""
    return version()


def _described(root: Path) -> str | None:
    """Ask git, but only about the folder itself: one above it may be another project."""
    if not (root / ".git").exists():
        return None
    tag = _git(root, "describe", "--tags")
    if tag:
        return tag.removeprefix("v")
    commit = _git(root, "rev-parse", "--short", "HEAD")
    return f"{__version__}+g{commit}" if commit else None


def _git(root: Path, *arguments: str) -> str:
    command = ["git", "-C", str(root), *arguments]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=GIT_SECONDS, check=False)  # noqa: S603 no input of anybody's
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def _written(root: Path) -> str | None:
    try:
        return (root / "VERSION").read_text().strip() or None
    except OSError:
        return None
