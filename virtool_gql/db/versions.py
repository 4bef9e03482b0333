"""How the versions of releases are compared: as Semantic Versioning has it, with or without a `v` before them."""

import re
from dataclasses import dataclass

VERSION = re.compile(
    r"v?(?P<major>\d{1,9})(\.(?P<minor>\d{1,9}))?(\.(?P<patch>\d{1,9}))?"
    r"(-(?P<pre>[0-9a-z-]+(\.[0-9a-z-]+)*))?(\+[0-9a-z.-]+)?",
    re.IGNORECASE | re.ASCII,
)

Part = tuple[int, int, str]


@dataclass(frozen=True, slots=True, order=True)
class Version:
    """A version; `finished` puts what is no pre-release behind all of its pre-releases."""

    numbers: tuple[int, ...]
    finished: bool
    pre: tuple[Part, ...]


OLDEST = Version((), finished=False, pre=())
"""What comes before every version."""


def version_of(text: str) -> Version | None:
    """Read a version; None for a text that is none."""
    match = VERSION.fullmatch(text.strip())
    if match is None:
        return None
    numbers = tuple(int(match[name] or 0) for name in ("major", "minor", "patch"))
    pre = match["pre"]
    return Version(numbers, pre is None, tuple(_part(part) for part in pre.split(".")) if pre else ())


def _part(text: str) -> Part:
    """Give a part of a pre-release as it is compared: numbers by their size and before words."""
    return (0, int(text), "") if text.isdigit() else (1, 0, text.lower())


def is_newer(name: str, than: str) -> bool:
    """Tell whether a release is newer; of names that are no versions, whether they are others."""
    one, other = version_of(name), version_of(than)
    return name != than if one is None or other is None else one > other


def stage(name: str) -> str:
    """Give what a release is by its name: `alpha`, `beta` or `stable`."""
    lower = name.lower()
    return next((word for word in ("alpha", "beta") if word in lower), "stable")
