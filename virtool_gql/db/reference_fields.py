"""The objects of a reference file, whose values are asked for one by one; what is not as it must be is noted."""

import json
import math
from collections.abc import Iterator
from typing import Any

from virtool_gql.db.names import NAME_LENGTH, single_line
from virtool_gql.db.reference_findings import Findings
from virtool_gql.db.reference_json import Doubled
from virtool_gql.errors import BadUserInput

LONGEST_SHOWN = 60
MOST_KEYS_SHOWN = 5
MISSING: Any = object()


class Part:
    """One object of the file; `otu_id` and `otu_name` say which OTU it is of, as soon as that is known."""

    def __init__(self, value: Any, path: str, findings: Findings, otu: "Part | None" = None) -> None:
        self.path = path
        self.findings = findings
        self.otu_id: str | None = None
        self.otu_name: str | None = None
        self._otu = otu or self
        self.is_object = isinstance(value, dict)
        self._values: dict[str, Any] = value if self.is_object else {}
        if not self.is_object:
            self.wrong(f"{path or 'The file'} must be an object, not {shown(value)}.")
        elif isinstance(value, Doubled):
            self.wrong(f"{path or 'The file'} has two different values for {_listed(value.keys_twice)}.")

    def wrong(self, message: str) -> None:
        self.findings.wrong(message, self._otu.otu_id, self._otu.otu_name)

    def odd(self, message: str) -> None:
        self.findings.odd(message, self._otu.otu_id, self._otu.otu_name)

    def gives(self, key: str) -> bool:
        """Tell whether there is a value, or null."""
        return key in self._values

    def lacks(self, key: str) -> bool:
        """Tell whether there is no value, or null."""
        return self._values.get(key) is None

    def label(self, key: str) -> str | None:
        """Give a text that something can be called by, and say nothing when there is none."""
        value = self._values.get(key)
        if not isinstance(value, str) or not value.isprintable() or len(value) > NAME_LENGTH:
            return None
        return value.strip() or None

    def at(self, key: str) -> str:
        """Give the place of a value in the file."""
        return f"{self.path}.{key}" if self.path else key

    def line(
        self, key: str, *, required: bool = False, may_be_empty: bool = True, longest: int = NAME_LENGTH
    ) -> str | None:
        """Give a text without white space around it; None for null, and for what is not there.

        What is `required` must be there, and must not be null unless it may be empty.
        """
        value = self._values.get(key, MISSING)
        if value is MISSING or value is None:
            if required and (value is MISSING or not may_be_empty):
                self.wrong(f"{self.at(key)} is missing.")
            return None
        if not isinstance(value, str):
            self.wrong(f"{self.at(key)} must be a text, not {shown(value)}.")
            return None
        if 0 < len(value) <= longest and value.isascii() and value.isprintable() and value == value.strip():
            return value
        return self._cleaned(value, key, longest, may_be_empty=may_be_empty)

    def _cleaned(self, value: str, key: str, longest: int, *, may_be_empty: bool) -> str | None:
        text = value.strip() if value.isprintable() else " ".join(value.split())
        try:
            line = single_line(text, key.strip("_"), longest=longest)
        except BadUserInput as error:
            self.wrong(f"{self.at(key)} cannot be used: {error.message}")
            return None
        if not line and not may_be_empty:
            self.wrong(f"{self.at(key)} is empty.")
            return None
        if line != value:
            self.odd(f"{self.at(key)} was tidied up to “{line}”: it had white space or invisible characters.")
        return line

    def text(self, key: str) -> str | None:
        """Give a required text of any length as it is."""
        value = self._values.get(key)
        if isinstance(value, str):
            return value
        self.wrong(
            f"{self.at(key)} is missing." if value is None else f"{self.at(key)} must be a text, not {shown(value)}."
        )
        return None

    def flag(self, key: str, default: bool | None = None) -> bool:
        """Give a truth value, which must be there when it has no default."""
        value = self._values.get(key)
        if isinstance(value, bool):
            return value
        if value is not None:
            self.wrong(f"{self.at(key)} must be true or false, not {shown(value)}.")
        elif default is None:
            self.wrong(f"{self.at(key)} is missing.")
        return bool(default)

    def length(self, key: str) -> int | None:
        """Give a whole number from 1 on, or None."""
        value = self._values.get(key)
        if value is None:
            return None
        if isinstance(value, int) and not isinstance(value, bool) and 0 < value < 2**31:
            return value
        self.wrong(f"{self.at(key)} must be a whole number from 1 on, not {shown(value)}.")
        return None

    def parts(self, key: str, *, required: bool = False) -> "list[Part]":
        """Give the objects of a list; what it is of, they are of too."""
        return list(self.each(key, otus=False, required=required))

    def each(self, key: str, *, otus: bool, required: bool = False) -> "Iterator[Part]":
        """Give the objects of a list, each of which may be an OTU."""
        value = self._values.get(key)
        if isinstance(value, list):
            for i, item in enumerate(value):
                part = Part(item, f"{self.at(key)}[{i}]", self.findings, None if otus else self._otu)
                if part.is_object:
                    yield part
        elif value is not None:
            self.wrong(f"{self.at(key)} must be a list, not {shown(value)}.")
        elif required:
            self.wrong(f"{self.at(key)} is missing.")

    def count(self, key: str) -> int:
        """Tell how long a list is."""
        value = self._values.get(key)
        return len(value) if isinstance(value, list) else 0


def shown(value: Any) -> str:
    """Say in a few characters what a value is."""
    if isinstance(value, dict):
        return "an object"
    if isinstance(value, list):
        return "a list"
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity"
    short = value[: LONGEST_SHOWN + 1] if isinstance(value, str) else value
    text = json.dumps(short)
    return text if len(text) <= LONGEST_SHOWN else f"{text[:LONGEST_SHOWN]}…"


def _listed(keys: tuple[str, ...]) -> str:
    return ", ".join(shown(key) for key in keys[:MOST_KEYS_SHOWN])
