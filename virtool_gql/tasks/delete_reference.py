"""`delete_reference`: what belonged to a reference goes after it."""

from collections.abc import Sequence

from virtool_gql.db.reference_removal import remove_parts
from virtool_gql.errors import StaleDocument
from virtool_gql.models.references import Reference
from virtool_gql.models.tasks import DeleteReference, TaskType
from virtool_gql.tasks.work import Step, Work


class ReferenceDeletion(Work[DeleteReference]):
    """The steps of `delete_reference`; each of them can be done any number of times."""

    type = TaskType.DELETE_REFERENCE
    arguments = DeleteReference
    most_attempts = 10
    subject_exists = False

    @property
    def steps(self) -> Sequence[Step]:
        return (self.delete_reference, self.delete_parts)

    async def delete_reference(self) -> None:
        """Delete the reference itself, where the server was killed before it could, with its documents elsewhere."""
        store = self.held.instance.store
        while (reference := await store.get(Reference, self.args.reference_id)) is not None:
            try:
                await store.delete(reference)
            except StaleDocument:
                continue

    async def delete_parts(self) -> None:
        await remove_parts(self.held.instance, self.args.reference_id, self.held.within)
