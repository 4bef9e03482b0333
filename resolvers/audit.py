"""The audit log at the root of the API."""

import strawberry

from resolvers.listings import listed
from resolvers.subscriptions import watched
from schema.arguments import Id
from schema.audit import AuditEntry, AuditEntryFilter, AuditEntryOrder
from schema.changes import AuditEntryChange
from schema.context import Info
from virtool_gql.query import Order


@strawberry.type
class AuditQuery:
    """The audit log."""

    audit_entries = listed(
        lambda db: db.audit,
        AuditEntry,
        AuditEntryFilter,
        AuditEntryOrder,
        default_order=[Order("at", descending=True)],
        description="Who did what to which document, the latest first by default. For administrators.",
    )

    @strawberry.field(description="One entry of the audit log. For administrators; null for all others.")
    async def audit_entry(self, info: Info, id: Id) -> AuditEntry | None:
        entry: AuditEntry | None = await info.context.loaders.fetch("audit", id)
        return entry


@strawberry.type
class AuditSubscription:
    """New entries of the audit log."""

    audit = watched(
        lambda db: db.audit,
        "audit",
        AuditEntryFilter,
        AuditEntryChange,
        description="New entries of the audit log. For administrators.",
    )
