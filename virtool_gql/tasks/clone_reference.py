"""`clone_reference`: the OTUs of a reference are copied into another one, as they were when that was asked for."""

from collections.abc import Mapping, Sequence

from msgspec import structs

from virtool_gql.db.otu_entries import at_versions, in_batches
from virtool_gql.db.otu_writes import newborn
from virtool_gql.models.documents import NewId
from virtool_gql.models.history import Verb
from virtool_gql.models.joined import JoinedIsolate, JoinedOTU
from virtool_gql.models.otus import OTU
from virtool_gql.models.references import Reference
from virtool_gql.models.tasks import CloneReference, TaskType
from virtool_gql.stores.documents import Documents
from virtool_gql.stores.slices import in_slices
from virtool_gql.tasks.filling import Filling
from virtool_gql.tasks.work import Step, TaskFailed


class ReferenceClone(Filling[CloneReference]):
    """The steps of `clone_reference`. A copy has the remote ids of what it is a copy of."""

    type = TaskType.CLONE_REFERENCE
    arguments = CloneReference
    finishing = "copy_otus"

    @property
    def steps(self) -> Sequence[Step]:
        return (self.prepare, self.find_source)

    async def find_source(self) -> None:
        if not self.is_filled:
            await self._check_source()

    async def fill(self, documents: Documents) -> None:
        manifest = self.args.manifest
        at, done = self.held.instance.clock(), 0
        async for some in in_batches(self.held.instance.store, manifest):
            copies = await in_slices(self._copied, await self._states({id: manifest[id] for id in some}))
            born = [
                newborn(copy, self.reference.id, verb=Verb.CLONE, user_id=self.reference.user_id, at=at, imported=True)
                for copy in copies
            ]
            await documents.insert(*(otu for otu, _, _ in born))
            await documents.insert(*(sequence for _, sequences, _ in born for sequence in sequences))
            await documents.insert(*(entry for _, _, entry in born))
            done += len(some)
            self.held.within(done / len(manifest))

    async def _states(self, revisions: Mapping[str, int]) -> list[JoinedOTU]:
        """Give OTUs of the source as they were when the clone was asked for.

        A change may have been reverted since: then they are taken as they are now, and one whose creation was reverted
        is left out.
        """
        instance = self.held.instance
        try:
            states = await at_versions(instance.store, instance, revisions)
            if others := revisions.keys() - states.keys():
                now = await instance.store.get_many(OTU, others)
                states |= await at_versions(instance.store, instance, {id: otu.revision for id, otu in now.items()})
        except Exception:
            await self._check_source()  # of half a source anything may be read
            raise
        await self._check_source()
        return list(states.values())

    async def _check_source(self) -> None:
        if await self.held.instance.store.get(Reference, self.args.source_id) is None:
            source = self.reference.cloned_from
            name = f"The reference “{source.name}”" if source else "The reference"
            raise TaskFailed(f"{name} was deleted while it was being cloned.")

    def _copied(self, otu: JoinedOTU) -> JoinedOTU:
        new_id = self.held.instance.new_id
        isolates = tuple(_isolate(isolate, new_id) for isolate in otu.isolates)
        return structs.replace(otu, id=new_id(), version=0, isolates=isolates)


def _isolate(isolate: JoinedIsolate, new_id: NewId) -> JoinedIsolate:
    sequences = tuple(structs.replace(sequence, id=new_id()) for sequence in isolate.sequences)
    return structs.replace(isolate, sequences=sequences)
