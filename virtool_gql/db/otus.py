"""OTUs: their creation, what is known of them, and their removal."""

from msgspec import structs

from virtool_gql.access import Viewer
from virtool_gql.db.creation import created_in, creation_key, once
from virtool_gql.db.curation import changeable_otu, check_revision, curated
from virtool_gql.db.instance import Instance
from virtool_gql.db.otu_edits import Edit, edit_otu
from virtool_gql.db.otu_inputs import NewOTU, OTUChanges, cleaned_otu
from virtool_gql.db.otu_names import check_names, taken_meanwhile
from virtool_gql.db.otu_sentences import whole_otu
from virtool_gql.db.otu_writes import Stored, newborn, write_change
from virtool_gql.db.reference_controls import without_deleted_control
from virtool_gql.db.reference_parts import ReferenceParts, changeable_reference
from virtool_gql.db.retries import retried
from virtool_gql.db.updates import to_values
from virtool_gql.errors import NotFound
from virtool_gql.models.history import HistoryEntry, Verb
from virtool_gql.models.joined import JoinedOTU
from virtool_gql.models.otus import OTU
from virtool_gql.models.otus import Sequence as StoredSequence
from virtool_gql.models.references import Reference, Right
from virtool_gql.query import Eq, Page

__all__ = ["NewOTU", "OTUChanges", "OTUs"]


class OTUs(ReferenceParts[OTU]):
    """The OTUs of the references that a viewer may read; the right MODIFY_OTU is needed to change them."""

    noun = "OTU"

    def __init__(self, instance: Instance) -> None:
        super().__init__(instance, OTU)

    async def create(
        self, viewer: Viewer, reference_id: str, new: NewOTU, *, idempotency_key: str | None = None
    ) -> OTU:
        """Make an OTU without isolates, whose name and abbreviation no other one of the reference has."""
        reference = await changeable_reference(self.store, viewer, reference_id, Right.MODIFY_OTU, "reference_id")
        key = creation_key(viewer, idempotency_key)
        otu = await once(
            lambda: created_in(self.store, OTU, key, reference.id),
            lambda: retried(lambda: self._create(viewer, reference, new, key)),
        )
        await self._undo_in_deleted(otu)
        return otu

    async def _create(self, viewer: Viewer, reference: Reference, new: NewOTU, key: str | None) -> OTU:
        joined = JoinedOTU(id=self.instance.new_id(), version=0, **cleaned_otu(to_values(new)))
        await check_names(self.store, reference.id, joined.name, joined.abbreviation)
        otu, _, entry = newborn(
            joined,
            reference.id,
            verb=Verb.CREATE,
            user_id=viewer.user_id,
            at=self.instance.clock(),
        )
        with taken_meanwhile():
            async with self.store.transaction() as documents:
                otu = (await documents.insert(structs.replace(otu, creation_key=key)))[0]
                await documents.insert(entry)
        return otu

    async def _undo_in_deleted(self, otu: OTU) -> None:
        """Remove an OTU again whose reference was deleted while it was made, by somebody who may not have seen it."""
        if await self.store.get(Reference, otu.reference_id) is None:
            await retried(lambda: self._remove_traces(otu.id))
            raise NotFound("There is no reference of that id.", path=["reference_id"])

    async def _remove_traces(self, otu_id: str) -> None:
        of_otu = Eq("otu_id", otu_id)
        async with self.store.transaction() as documents:
            otu = await documents.get(OTU, otu_id)
            if otu is None:
                return
            await documents.delete(otu)
            for kind in (StoredSequence, HistoryEntry):
                await documents.delete(*(await documents.find(kind, of_otu, page=Page(first=None))).documents)

    async def update(self, viewer: Viewer, id: str, changes: OTUChanges, *, expected_version: int | None = None) -> OTU:
        """Change the names or the schema of an OTU. A segment that is not in the new schema is taken off sequences."""

        async def edit(before: Stored, reference: Reference) -> Edit | None:
            edit = edit_otu(before.joined, cleaned_otu(to_values(changes)))
            if edit is not None:
                await self._check_names(before.joined, edit.otu, reference)
            return edit

        async def attempt() -> OTU:
            with taken_meanwhile():
                return await curated(self.instance, viewer, id, edit, expected_version=expected_version)

        return await retried(attempt)

    async def _check_names(self, before: JoinedOTU, after: JoinedOTU, reference: Reference) -> None:
        """Look for others of the same name, if it is another name by now, or the same abbreviation."""
        abbreviation = after.abbreviation if after.abbreviation != before.abbreviation else ""
        if after.name != before.name or abbreviation:
            await check_names(self.store, reference.id, after.name, abbreviation, besides=after.id)

    async def delete(self, viewer: Viewer, id: str, *, expected_version: int | None = None) -> OTU:
        """Remove an OTU with its isolates and sequences; the history keeps it as it was, and can bring it back."""
        otu = await retried(lambda: self._delete(viewer, id, expected_version))
        reference = await self.store.get(Reference, otu.reference_id)
        if reference is not None:
            await without_deleted_control(self.store, reference)
        return otu

    async def _delete(self, viewer: Viewer, id: str, expected_version: int | None) -> OTU:
        _, before = await changeable_otu(self.instance, viewer, id)
        check_revision(before.otu, expected_version)
        await write_change(
            self.instance,
            self.store,
            before,
            None,
            verb=Verb.REMOVE,
            description=whole_otu(Verb.REMOVE, before.joined),
            user_id=viewer.user_id,
            at=self.instance.clock(),
        )
        return before.otu
