"""`import_reference`: a reference is filled from a file that somebody has uploaded."""

from collections.abc import Iterable, Iterator, Sequence

from msgspec import structs

from virtool_gql.db.otu_writes import newborn
from virtool_gql.db.reference_files import ReferenceFile, checked_reference
from virtool_gql.db.reference_json import Unreadable, read_json
from virtool_gql.executors import run_in_thread
from virtool_gql.models.documents import NewId
from virtool_gql.models.history import Verb
from virtool_gql.models.joined import JoinedIsolate, JoinedOTU
from virtool_gql.models.tasks import ImportReference, TaskType
from virtool_gql.stores.documents import Documents
from virtool_gql.stores.slices import in_slices
from virtool_gql.tasks.filling import Filling
from virtool_gql.tasks.work import Step, TaskFailed

MOST_OTUS = 500
MOST_BASES = 4_000_000
"""How much is inserted at once."""


class ReferenceImport(Filling[ImportReference]):
    """The steps of `import_reference`."""

    type = TaskType.IMPORT_REFERENCE
    arguments = ImportReference
    finishing = "insert"

    @property
    def steps(self) -> Sequence[Step]:
        return (self.prepare, self.load, self.validate)

    async def load(self) -> None:
        if self.is_filled:
            return
        path = self.held.instance.places.file(self.args.file_id)
        try:
            self._contents = await run_in_thread(read_json, path)
        except Unreadable as error:
            raise TaskFailed(str(error)) from error
        except FileNotFoundError as error:
            raise TaskFailed("The bytes of the file are not there any more; upload it again.") from error

    async def validate(self) -> None:
        if self.is_filled:
            return
        file = await run_in_thread(checked_reference, self._contents, strict=False, progress=self.held.within)
        self._contents = None
        self.held.warn(file.warnings)
        if file.problems:
            raise TaskFailed("The file has problems; nothing was imported from it.", file.problems)
        self._otus = file.otus
        self.outcome = _outcome(file, self.reference.organism)

    async def fill(self, documents: Documents) -> None:
        at, done = self.held.instance.clock(), 0
        for some in batches(self._otus):
            born = [
                newborn(otu, self.reference.id, verb=Verb.IMPORT, user_id=self.reference.user_id, at=at, imported=True)
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


def _outcome(file: ReferenceFile, organism: str) -> dict[str, object]:
    return {"data_type": file.data_type, "organism": organism or file.organism, "targets": file.targets}


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
