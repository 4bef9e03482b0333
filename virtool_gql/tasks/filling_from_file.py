"""References that are filled from a file: uploads, and releases."""

from collections.abc import Iterable, Iterator
from typing import Any, ClassVar, TypeVar

from msgspec import structs

from virtool_gql.db.otu_writes import newborn
from virtool_gql.db.reference_files import ReferenceFile, checked_reference
from virtool_gql.executors import run_in_thread
from virtool_gql.models.documents import NewId
from virtool_gql.models.history import Verb
from virtool_gql.models.joined import JoinedIsolate, JoinedOTU
from virtool_gql.stores.documents import Documents
from virtool_gql.stores.slices import in_slices
from virtool_gql.tasks.filling import Filling
from virtool_gql.tasks.work import TaskFailed

MOST_OTUS = 500
MOST_BASES = 4_000_000
"""How much is inserted at once."""

A = TypeVar("A", bound=Any)


class FillingFromFile(Filling[A]):
    """A task that fills a reference from `contents`, which a step before `validate` has read."""

    finishing = "insert"
    verb: ClassVar[Verb]
    strict: ClassVar[bool] = False
    broken: ClassVar[str] = "The file has problems; nothing was imported from it."
    contents: Any = None

    async def validate(self) -> None:
        if self.is_filled:
            return
        file = await run_in_thread(checked_reference, self.contents, strict=self.strict, progress=self.held.within)
        self.contents = None
        self.held.warn(file.warnings)
        if file.problems:
            raise TaskFailed(self.broken, file.problems)
        self._otus = file.otus
        self.outcome = self.outcome_of(file)

    def outcome_of(self, file: ReferenceFile) -> dict[str, Any]:
        """Give what the file says of the reference itself."""
        organism = self.reference.organism or file.organism
        return {"data_type": file.data_type, "organism": organism, "targets": file.targets}

    async def fill(self, documents: Documents) -> None:
        at, done = self.held.instance.clock(), 0
        for some in batches(self._otus):
            born = [
                newborn(otu, self.reference.id, verb=self.verb, user_id=self.reference.user_id, at=at, imported=True)
                for otu in await in_slices(self._with_new_ids, some)
            ]
            await documents.insert(*(otu for otu, _, _ in born))
            await documents.insert(*(sequence for _, sequences, _ in born for sequence in sequences))
            await documents.insert(*(entry for _, _, entry in born))
            done += len(some)
            self.held.within(done / len(self._otus))

    def _with_new_ids(self, otu: JoinedOTU) -> JoinedOTU:
        new_id = self.held.instance.new_id
        return structs.replace(otu, id=new_id(), isolates=tuple(_isolate(each, new_id) for each in otu.isolates))


def _isolate(isolate: JoinedIsolate, new_id: NewId) -> JoinedIsolate:
    sequences = tuple(structs.replace(sequence, id=new_id()) for sequence in isolate.sequences)
    return structs.replace(isolate, id=isolate.id or new_id(), sequences=sequences)


def batches(otus: Iterable[JoinedOTU]) -> Iterator[list[JoinedOTU]]:
    """Give OTUs in as many at once as can be inserted together."""
    some: list[JoinedOTU] = []
    bases = 0
    for otu in otus:
        some.append(otu)
        bases += sum(len(sequence.sequence) for isolate in otu.isolates for sequence in isolate.sequences)
        if len(some) == MOST_OTUS or bases >= MOST_BASES:
            yield some
            some, bases = [], 0
    if some:
        yield some
