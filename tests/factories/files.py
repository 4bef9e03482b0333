"""Uploaded files."""

from tests.factories.users import viewer_named
from virtool_gql.db.database import Database
from virtool_gql.models.files import File, FileType
from virtool_gql.models.users import Permission

READS = b"@read\nACGT\n+\nIIII\n"


async def begun_file(db: Database, name: str = "reads.fq", type: FileType = FileType.READS) -> File:
    """Begin an upload, with some bytes."""
    file = await db.files.begin(viewer_named("uploader", Permission.UPLOAD_FILE), name, type)
    db.places.file(file.id).write_bytes(READS)
    return file


async def ready_file(db: Database, name: str = "reads.fq", type: FileType = FileType.READS) -> File:
    return await db.files.finish(await begun_file(db, name, type), len(READS))


async def ready_file_ids(db: Database, count: int = 1) -> tuple[str, ...]:
    return tuple([(await ready_file(db, f"reads_{number}.fq")).id for number in range(1, count + 1)])
