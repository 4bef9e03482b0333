"""The audit log: who did what to which document. Only administrators read it, and nobody changes it."""

from virtool_gql.access import Viewer, readable_audit
from virtool_gql.actors import current_actor
from virtool_gql.db.instance import Instance
from virtool_gql.db.listing import Listing
from virtool_gql.models.audit import AuditEntry, Deed
from virtool_gql.models.users import User
from virtool_gql.query import Filter


class Audit(Listing[AuditEntry]):
    """The audit log. Writes tell themselves (`stores.audited`); `note` tells what is no write."""

    noun = "audit entry"

    def __init__(self, instance: Instance) -> None:
        super().__init__(instance, AuditEntry, readable_audit)

    async def note(self, deed: Deed, user_id: str) -> None:
        """Tell what whoever is at work did to a user without a write: signing in and out."""
        actor = current_actor()
        if actor is not None:
            at, new_id = self.instance.clock(), self.instance.new_id
            await self.store.insert(AuditEntry.of(actor, deed, User.kept.name, user_id, at=at, new_id=new_id))

    def meant(self, viewer: Viewer, where: Filter) -> Filter:
        viewer.require_administrator()
        return where
