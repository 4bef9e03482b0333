"""How an OTU is written: its document, its sequences and the entry of the history, in one transaction."""

from collections.abc import Mapping
from dataclasses import dataclass

from msgspec import UNSET, structs

from virtool_gql.db.instance import Instance
from virtool_gql.db.names import name_key
from virtool_gql.db.otu_entries import new_entry
from virtool_gql.db.otu_sentences import whole_otu
from virtool_gql.errors import StaleDocument
from virtool_gql.executors import run_in_thread
from virtool_gql.models.documents import Timestamp
from virtool_gql.models.history import HistoryEntry, Verb
from virtool_gql.models.joined import JoinedIsolate, JoinedOTU, JoinedSequence, issues_of, join
from virtool_gql.models.otus import OTU, Isolate, Sequence
from virtool_gql.models.references import Reference
from virtool_gql.stores.documents import MODIFY_ATTEMPTS, Documents, spread

Keys = Mapping[str, str | None]
"""The creation keys of new isolates and sequences, by their ids."""


@dataclass(frozen=True, slots=True)
class Stored:
    """An OTU with its sequences as they were read, and the joined OTU that they are."""

    otu: OTU
    sequences: dict[str, Sequence]
    joined: JoinedOTU


async def stored(documents: Documents, otu_id: str) -> Stored | None:
    """Read an OTU with all of its sequences, whole, as they are at one moment."""
    otu = await documents.get(OTU, otu_id)
    for tries in range(1, MODIFY_ATTEMPTS + 1):
        if otu is None:
            return None
        ids = sequence_ids(otu)
        sequences = await documents.get_many(Sequence, ids, whole=True)
        now = await documents.get(OTU, otu_id)
        # In a MongoDB without transactions an OTU can be seen before its sequences.
        if now is not None and now.version == otu.version and len(sequences) == len(ids):
            return Stored(otu, sequences, await run_in_thread(join, otu, sequences))
        otu = now
        await spread(tries)
    raise StaleDocument("Too many people change this at once; try again.")


def sequence_ids(otu: OTU) -> list[str]:
    """Give the ids of all sequences of an OTU, in their order."""
    return [id for isolate in otu.isolates for id in isolate.sequence_ids]


async def write_change(  # noqa: PLR0913 - a change, and all that is told of it
    instance: Instance,
    documents: Documents,
    before: Stored,
    after: JoinedOTU | None,
    *,
    verb: Verb,
    description: str,
    user_id: str,
    at: Timestamp,
    keys: Keys | None = None,
) -> OTU | None:
    """Replace an OTU by what it is to be (None removes it), with the entry of the history; give it as it is now.

    `after.version` does not count: the change is given the next number. Raises StaleDocument when somebody else was
    faster, DuplicateValue when a name is taken.
    """
    place = before.otu.last_revision + 1
    after = structs.replace(after, version=place) if after is not None else None
    entry = await new_entry(
        instance,
        before.joined,
        after,
        verb=verb,
        description=description,
        place=place,
        reference_id=before.otu.reference_id,
        user_id=user_id,
        at=at,
    )
    async with documents.transaction() as transaction:
        otu = await write_state(transaction, before, after, at=at, keys=keys)
        await transaction.insert(entry)
    return otu


async def write_state(  # noqa: PLR0913 - a state, and how it is to be stored
    transaction: Documents,
    before: Stored,
    after: JoinedOTU | None,
    *,
    at: Timestamp,
    modified: bool = True,
    keys: Keys | None = None,
) -> OTU | None:
    """Replace an OTU and those of its sequences that are others by now, and say nothing of it in the history.

    Its revision is then that of `after`; `modified` tells whether it has unbuilt changes.
    """
    if after is None:
        await _remove(transaction, before, at)
        return None
    # The OTU comes first: whoever was slower learns it from the first statement.
    otu = (await transaction.replace(revised(before.otu, after, at=at, modified=modified, keys=keys)))[0]
    new, changed, gone = await run_in_thread(changed_sequences, before, after, keys or {})
    await transaction.delete(*gone)
    await transaction.replace(*changed)
    await transaction.insert(*new)
    return otu


async def _remove(transaction: Documents, before: Stored, at: Timestamp) -> None:
    otu = before.otu
    await transaction.delete(otu)
    await transaction.delete(*before.sequences.values())
    await without_control(transaction, otu.reference_id, otu.id, at)


async def without_control(documents: Documents, reference_id: str, otu_id: str, at: Timestamp) -> None:
    """Clear the internal control of a reference if it is this OTU."""
    reference = await documents.get(Reference, reference_id)
    if reference is not None and reference.internal_control_id == otu_id:
        await documents.replace(structs.replace(reference, internal_control_id=None, updated_at=at))


def revised(otu: OTU, after: JoinedOTU, *, at: Timestamp, modified: bool = True, keys: Keys | None = None) -> OTU:
    """Give the document of an OTU as it is to be, verified again."""
    keys = {isolate.id: isolate.creation_key for isolate in otu.isolates} | dict(keys or {})
    return with_state(
        structs.replace(
            otu,
            revision=after.version,
            last_revision=max(otu.last_revision, after.version),
            modified=modified,
            updated_at=at,
        ),
        after,
        keys,
    )


