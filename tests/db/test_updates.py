import msgspec
import pytest
from msgspec import UNSET, UnsetType

from virtool_gql.db.updates import check_version, to_values, with_values
from virtool_gql.errors import Conflict, StaleDocument
from virtool_gql.models.settings import Settings


class Changes(msgspec.Struct, frozen=True):
    length: int | UnsetType = UNSET
    name: str | UnsetType | None = UNSET


def test_what_is_not_set_is_no_value_and_null_is_one() -> None:
    assert to_values(Changes()) == {}
    assert to_values(Changes(name=None)) == {"name": None}


def test_values_that_are_there_already_give_the_very_same() -> None:
    settings = Settings(id="settings", minimum_password_length=9)
    assert with_values(settings, {"minimum_password_length": 9}) is settings
    assert with_values(settings, {}) is settings
    assert with_values(settings, {"minimum_password_length": 10}).minimum_password_length == 10


def test_another_version_than_the_expected_one_is_a_conflict_that_is_not_tried_again() -> None:
    settings = Settings(id="settings", version=3)
    check_version(settings, None, "settings")
    check_version(settings, 3, "settings")
    with pytest.raises(Conflict, match="Somebody else changed the settings first") as refused:
        check_version(settings, 2, "settings")
    assert not isinstance(refused.value, StaleDocument)
