"""Random edits, removals and reversions on the real stores: whatever was stored is what its version gives for ever."""

import os
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.factories.joined import in_detail
from tests.factories.otus import full_otu, stored_otu
from tests.factories.references import stored_reference
from tests.factories.users import viewer_named
from virtool_gql.db.database import Database
from virtool_gql.db.isolates import IsolateChanges, NewIsolate
from virtool_gql.db.otu_entries import at_versions
from virtool_gql.db.otu_writes import stored
from virtool_gql.db.otus import OTUChanges
from virtool_gql.db.sequences import NewSequence, SequenceChanges
from virtool_gql.models.history import BIRTHS, HistoryEntry, Verb
from virtool_gql.models.joined import JoinedIsolate, JoinedOTU, JoinedSequence
from virtool_gql.models.otus import OTU, Molecule, Segment
from virtool_gql.models.otus import Sequence as StoredSequence
from virtool_gql.query import Eq, Order, Page

EXAMPLES = int(os.environ.get("VT_HISTORY_EXAMPLES", "20"))
OWNER = viewer_named("owner")
TEXTS = ["", "A", "a.b", "Ünïcode “x”", "0", "True"]

# Three numbers choose what of the OTU is edited, and how.
Choice = tuple[int, int, int]


@dataclass
class Curation:
    """An OTU under curation: all that it was, by the places of its changes."""

    db: Database
    otu: JoinedOTU
    past: list[tuple[int, JoinedOTU | None]] = field(default_factory=list)
    last: int = 0
    dropped: set[int] = field(default_factory=set)

    @property
    def now(self) -> JoinedOTU | None:
        return self.past[-1][1]

    async def rename(self, otu: JoinedOTU, choice: Choice) -> None:
        name = f"{otu.id} {TEXTS[choice[0] % len(TEXTS)]}"
        abbreviation = TEXTS[choice[1] % len(TEXTS)]
        await self.db.otus.update(OWNER, otu.id, OTUChanges(name=name, abbreviation=abbreviation))

    async def restructure(self, otu: JoinedOTU, choice: Choice) -> None:
        segments = [Segment(name=f"RNA {number}", molecule=list(Molecule)[number]) for number in range(4)]
        chosen = tuple(segment for number, segment in enumerate(segments) if choice[0] >> number & 1)
        schema = chosen if choice[1] % 2 else chosen[::-1]
        await self.db.otus.update(OWNER, otu.id, OTUChanges(schema=schema))

    async def add_isolate(self, otu: JoinedOTU, choice: Choice) -> None:
        name = TEXTS[choice[0] % len(TEXTS)]
        new = NewIsolate(source_type="strain", source_name=name, default=bool(choice[1] % 2))
        await self.db.isolates.create(OWNER, otu.id, new)

    async def edit_isolate(self, otu: JoinedOTU, choice: Choice) -> None:
        if isolate := isolate_of(otu, choice):
            changes = IsolateChanges(source_type="isolate", source_name=TEXTS[choice[1] % len(TEXTS)])
            await self.db.isolates.update(OWNER, f"{otu.id}_{isolate.id}", changes)

    async def set_default(self, otu: JoinedOTU, choice: Choice) -> None:
        if isolate := isolate_of(otu, choice):
            await self.db.isolates.set_default(OWNER, f"{otu.id}_{isolate.id}")

    async def remove_isolate(self, otu: JoinedOTU, choice: Choice) -> None:
        if isolate := isolate_of(otu, choice):
            await self.db.isolates.delete(OWNER, f"{otu.id}_{isolate.id}")

    async def add_sequence(self, otu: JoinedOTU, choice: Choice) -> None:
        if isolate := isolate_of(otu, choice):
            segment = otu.schema[choice[1] % len(otu.schema)].name if otu.schema and choice[1] % 3 else None
            new = NewSequence(accession=f"NC_{choice[2]}", definition="New", sequence="ACGT" * 9, segment=segment)
            await self.db.sequences.create(OWNER, f"{otu.id}_{isolate.id}", new)

    async def edit_sequence(self, otu: JoinedOTU, choice: Choice) -> None:
        if sequence := sequence_of(otu, choice):
            changes = SequenceChanges(
                definition=f"Edited {choice[1] % 3}",
                sequence="ACGT"[choice[2] % 4] * 8,
                host=[None, "", "Apple"][choice[2] % 3],
            )
            await self.db.sequences.update(OWNER, sequence.id, changes)

    async def remove_sequence(self, otu: JoinedOTU, choice: Choice) -> None:
        if sequence := sequence_of(otu, choice):
            await self.db.sequences.delete(OWNER, sequence.id)

    async def remove(self, otu: JoinedOTU, _: Choice) -> None:
        await self.db.otus.delete(OWNER, otu.id)

    async def edit(self, edit: Callable[["Curation", JoinedOTU, Choice], Awaitable[None]], choice: Choice) -> None:
        """Edit the OTU, and remember what is stored then, if that is another than before."""
        if self.now is None:
            return
        await edit(self, self.now, choice)
        now = await stored(self.db.store, self.otu.id)
        if now is None or now.joined != self.now:
            self.last += 1
            self.past.append((self.last, now.joined if now else None))
            assert now is None or now.joined.version == self.last

    async def revert(self, choice: Choice) -> None:
        """Revert a change but the first, and see that all is as it was."""
        if len(self.past) == 1:
            return
        start = 1 + choice[0] % (len(self.past) - 1)
        gone = [self.id_of(*change) for change in self.past[: start - 1 : -1]]
        self.dropped |= {place for place, _ in self.past[start:]}
        result = await self.db.history.revert(OWNER, gone[-1])
        del self.past[start:]
        assert [entry.id for entry in result.entries] == gone
        now = await stored(self.db.store, self.otu.id)
        assert (now.joined if now else None) == self.now
        assert now is None or (now.otu.last_revision, now.otu.modified) == (self.last, True)

    def id_of(self, place: int, state: JoinedOTU | None) -> str:
        return f"{self.otu.id}_{'removed' if state is None else place}"

    async def check(self) -> None:
        """See that each version gives what was stored then, and that no other version is there."""
        entries = await self.db.store.find(HistoryEntry, Eq("otu_id", self.otu.id), [Order("place")], Page(first=None))
        assert [entry.id for entry in entries.documents] == [self.id_of(*change) for change in self.past]
        versions = {place: state for place, state in self.past if state is not None}
        for place in range(-1, self.last + 2):
            found = await at_versions(self.db.store, self.db.instance, {self.otu.id: place})
            assert found.get(self.otu.id) == versions.get(place)
        sequences = await self.db.store.find(StoredSequence, Eq("otu_id", self.otu.id), page=Page(first=None))
        ids = sorted(each.id for isolate in (self.now.isolates if self.now else ()) for each in isolate.sequences)
        assert sorted(sequence.id for sequence in sequences.documents) == ids

    async def end(self) -> None:
        """Revert how it came to be, of which nothing is left."""
        result = await self.db.history.revert(OWNER, f"{self.otu.id}_0")
        assert result.otu is None
        for kind in (StoredSequence, HistoryEntry):
            assert await self.db.store.count(kind, Eq("otu_id", self.otu.id)) == 0
        assert await self.db.store.get(OTU, self.otu.id) is None


