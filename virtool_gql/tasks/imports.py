"""How one file of the watch directory becomes a row with bytes.

The row is made first and knows its source by a key that no two rows have: of several servers one imports a file, and
one that was killed at any moment imports no file twice. Then the bytes are copied, the row becomes ready, and only
then the source is removed.
"""

import asyncio
import logging
import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from virtool_gql.db.files import Files
from virtool_gql.errors import BadUserInput, Conflict, VirtoolError
from virtool_gql.executors import run_in_thread
from virtool_gql.models.documents import moment_of
from virtool_gql.models.files import File
from virtool_gql.tasks.removal import reject, remove
from virtool_gql.tasks.settling import FOR_GOOD, Candidate
from virtool_gql.tasks.sources import (
    Changed,
    Gone,
    LeftAlone,
    PerhapsUnfinished,
    Source,
    check_room,
    copy,
    inspect,
    is_abandoned,
)
from virtool_gql.tasks.writers import Writers

log = logging.getLogger(__name__)

SOON_SECONDS = 5.0
RIGHTS_SECONDS = 600.0
BEGINNING_SECONDS = 60.0
"""For how long an import may be without any bytes before it counts as abandoned."""
PATIENCE = 10
"""How many times longer a file may be quiet that is cut off, where nobody can tell whether it is being written."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a file: when to look at it again, if at all, and what the operator is to know."""

    again_seconds: float = FOR_GOOD
    message: str = ""


DONE = Outcome()


class Imports:
    """Imports files of one folder."""

    def __init__(
        self, folder: Path, files: Files, writers: Writers, quiet_seconds: float, is_stopped: Callable[[], bool]
    ) -> None:
        self._folder = folder
        self._files = files
        self._places = files.instance.places
        self._clock = files.instance.clock
        self._writers = writers
        self._quiet_seconds = quiet_seconds
        self._is_stopped = is_stopped

    async def take(self, candidate: Candidate) -> Outcome:
        """Import a file that is settled, or reject it, or say when to look at it again."""
        source = candidate.source
        try:
            return await self._take(source)
        except (Gone, Changed):
            return Outcome(self._quiet_seconds)  # which is nothing for a file that is not there
        except PerhapsUnfinished as error:
            patience = PATIENCE * self._quiet_seconds - candidate.quiet_seconds
            return Outcome(patience) if patience > 0 else await self._rejected(source, str(error))
        except LeftAlone as error:
            return Outcome(RIGHTS_SECONDS, f"The file {source.shown} is left in the watch folder: {error}.")

    async def _take(self, source: Source) -> Outcome:
        try:
            await run_in_thread(self._look_into, source)
        except BadUserInput as error:
            return await self._rejected(source, error.message)
        file = await self._files.begin_import(source.name, source.key)
        if file is None:
            return await self._met_again(source)
        await self._import(file, source)
        await run_in_thread(remove, self._folder, source, self._writers)
        log.info("Imported %s as file_%s (%d bytes).", source.shown, file.id, source.size)
        return DONE

    def _look_into(self, source: Source) -> None:
        inspect(self._folder, source, self._writers)
        check_room(self._places.files, source)

    async def _rejected(self, source: Source, reason: str) -> Outcome:
        try:
            name = await run_in_thread(reject, self._folder, source, reason)
        except (Gone, Changed):
            return Outcome(self._quiet_seconds)
        except LeftAlone as error:
            return Outcome(RIGHTS_SECONDS, f"The file {source.shown} should be rejected ({reason}), but {error}.")
        log.warning("Rejected %s, as %s: %s", source.shown, ascii(name), reason)
        return DONE

    async def _import(self, file: File, source: Source) -> None:
        made = None
        try:
            made = await run_in_thread(
                copy, self._folder, source, self._places.file(file.id), self._writers, self._is_stopped
            )
            await self._files.finish(file, source.size)
        except BaseException:
            await asyncio.shield(self._abandon(file))
            raise
        finally:
            if made is not None:
                await run_in_thread(os.close, made)

    async def _abandon(self, file: File) -> None:
        try:
            await self._files.abandon(file)
        except VirtoolError as error:
            log.warning("What came of the import %s is left to the sweep: %s", file.id, error.message)

    async def _met_again(self, source: Source) -> Outcome:
        """Decide on a source of which there is a row: finish what was killed, and leave it to whoever is at work."""
        file = await self._files.imported(source.key)
        if file is None:
            return Outcome(0)
        if file.ready:
            await run_in_thread(remove, self._folder, source, self._writers)
            log.info("Removed %s, which was imported before as file_%s.", source.shown, file.id)
            return DONE
        abandoned = await run_in_thread(is_abandoned, self._places.file(file.id))
        if abandoned is None:
            age = moment_of(self._clock()) - moment_of(file.created_at)
            abandoned = age.total_seconds() > BEGINNING_SECONDS
        if not abandoned:
            return Outcome(SOON_SECONDS)
        with suppress(Conflict):
            await self._files.abandon(file)
        return Outcome(0)
