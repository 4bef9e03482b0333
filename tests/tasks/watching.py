"""A watch folder at work, and what came of it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from tests.factories.conditions import until
from virtool_gql.db.database import Database
from virtool_gql.models.files import File
from virtool_gql.query import Order, Page
from virtool_gql.tasks.watch_folder import WatchFolder

QUIET_SECONDS = 0.3
READS = b"@r\nACGT\n+\nIIII\n"


@asynccontextmanager
async def watched(db: Database, *, quiet_seconds: float = QUIET_SECONDS, polling: bool = False) -> AsyncIterator[Path]:
    """Have a folder watched while the block lasts."""
    folder = folder_of(db)
    async with WatchFolder(folder, db.files, quiet_seconds=quiet_seconds, polling=polling).running():
        await until(folder.is_dir)
        yield folder


def folder_of(db: Database) -> Path:
    return db.places.data_path / "watch"


async def files(db: Database) -> list[File]:
    return (await db.store.find(File, order=(Order("name"),), page=Page(first=None))).documents


async def imported(db: Database, *names: str) -> list[File]:
    """Wait until exactly the files of these names are ready, and their sources removed."""

    async def ready() -> bool:
        rows = await files(db)
        gone = not any((folder_of(db) / name).exists() for name in names)
        return gone and sorted(row.name for row in rows if row.ready) == sorted(names)

    await until(ready)
    return await files(db)


def rejected(folder: Path, name: str) -> str:
    """Give the reason for which a file was rejected; empty when it was not."""
    path = folder / "rejected" / f"{name}.reason.txt"
    return path.read_text() if path.exists() and (folder / "rejected" / name).exists() else ""
