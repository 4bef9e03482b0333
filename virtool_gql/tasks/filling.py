"""Tasks that fill a new reference: all of it or nothing, and when they fail the reference goes."""

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any, TypeVar

from msgspec import structs

from virtool_gql.db.files import release
from virtool_gql.db.reference_removal import remove_parts
from virtool_gql.models.references import Reference
from virtool_gql.stores.documents import Documents
from virtool_gql.tasks.work import SubjectGone, Work

A = TypeVar("A", bound=Any)


class Filling(Work[A]):
    """A task that fills a reference. The first of its steps is `prepare`; what is to be inserted is so in `fill`.

    `outcome` are other fields of the reference that are set when it becomes ready.
    """

    outcome: Mapping[str, Any] = {}
    is_filled = False
    """Tells whether an earlier attempt has filled the reference, and could not say so."""

    async def prepare(self) -> None:
        """See that the reference is there, and remove what an attempt without transactions has left behind."""
        self.reference = await self._reference(self.held.instance.store)
        self.is_filled = self.reference.ready
        if not self.is_filled:
            await remove_parts(self.held.instance, self.reference.id)

    @abstractmethod
    async def fill(self, documents: Documents) -> None:
        """Insert what belongs to the reference, into the transaction in which it becomes ready."""

    async def finish(self, documents: Documents) -> None:
        if not self.is_filled:
            await self.fill(documents)
            # Read as late as possible: members may be added while the reference is filled.
            reference = await self._reference(documents)
            at = self.held.instance.clock()
            await documents.replace(structs.replace(reference, ready=True, updated_at=at, **self.outcome))
        await release(documents, self.reference_id)

    async def give_up(self, documents: Documents) -> None:
        reference = await documents.get(Reference, self.reference_id)
        if reference is not None and not reference.ready:
            await documents.delete(reference)
        await release(documents, self.reference_id)

    async def _reference(self, documents: Documents) -> Reference:
        reference = await documents.get(Reference, self.reference_id)
        if reference is None:
            raise SubjectGone
        return reference

    @property
    def reference_id(self) -> str:
        return str(self.args.reference_id)
