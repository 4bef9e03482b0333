"""Connections to PostgreSQL."""

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from virtool_gql.stores.engine import engine_for


async def test_an_error_does_not_tell_what_was_written(postgres_url: str) -> None:
    engine = engine_for(postgres_url)
    try:
        async with engine.connect() as connection:
            with pytest.raises(DBAPIError) as failure:
                await connection.execute(text("SELECT CAST(:given AS TEXT), 1 / 0"), {"given": "$2b$12$hash"})
    finally:
        await engine.dispose()
    assert "division by zero" in str(failure.value)
    assert "$2b$12$hash" not in str(failure.value)
