"""The file manager: imports what is put into the watch directory, and keeps files and their rows in step."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

from virtool_gql.config import Config
from virtool_gql.db.database import Database
from virtool_gql.tasks.file_sync import FileSync
from virtool_gql.tasks.watch_folder import WatchFolder


@asynccontextmanager
async def file_manager(config: Config, db: Database) -> AsyncIterator[None]:
    """Manage the files while the block lasts."""
    polling = config.watch_polling
    folder = WatchFolder(config.watch_path, db.files, quiet_seconds=config.watch_quiet_seconds, polling=polling)
    sync = FileSync(db.instance, grace=timedelta(hours=config.stray_grace_hours), polling=polling)
    async with sync.running(), folder.running():
        yield
