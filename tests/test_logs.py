import logging

from virtool_gql.logs import LineFormatter


def test_a_record_is_one_line_whatever_it_holds() -> None:
    cause = ValueError("first\nsecond")
    error = (ValueError, cause, None)
    record = logging.LogRecord("virtool_gql.web", logging.ERROR, "", 0, "a %s", ('"\n2026 level=info forged',), error)
    record.request_id = "r1"
    line = LineFormatter().format(record)
    assert "\n" not in line
    assert r' level=error logger=virtool_gql.web request=r1 message="a \"\n2026 level=info forged" traceback=' in line


def test_a_record_without_request_and_error() -> None:
    record = logging.LogRecord("virtool_gql", logging.INFO, "", 0, "ready", (), None)
    record.created, record.msecs = 0.0, 7.0
    assert LineFormatter().format(record) == ('1970-01-01T00:00:00.007Z level=info logger=virtool_gql message="ready"')
