"""What is in the file of a release of a reference."""

from typing import Any

from virtool_gql.db.reference_json import Unreadable, read_json
from virtool_gql.executors import run_in_thread
from virtool_gql.models.references import Release
from virtool_gql.tasks.work import Held, TaskFailed


async def contents_of(held: Held, release: Release) -> Any:
    """Download the file of a release, and read it; raise TaskFailed when it is no reference at all."""
    instance = held.instance
    source, folder = instance.outside.references, instance.places.data_path
    async with source.file_of(release, folder, held.within) as path:
        try:
            return await run_in_thread(read_json, path)
        except Unreadable as error:
            raise TaskFailed(f"The file of the release {release.name} cannot be used: {error}") from error
