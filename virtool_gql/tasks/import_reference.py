"""`import_reference`: a reference is filled from a file that somebody has uploaded."""

from collections.abc import Sequence

from virtool_gql.db.reference_json import Unreadable, read_json
from virtool_gql.executors import run_in_thread
from virtool_gql.models.history import Verb
from virtool_gql.models.tasks import ImportReference, TaskType
from virtool_gql.tasks.filling_from_file import FillingFromFile
from virtool_gql.tasks.work import Step, TaskFailed


class ReferenceImport(FillingFromFile[ImportReference]):
    """The steps of `import_reference`."""

    type = TaskType.IMPORT_REFERENCE
    arguments = ImportReference
    verb = Verb.IMPORT

    @property
    def steps(self) -> Sequence[Step]:
        return (self.prepare, self.load, self.validate)

    async def load(self) -> None:
        if self.is_filled:
            return
        path = self.held.instance.places.file(self.args.file_id)
        try:
            self.contents = await run_in_thread(read_json, path)
        except Unreadable as error:
            raise TaskFailed(str(error)) from error
        except FileNotFoundError as error:
            raise TaskFailed("The bytes of the file are not there any more; upload it again.") from error
