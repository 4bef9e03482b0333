"""How the tables of PostgreSQL came to be what they are."""

from pathlib import Path

from sqlalchemy import Connection, text

from virtool_gql.stores.engine import engine_for
from virtool_gql.stores.failures import translated

LOCK = 0x7669727573  # any number that nobody else uses


async def migrate(url: str, revision: str = "head") -> None:
    """Bring the tables to what this version needs; of several servers that start at once, one does it."""
    engine = engine_for(url, command_seconds=None)
    try:
        with translated():
            async with engine.begin() as connection:
                await connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
                await connection.run_sync(_upgrade, revision)
    finally:
        await engine.dispose()


def _upgrade(connection: Connection, revision: str) -> None:
    from alembic import command  # job processes never need it
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, revision)
