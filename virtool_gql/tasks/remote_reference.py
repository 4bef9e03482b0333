"""`remote_reference`: a reference is filled from a release."""

from collections.abc import Sequence
from typing import Any

from virtool_gql.db.reference_files import ReferenceFile
from virtool_gql.db.releases import compared, finished
from virtool_gql.models.history import Verb
from virtool_gql.models.tasks import RemoteReference, TaskType
from virtool_gql.tasks.filling_from_file import FillingFromFile
from virtool_gql.tasks.release_files import contents_of
from virtool_gql.tasks.work import Step


class RemoteInstallation(FillingFromFile[RemoteReference]):
    """The steps of `remote_reference`."""

    type = TaskType.REMOTE_REFERENCE
    arguments = RemoteReference
    verb = Verb.REMOTE
    strict = True
    broken = "The release has problems; nothing was installed from it."

    @property
    def steps(self) -> Sequence[Step]:
        return (self.prepare, self.download, self.validate)

    async def download(self) -> None:
        if not self.is_filled:
            self.contents = await contents_of(self.held, self.args.release)

    def outcome_of(self, file: ReferenceFile) -> dict[str, Any]:
        updates = finished(self.reference.updates)
        return {
            **super().outcome_of(file),
            "installed": updates[-1],
            "updates": updates,
            "updating": False,
            "release": compared(self.reference.release, updates[-1]),
        }
