"""Sequences of isolates, whose bases are read only for those who ask for them."""

from collections.abc import Iterable

from virtool_gql.access import Viewer
from virtool_gql.db.creation import created_by, creation_key, once
from virtool_gql.db.curation import Asked, curated, reference_of_changeable
from virtool_gql.db.instance import Instance
from virtool_gql.db.isolates import split_id
from virtool_gql.db.otu_edits import Edit, isolate_of
from virtool_gql.db.otu_inputs import NewSequence, SequenceChanges, cleaned_sequence
from virtool_gql.db.otu_writes import Stored
from virtool_gql.db.reference_parts import ReferenceParts
from virtool_gql.db.sequence_edits import create_sequence, edit_sequence, remove_sequence, sequence_of
from virtool_gql.db.updates import to_values
from virtool_gql.files import ID
from virtool_gql.models.joined import JoinedSequence
from virtool_gql.models.otus import OTU, Sequence
from virtool_gql.models.references import Reference

__all__ = ["NewSequence", "SequenceChanges", "Sequences"]

OfOTU = tuple[OTU, Sequence]

A_SEQUENCE = Asked("sequence")
ITS_ISOLATE = Asked("isolate", "isolate_id")


class Sequences(ReferenceParts[Sequence]):
    """The sequences of the references that a viewer may read; the right MODIFY_OTU is needed to change them."""

    noun = "sequence"

    def __init__(self, instance: Instance) -> None:
        super().__init__(instance, Sequence)

    async def bases(self, viewer: Viewer, ids: Iterable[str]) -> dict[str, str | None]:
        """Give the bases of each sequence; None when it is gone or the viewer may not read it."""
        wanted = list(ids)
        possible = [id for id in wanted if ID.fullmatch(id)]
        found = await self.store.get_many(Sequence, possible, await self.rights(viewer), whole=True)
        return dict.fromkeys(wanted) | {
            id: sequence.sequence for id, sequence in found.items() if isinstance(sequence.sequence, str)
        }

    async def create(
        self,
        viewer: Viewer,
        isolate_id: str,
        new: NewSequence,
        *,
        idempotency_key: str | None = None,
        expected_version: int | None = None,
    ) -> OfOTU:
        """Add a sequence to an isolate. The same user's same idempotency key gives the same sequence again."""
        place = split_id(isolate_id)
        key = creation_key(viewer, idempotency_key)

        async def create() -> OfOTU:
            return await self._create(viewer, place, new, key, expected_version)

        return await once(lambda: self._created_by(viewer, place[0], key), create)

    async def _created_by(self, viewer: Viewer, otu_id: str, key: str | None) -> OfOTU | None:
        """Give what a request with the key has created, to somebody who still may."""
        if key is None:
            return None
        await reference_of_changeable(self.instance, viewer, otu_id, ITS_ISOLATE)
        sequence = await created_by(self.store, Sequence, key)
        otu = await self.store.get(OTU, sequence.otu_id, await self.rights(viewer)) if sequence else None
        return (otu, sequence) if otu is not None and sequence is not None else None

    async def _create(
        self, viewer: Viewer, place: tuple[str, str], new: NewSequence, key: str | None, expected_version: int | None
    ) -> OfOTU:
        otu_id, isolate_id = place
        id = self.instance.new_id()

        async def edit(before: Stored, reference: Reference) -> Edit:
            isolate_of(before.joined, isolate_id, ITS_ISOLATE.path)
            sequence = JoinedSequence(id=id, **cleaned_sequence(to_values(new)))
            return create_sequence(before.joined, isolate_id, sequence, reference)._replace(keys={id: key})

        otu = await curated(self.instance, viewer, otu_id, edit, expected_version=expected_version, asked=ITS_ISOLATE)
        return otu, await self.get(viewer, id)

    async def update(
        self, viewer: Viewer, id: str, changes: SequenceChanges, *, expected_version: int | None = None
    ) -> OfOTU:
        """Change a sequence; its segment and target are checked as when one is created."""

        async def edit(before: Stored, reference: Reference) -> Edit | None:
            sequence_of(before.joined, id)
            return edit_sequence(before.joined, id, cleaned_sequence(to_values(changes)), reference)

        otu_id = (await self.get(viewer, id)).otu_id
        otu = await curated(self.instance, viewer, otu_id, edit, expected_version=expected_version, asked=A_SEQUENCE)
        return otu, await self.get(viewer, id)

    async def delete(self, viewer: Viewer, id: str, *, expected_version: int | None = None) -> OfOTU:
        """Remove a sequence; give the OTU as it is now, and the sequence as it was."""

        async def edit(before: Stored, _: Reference) -> Edit:
            return remove_sequence(before.joined, id)

        sequence = await self.get(viewer, id)
        otu = await curated(
            self.instance, viewer, sequence.otu_id, edit, expected_version=expected_version, asked=A_SEQUENCE
        )
        return otu, sequence
