import pytest

from schema.payloads import MENDABLE, ErrorCode, UserError
from virtool_gql.errors import BadUserInput, DuplicateValue, StaleDocument, VirtoolError


@pytest.mark.parametrize("kind", MENDABLE)
def test_every_error_that_a_user_can_mend_has_a_code(kind: type[VirtoolError]) -> None:
    assert UserError.of(kind("Sentence.")).code is ErrorCode[kind.code]


def test_errors_are_told_in_the_names_of_the_api() -> None:
    error = UserError.of(BadUserInput("Sentence.", path=["file_ids", "0"]))
    assert (error.message, error.path) == ("Sentence.", ["fileIds", "0"])
    assert UserError.of(StaleDocument("Late.")).code is ErrorCode.CONFLICT
    assert UserError.of(DuplicateValue("Taken.")).code is ErrorCode.CONFLICT