def with_state(otu: OTU, state: JoinedOTU, keys: Keys) -> OTU:
    """Give the document with the names, the schema and the isolates of a joined OTU, verified."""
    isolates = tuple(_isolate(isolate, keys.get(isolate.id)) for isolate in state.isolates)
    empty = tuple(sequence.id for isolate in state.isolates for sequence in isolate.sequences if not sequence.sequence)
    return structs.replace(
        otu,
        name=state.name,
        name_key=name_key(state.name),
        abbreviation=state.abbreviation,
        abbreviation_key=state.abbreviation or None,
        schema=state.schema,
        isolates=isolates,
        empty_sequence_ids=empty,
        verified=issues_of(isolates, empty) is None,
        remote_id=state.remote_id,
    )


def _isolate(isolate: JoinedIsolate, key: str | None) -> Isolate:
    return Isolate(
        id=isolate.id,
        creation_key=key,
        source_type=isolate.source_type,
        source_name=isolate.source_name,
        default=isolate.default,
        sequence_ids=tuple(sequence.id for sequence in isolate.sequences),
    )


def changed_sequences(
    before: Stored, after: JoinedOTU, keys: Keys
) -> tuple[list[Sequence], list[Sequence], list[Sequence]]:
    """Give the sequences that are new, those that are others by now, and those that are gone."""
    earlier, otu = before.sequences, before.otu
    now = [(sequence, isolate.id) for isolate in after.isolates for sequence in isolate.sequences]
    new = [
        _sequence(sequence, otu.id, isolate_id, otu.reference_id, keys.get(sequence.id))
        for sequence, isolate_id in now
        if sequence.id not in earlier
    ]
    kept = [(earlier[state.id], state, isolate_id) for state, isolate_id in now if state.id in earlier]
    changed = [sequence for old, state, isolate_id in kept if (sequence := _changed(old, state, isolate_id)) is not old]
    gone = earlier.keys() - {sequence.id for sequence, _ in now}
    return new, changed, [sequence for id, sequence in earlier.items() if id in gone]


def _changed(old: Sequence, state: JoinedSequence, isolate_id: str) -> Sequence:
    """Give the sequence as it is to be, without its bases when these stay; the very same when all stays."""
    sequence = structs.replace(
        old,
        isolate_id=isolate_id,
        accession=state.accession,
        definition=state.definition,
        host=state.host,
        segment=state.segment,
        target=state.target,
        length=len(state.sequence),
        sequence=state.sequence,
        remote_id=state.remote_id,
    )
    if sequence == old:
        return old
    return structs.replace(sequence, sequence=UNSET) if sequence.sequence == old.sequence else sequence


def _sequence(
    state: JoinedSequence, otu_id: str, isolate_id: str, reference_id: str, key: str | None = None
) -> Sequence:
    return Sequence(
        id=state.id,
        reference_id=reference_id,
        otu_id=otu_id,
        isolate_id=isolate_id,
        creation_key=key,
        accession=state.accession,
        definition=state.definition,
        host=state.host,
        segment=state.segment,
        target=state.target,
        length=len(state.sequence),
        sequence=state.sequence,
        remote_id=state.remote_id,
    )


def newborn(  # noqa: PLR0913 - an OTU, and all that is told of its birth
    otu: JoinedOTU, reference_id: str, *, verb: Verb, user_id: str, at: Timestamp, imported: bool = False
) -> tuple[OTU, list[Sequence], HistoryEntry]:
    """Make the documents of an OTU that comes to be, at revision 0, with its sequences and the entry of its birth."""
    entry = HistoryEntry(
        id=f"{otu.id}_0",
        otu_id=otu.id,
        otu_name=otu.name,
        otu_revision=0,
        place=0,
        reference_id=reference_id,
        verb=verb,
        description=whole_otu(verb, otu),
        user_id=user_id,
        created_at=at,
    )
    return (
        document_of(otu, reference_id, user_id=user_id, at=at, imported=imported),
        sequences_of(otu, reference_id),
        entry,
    )


def document_of(otu: JoinedOTU, reference_id: str, *, user_id: str, at: Timestamp, imported: bool = False) -> OTU:
    """Make the document of an OTU that is not there, at revision 0."""
    blank = OTU(
        id=otu.id,
        reference_id=reference_id,
        name="",
        name_key="",
        imported=imported,
        user_id=user_id,
        created_at=at,
        updated_at=at,
    )
    return with_state(blank, otu, {})


def sequences_of(otu: JoinedOTU, reference_id: str) -> list[Sequence]:
    """Make the documents of all sequences of an OTU that is not there."""
    return [
        _sequence(sequence, otu.id, isolate.id, reference_id)
        for isolate in otu.isolates
        for sequence in isolate.sequences
    ]
