"""OTUs, isolates and sequences as FASTA."""

from collections.abc import AsyncGenerator, Callable, Iterable
from dataclasses import dataclass

from virtool_gql.access import Viewer
from virtool_gql.db.isolates import Isolates
from virtool_gql.db.otus import OTUs
from virtool_gql.db.sequences import Sequences
from virtool_gql.models.joined import isolate_name
from virtool_gql.models.otus import OTU, Isolate, Sequence

BASES_AT_ONCE = 1_000_000
"""So many bases are read in one statement; a longer sequence is read alone."""


@dataclass(frozen=True, slots=True)
class Fasta:
    """The name of a FASTA file, and what is in it, in parts."""

    name: str
    parts: AsyncGenerator[bytes, None]


class Fastas:
    """Writes FASTA of what a viewer may read, and holds no more of it than a part."""

    def __init__(self, otus: OTUs, isolates: Isolates, sequences: Sequences) -> None:
        self._otus = otus
        self._isolates = isolates
        self._sequences = sequences

    async def of_otu(self, viewer: Viewer, otu_id: str) -> Fasta:
        otu = await self._otus.get(viewer, otu_id)
        return Fasta(file_name(otu.name), self._parts(viewer, otu, otu.isolates))

    async def of_isolate(self, viewer: Viewer, isolate_id: str) -> Fasta:
        otu, isolate = await self._isolates.get(viewer, isolate_id)
        return Fasta(file_name(otu.name, _name(isolate)), self._parts(viewer, otu, [isolate]))

    async def of_sequence(self, viewer: Viewer, sequence_id: str) -> Fasta:
        sequence = await self._sequences.get(viewer, sequence_id)
        otu, isolate = await self._isolates.get(viewer, f"{sequence.otu_id}_{sequence.isolate_id}")
        name = file_name(otu.name, _name(isolate), sequence.id)
        return Fasta(name, self._entries(viewer, [sequence], lambda _: f"{otu.name}/{_name(isolate)}"))

    async def _parts(self, viewer: Viewer, otu: OTU, isolates: Iterable[Isolate]) -> AsyncGenerator[bytes, None]:
        names = {id: f"{otu.name}/{_name(isolate)}" for isolate in isolates for id in isolate.sequence_ids}
        found = await self._sequences.get_many(viewer, names)
        there = [found[id] for id in names if id in found]
        async for part in self._entries(viewer, there, lambda sequence: names[sequence.id]):
            yield part

    async def _entries(
        self, viewer: Viewer, sequences: Iterable[Sequence], named: Callable[[Sequence], str]
    ) -> AsyncGenerator[bytes, None]:
        """Write sequences that were read without their bases; leave out those that are gone meanwhile."""
        begun = False
        for some in batches(sequences):
            read = await self._sequences.bases(viewer, [sequence.id for sequence in some])
            entries = [entry(named(each), each.id, bases) for each in some if (bases := read[each.id]) is not None]
            if entries:
                yield ("\n" if begun else "").encode() + "\n".join(entries).encode()
                begun = True


def batches(sequences: Iterable[Sequence]) -> Iterable[list[Sequence]]:
    """Give sequences in their order, as many at once as may be read together."""
    batch: list[Sequence] = []
    size = 0
    for sequence in sequences:
        if batch and size + sequence.length > BASES_AT_ONCE:
            yield batch
            batch, size = [], 0
        batch.append(sequence)
        size += sequence.length
    if batch:
        yield batch


def entry(name: str, sequence_id: str, bases: str) -> str:
    """Write one sequence; `name` is that of its OTU and that of its isolate."""
    line = " ".join(name.splitlines())  # an import may bring anything
    return f">{line}/{sequence_id}/{len(bases)}\n{bases}"


def file_name(*parts: str) -> str:
    """Name a FASTA file after an OTU, an isolate and a sequence, as far as it is of one of these."""
    return ".".join(parts).replace(" ", "_").lower() + ".fa"


def _name(isolate: Isolate) -> str:
    return isolate_name(isolate.source_type, isolate.source_name)
