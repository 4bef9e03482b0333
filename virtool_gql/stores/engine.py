"""Connections to PostgreSQL."""

from typing import Any

from sqlalchemy import event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

POOL_SIZE = 8
CONNECT_SECONDS = 10
COMMAND_SECONDS = 60
SETTINGS = {
    "jit": "off",
    "TimeZone": "UTC",
    "application_name": "virtool-gql",
    # What a process that stands still has locked is let go of, so that whoever takes its work over can go on.
    "idle_in_transaction_session_timeout": "60s",
}


def engine_for(url: str, *, command_seconds: float | None = COMMAND_SECONDS) -> AsyncEngine:
    """Make an engine for a `postgresql://` URL; it connects when it is first used."""
    engine = create_async_engine(
        _for_asyncpg(url),
        pool_size=POOL_SIZE,
        max_overflow=POOL_SIZE // 2,
        hide_parameters=True,  # an error that is logged must not tell what was written
        connect_args={"timeout": CONNECT_SECONDS, "command_timeout": command_seconds, "server_settings": SETTINGS},
    )
    event.listen(engine.sync_engine, "checkout", _refuse_closed)
    return engine


def _for_asyncpg(url: str) -> URL:
    """Accept the URLs that libpq accepts."""
    parsed = make_url(url)
    ssl = parsed.query.get("sslmode")
    if ssl is not None:
        parsed = parsed.difference_update_query(["sslmode"]).update_query_dict({"ssl": ssl})
    return parsed.set(drivername="postgresql+asyncpg")


def _refuse_closed(connection: Any, _: Any, __: Any) -> None:
    """Have the pool open another connection in place of one that the server has closed since."""
    if connection.driver_connection.is_closed():
        raise DisconnectionError
