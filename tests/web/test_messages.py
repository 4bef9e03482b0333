import pytest

from virtool_gql.errors import ErrorCode
from virtool_gql.web.errors import RequestError
from virtool_gql.web.messages import Close, ClosingError, decode_message, request_of

HALF_A_CHARACTER = '"\\ud800"'


def test_a_message_is_read() -> None:
    message = decode_message('{"id":"1","type":"subscribe","payload":{"query":"{ name }","operationName":"A"}}')
    assert (message.type, message.id, message.payload is not None) == ("subscribe", "1", True)
    assert request_of(message.payload or {}).operation_name == "A"


def test_the_id_of_an_unreadable_operation_is_known() -> None:
    message = decode_message(f'{{"id":"1","type":"subscribe","payload":{{"query":{HALF_A_CHARACTER}}}}}')
    assert (message.type, message.id) == ("subscribe", "1")
    assert message.payload is not None
    with pytest.raises(RequestError) as error:
        request_of(message.payload)
    assert error.value.refusal.code is ErrorCode.BAD_USER_INPUT


@pytest.mark.parametrize(
    "text",
    [
        "",
        "nonsense",
        "[]",
        '{"id":"1","type":"subscribe","payload":{',
        f'{{"type":"ping","payload":{{"a":{HALF_A_CHARACTER}}}}}',
        f'{{"payload":{{"query":{HALF_A_CHARACTER}}},"id":"1","type":"subscribe"}}',
    ],
)
def test_what_is_no_message_closes_the_socket(text: str) -> None:
    with pytest.raises(ClosingError) as error:
        decode_message(text)
    assert error.value.code is Close.BAD_MESSAGE


@pytest.mark.parametrize("payload", [{}, {"query": 1}, {"query": "{ name }", "variables": []}])
def test_what_is_no_request_closes_the_socket(payload: dict[str, object]) -> None:
    with pytest.raises(ClosingError):
        request_of(payload)
