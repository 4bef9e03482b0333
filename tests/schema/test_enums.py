from enum import StrEnum

import pytest

from schema.enums import described


class Colour(StrEnum):
    """Something to describe."""

    RED = "red"
    BLUE = "blue"


def test_no_value_stays_without_a_description() -> None:
    with pytest.raises(KeyError, match="blue"):
        described(Colour, "A colour.", {Colour.RED: "Like a rose."})
