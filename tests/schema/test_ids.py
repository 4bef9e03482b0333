import pytest

from schema.ids import PREFIXES, global_id, parsed, stored_id, stored_ids
from virtool_gql.errors import NotFound
from virtool_gql.models.documents import new_id


@pytest.mark.parametrize("prefix", PREFIXES)
def test_an_id_comes_back(prefix: str) -> None:
    stored = new_id()
    assert global_id(prefix, stored) == f"{prefix}_{stored}"
    assert parsed(global_id(prefix, stored)) == (prefix, stored)
    assert stored_id(prefix, global_id(prefix, stored)) == stored


@pytest.mark.parametrize(
    "id", ["", "sample", "sample_", "_x", "plant_7", "sample_X", "sample_a/b", "sample_\0", "SAMPLE_a"]
)
def test_what_is_no_id_is_none(id: str) -> None:
    assert parsed(id) is None
    assert stored_ids("sample", [id, "sample_a", "job_b"]) == {"a"}


def test_an_id_of_another_type_names_the_field_that_it_was_given_in() -> None:
    with pytest.raises(NotFound, match=r"There is no group of the id “job_x”\.") as refused:
        stored_id("group", "job_x", "groupId")
    assert refused.value.path == ("groupId",)
    with pytest.raises(NotFound) as refused:
        stored_id("group", "x" * 10_000)
    assert len(refused.value.message) < 200
