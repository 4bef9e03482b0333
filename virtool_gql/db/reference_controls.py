"""The internal control of a reference: an OTU of its own, which an analysis shows apart."""

from msgspec import structs

from virtool_gql.errors import NotFound
from virtool_gql.files import ID
from virtool_gql.models.otus import OTU
from virtool_gql.models.references import Reference
from virtool_gql.query import Eq
from virtool_gql.stores.documents import Documents, modify


async def control_of(store: Documents, reference_id: str, otu_id: str | None) -> str | None:
    """Give the id of the internal control that is asked for; None when it is no OTU of the reference."""
    if not otu_id or not ID.fullmatch(otu_id):
        return None
    otu = await store.get(OTU, otu_id, Eq("reference_id", reference_id))
    return otu.id if otu else None


async def without_deleted_control(store: Documents, reference: Reference) -> Reference:
    """Take the internal control away that was deleted while it was set, and that the deletion cannot have seen.

    Whoever deletes an OTU calls this after the commit too: one of the two comes last and sees what the other did.
    """
    otu_id = reference.internal_control_id
    if otu_id is None or await store.get(OTU, otu_id) is not None:
        return reference

    def without(now: Reference) -> Reference:
        return structs.replace(now, internal_control_id=None) if now.internal_control_id == otu_id else now

    try:
        return await modify(store, Reference, reference.id, without)
    except NotFound:
        return reference  # deleted with its OTUs
