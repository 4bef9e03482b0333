import random

import pytest

from virtool_gql.db.versions import OLDEST, is_newer, stage, version_of

# The order that Semantic Versioning gives as its example, and ours around it.
ORDERED = [
    *("0.9", "1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-alpha.beta", "1.0.0-beta", "1.0.0-beta.2", "1.0.0-beta.11"),
    *("1.0.0-rc.1", "1.0.0", "v1.0.1", "1.2", "v1.9.0", "1.10.0", "2"),
]


def test_versions_are_ordered() -> None:
    shuffled = random.Random(1).sample(ORDERED, len(ORDERED))  # noqa: S311 - no secret
    assert sorted(shuffled, key=lambda text: version_of(text) or OLDEST) == ORDERED


@pytest.mark.parametrize(
    ("name", "than", "newer"),
    [
        *(("v1.4.1", "v1.4.0", True), ("1.4.0", "v1.4.0", False), ("v1.10.0", "v1.9.0", True)),
        *(("v1.4.0", "v1.5.0", False), ("v1.4.0", "v1.4.0-beta.1", True), ("1.4.0+a", "1.4.0+b", False)),
        *(("spring", "winter", True), ("spring", "spring", False), ("v1", "spring", True)),
        *(("1.0", "0.1.0+gabc123", True), ("0.1.0", "0.1.0-3-gabc123", True)),
    ],
)
def test_newer(name: str, than: str, *, newer: bool) -> None:
    assert is_newer(name, than) is newer


@pytest.mark.parametrize("text", ["", "v", "one", "1.2.3.4", "-1", "1..2", "1.2.3-", "٣.1.2", "1" * 30, "1.0.0-a..b"])
def test_what_is_no_version(text: str) -> None:
    assert version_of(text) is None


@pytest.mark.parametrize(
    ("name", "expected"),
    [("v1.0.0", "stable"), ("v1.0.0-alpha.1", "alpha"), ("v1.0.0-Beta2", "beta"), ("v1.0.0-rc.1", "stable")],
)
def test_stages(name: str, expected: str) -> None:
    assert stage(name) == expected
