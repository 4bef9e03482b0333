"""A newer release in the place of what is installed: what changes, and how all of it is written at once."""

from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from msgspec import structs

from virtool_gql.db.instance import Instance
from virtool_gql.db.names import name_key
from virtool_gql.db.otu_entries import new_entry
from virtool_gql.db.otu_sentences import whole_otu
from virtool_gql.db.otu_writes import Stored, changed_sequences, newborn, revised, sequence_ids
from virtool_gql.db.release_differences import brought_to
from virtool_gql.errors import StaleDocument
from virtool_gql.models import otus
from virtool_gql.models.documents import Timestamp
from virtool_gql.models.history import HistoryEntry, Verb
from virtool_gql.models.joined import JoinedOTU, join
from virtool_gql.models.otus import OTU
from virtool_gql.models.tasks import Problem
from virtool_gql.query import Eq, Page
from virtool_gql.stores.documents import Documents
from virtool_gql.stores.slices import in_slices

AT_ONCE = 100

Progress = Callable[[float], None]
T = TypeVar("T")


class Taken(Exception):
    """OTUs that were made here have the names of some of the release."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__()
        self.problems = tuple(problems)


@dataclass(frozen=True, slots=True)
class Planned:
    """What becomes of one OTU: it is another by then, or gone (None); with the entry of the history."""

    before: Stored
    after: JoinedOTU | None
    entry: HistoryEntry


class ReleaseUpdate:
    """The OTUs of a release, put in the place of those of a reference that came from an older one.

    OTUs that were made here, and come from no release, stay.
    """

    def __init__(self, instance: Instance, reference_id: str, released: Sequence[JoinedOTU], user_id: str) -> None:
        self._instance = instance
        self._reference_id = reference_id
        self._released = {otu.id: otu for otu in released}
        self._user_id = user_id
        self._at = instance.clock()
        self._seen: dict[str, int] = {}
        self._planned: dict[str, Planned] = {}

    async def compare(self, documents: Documents, progress: Progress) -> None:
        """Find out what changes, before anything is locked."""
        await self._plan(documents, await self._otus(documents), progress)

    async def write(self, documents: Documents, progress: Progress) -> frozenset[str]:
        """Write all changes; give the ids of the OTUs that are gone. Raises Taken, and then nothing is written.

        What somebody has changed since it was compared is compared again.
        """
        self._at = self._instance.clock()
        now = await self._otus(documents)
        await self._plan(documents, [otu for otu in now if self._seen.get(otu.id) != otu.version], lambda _: None)
        if any(self._seen.get(otu.id) != otu.version for otu in now):
            raise StaleDocument("Somebody changes OTUs of this reference at this moment; try again.")
        there = {otu.id for otu in now}
        plans = [plan for id, plan in self._planned.items() if id in there]
        self._check_names(now)
        gone = [plan for plan in plans if plan.after is None]
        await self._remove(documents, gone)
        await self._change(documents, [plan for plan in plans if plan.after is not None], progress)
        known = {otu.remote_id for otu in now}
        await self._add(documents, [otu for id, otu in self._released.items() if id not in known])
        return frozenset(plan.before.otu.id for plan in gone)

    async def _otus(self, documents: Documents) -> list[OTU]:
        return (await documents.find(OTU, Eq("reference_id", self._reference_id), page=Page(first=None))).documents

    async def _plan(self, documents: Documents, some: Sequence[OTU], progress: Progress) -> None:
        done = 0
        async for otu, joined, sequences in _joined(documents, some):
            self._seen[otu.id] = otu.version
            self._planned.pop(otu.id, None)
            if otu.remote_id is not None:
                await self._plan_one(Stored(otu, sequences, joined))
            done += 1
            progress(done / len(some))

    async def _plan_one(self, before: Stored) -> None:
        otu = before.otu
        released = self._released.get(otu.remote_id or "")
        after = None if released is None else brought_to(before.joined, released, self._instance.new_id)
        if after == before.joined:
            return
        place = otu.last_revision + 1
        after = after and structs.replace(after, version=place)
        verb = Verb.REMOVE if after is None else Verb.UPDATE
        entry = await new_entry(
            self._instance,
            before.joined,
            after,
            verb=verb,
            description=whole_otu(verb, after or before.joined),
            place=place,
            reference_id=self._reference_id,
            user_id=self._user_id,
            at=self._at,
        )
        self._planned[otu.id] = Planned(before, after, entry)

    def _check_names(self, now: Iterable[OTU]) -> None:
        """See that no OTU that stays as it was made here has a name of the release."""
        ours = [otu for otu in now if otu.remote_id is None]
        names = {otu.name_key: otu for otu in ours}
        abbreviations = {otu.abbreviation_key: otu for otu in ours if otu.abbreviation_key}
        problems = []
        for otu in self._released.values():
            for field, other in (
                ("name", names.get(name_key(otu.name))),
                ("abbreviation", abbreviations.get(otu.abbreviation)),
            ):
                if other is not None:
                    message = f"The OTU “{other.name}” that was made here has the same {field}; change or delete it."
                    problems.append(Problem(message=message, otu_id=otu.id, otu_name=otu.name))
        if problems:
            raise Taken(problems)

    async def _remove(self, documents: Documents, plans: Sequence[Planned]) -> None:
        for some in _batches(plans):
            await documents.delete(*(plan.before.otu for plan in some))
            await documents.delete(*(sequence for plan in some for sequence in plan.before.sequences.values()))
            await documents.insert(*(self._dated(plan.entry) for plan in some))

    async def _change(self, documents: Documents, plans: Sequence[Planned], progress: Progress) -> None:
        versions = await self._park(documents, plans)
        done = 0
        for some in _batches(plans):
            states = [(plan.before, plan.after) for plan in some if plan.after is not None]
            changed = [revised(before.otu, after, at=self._at) for before, after in states]
            await documents.replace(
                *(structs.replace(otu, version=versions.get(otu.id, otu.version)) for otu in changed)
            )
            parts = await in_slices(lambda state: changed_sequences(state[0], state[1], {}), states)
            await documents.delete(*(sequence for _, _, gone in parts for sequence in gone))
            await documents.replace(*(sequence for _, kept, _ in parts for sequence in kept))
            await documents.insert(*(sequence for new, _, _ in parts for sequence in new))
            await documents.insert(*(self._dated(plan.entry) for plan in some))
            done += len(some)
            progress(done / len(plans))

    async def _park(self, documents: Documents, plans: Sequence[Planned]) -> Mapping[str, int]:
        """Take names that go from one OTU to another from whoever has them; give the versions of those OTUs.

        A store looks at what is unique with each document that it writes, and not at the end.
        """
        afters = [(plan.before.otu, plan.after) for plan in plans if plan.after is not None]
        names = {name_key(after.name): otu.id for otu, after in afters}
        abbreviations = {after.abbreviation: otu.id for otu, after in afters if after.abbreviation}
        parked = [
            structs.replace(otu, name_key=f" {otu.id}", abbreviation_key=None)
            for otu, _ in afters
            if names.get(otu.name_key, otu.id) != otu.id
            or abbreviations.get(otu.abbreviation_key or "", otu.id) != otu.id
        ]
        written = await documents.replace(*parked) if parked else []
        return {otu.id: otu.version for otu in written}

    async def _add(self, documents: Documents, released: Sequence[JoinedOTU]) -> None:
        for some in _batches(released):
            born = [self._born(otu, self._at) for otu in some]
            await documents.insert(*(otu for otu, _, _ in born))
            await documents.insert(*(sequence for _, sequences, _ in born for sequence in sequences))
            await documents.insert(*(entry for _, _, entry in born))

    def _born(self, released: JoinedOTU, at: Timestamp) -> tuple[OTU, list[otus.Sequence], HistoryEntry]:
        new_id = self._instance.new_id
        blank = JoinedOTU(id=new_id(), version=0, name=released.name, remote_id=released.id)
        otu = brought_to(blank, released, new_id)
        return newborn(otu, self._reference_id, verb=Verb.REMOTE, user_id=self._user_id, at=at, imported=True)

    def _dated(self, entry: HistoryEntry) -> HistoryEntry:
        return structs.replace(entry, created_at=self._at)


async def _joined(
    documents: Documents, some: Sequence[OTU]
) -> AsyncIterator[tuple[OTU, JoinedOTU, dict[str, otus.Sequence]]]:
    """Read the sequences of OTUs that were read, a batch at a time; leave out what somebody changes at this moment."""
    for batch in _batches(some):
        ids = {otu.id: sequence_ids(otu) for otu in batch}
        sequences = await documents.get_many(otus.Sequence, [id for own in ids.values() for id in own], whole=True)
        whole = [otu for otu in batch if all(id in sequences for id in ids[otu.id])]
        for otu in whole:
            own = {id: sequences[id] for id in ids[otu.id]}
            yield otu, join(otu, own), own


def _batches(values: Sequence[T]) -> Iterable[Sequence[T]]:
    return (values[begin : begin + AT_ONCE] for begin in range(0, len(values), AT_ONCE))