def isolate_of(otu: JoinedOTU, choice: Choice) -> JoinedIsolate | None:
    return otu.isolates[choice[0] % len(otu.isolates)] if otu.isolates else None


def sequence_of(otu: JoinedOTU, choice: Choice) -> JoinedSequence | None:
    sequences = [sequence for isolate in otu.isolates for sequence in isolate.sequences]
    return sequences[choice[0] % len(sequences)] if sequences else None


EDITS = [
    Curation.rename,
    Curation.restructure,
    Curation.add_isolate,
    Curation.edit_isolate,
    Curation.set_default,
    Curation.remove_isolate,
    Curation.add_sequence,
    Curation.edit_sequence,
    Curation.remove_sequence,
    Curation.remove,
]
NUMBER = st.integers(0, 15)
CHOICES = st.tuples(NUMBER, NUMBER, NUMBER)
STEPS = st.lists(st.tuples(st.sampled_from([*EDITS, *EDITS[:-1], None, None]), CHOICES), min_size=3, max_size=25)
BEGINNINGS = st.tuples(st.sampled_from(sorted(BIRTHS)), st.integers(0, 4), st.integers(0, 3))

Steps = list[tuple[Callable[[Curation, JoinedOTU, Choice], Awaitable[None]] | None, Choice]]
several = settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


async def curated(db: Database, beginning: tuple[Verb, int, int], steps: Steps) -> None:
    verb, isolates, sequences = beginning
    reference = await stored_reference(db)
    id = db.instance.new_id()
    made = await stored_otu(
        db, reference.id, in_detail(full_otu(id, isolates, sequences, remote_id="remote")), verb=verb
    )
    curation = Curation(db, made.joined, [(0, made.joined)])
    for edit, choice in steps:
        await (curation.revert(choice) if edit is None else curation.edit(edit, choice))
    await curation.check()
    await curation.revert((7, 0, 0))
    await curation.check()
    await curation.end()


@several
@given(BEGINNINGS, STEPS)
async def test_each_version_is_what_was_stored(db: Database, beginning: tuple[Verb, int, int], steps: Steps) -> None:
    await curated(db, beginning, steps)


@settings(several, max_examples=max(5, EXAMPLES // 4))
@given(BEGINNINGS, STEPS)
async def test_each_version_is_what_was_stored_in_mongodb(
    split_db: Database, beginning: tuple[Verb, int, int], steps: Steps
) -> None:
    await curated(split_db, beginning, steps)
