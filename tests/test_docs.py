"""The guides: what they point at is there."""

import re
from pathlib import Path

import pytest

from virtool_gql.errors import ErrorCode

ROOT = Path(__file__).resolve().parents[1]
GUIDES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").glob("*.md"))]
MODULE = re.compile(r"`((?:\w+/)*\w+\.py)`")
MODULES = [
    path.as_posix()
    for folder in ("virtool_gql", "schema", "resolvers", "jobs", "tests")
    for path in Path(ROOT, folder).rglob("*.py")
]


@pytest.mark.parametrize("guide", GUIDES, ids=lambda guide: guide.name)
def test_links_lead_somewhere(guide: Path) -> None:
    for target in re.findall(r"\]\((?!https?:)([^)#]*)", guide.read_text()):
        assert (guide.parent / target).exists(), target


@pytest.mark.parametrize("guide", GUIDES, ids=lambda guide: guide.name)
def test_modules_that_are_named_are_there(guide: Path) -> None:
    for name in MODULE.findall(guide.read_text()):
        assert any(module.endswith(f"/{name}") for module in MODULES), name


def test_each_error_code_is_explained() -> None:
    text = (ROOT / "docs" / "api.md").read_text()
    assert [code for code in ErrorCode if f"`{code}`" not in text] == []
