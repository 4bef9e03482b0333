from datetime import UTC, datetime, timedelta, timezone

import pytest

from virtool_gql.files import ID
from virtool_gql.models.documents import moment_of, new_id, timestamp


@pytest.mark.parametrize(
    ("moment", "text"),
    [
        (datetime(2026, 1, 31, 12, tzinfo=UTC), "2026-01-31T12:00:00.000Z"),
        (datetime(2026, 1, 31, 12, 0, 0, 999_999, tzinfo=UTC), "2026-01-31T12:00:00.999Z"),
        (datetime(2026, 1, 31, 23, tzinfo=timezone(timedelta(hours=-2))), "2026-02-01T01:00:00.000Z"),
        (datetime(1, 1, 1, tzinfo=UTC), "0001-01-01T00:00:00.000Z"),
    ],
)
def test_timestamps_have_one_width_and_zone(moment: datetime, text: str) -> None:
    assert timestamp(moment) == text
    assert timestamp(moment_of(timestamp(moment))) == text


def test_ids_are_ids_and_differ() -> None:
    ids = {new_id() for _ in range(1_000)}
    assert len(ids) == 1_000
    assert all(ID.fullmatch(id) for id in ids)
