"""The audit log: who did what to which document."""

from enum import StrEnum
from typing import Self

import strawberry
from strawberry.utils.str_converters import to_camel_case

from schema.enums import described
from schema.ids import PREFIX_OF_COLLECTION, global_id
from schema.inputs import before, containing, equal, given, optional, since, with_id, with_ids
from schema.nodes import Node
from schema.orders import Ordering
from schema.relations import related
from schema.users import User
from virtool_gql.models import audit as models
from virtool_gql.models.audit import Deed
from virtool_gql.models.documents import Timestamp
from virtool_gql.query import EVERYTHING, NOTHING, And, Eq, Filter

COLLECTION_OF_PREFIX = {prefix: name for name, prefix in PREFIX_OF_COLLECTION.items()}

described(
    Deed,
    "What somebody did to a document.",
    {
        Deed.INSERT: "They made it.",
        Deed.UPDATE: "They changed it.",
        Deed.DELETE: "They removed it.",
        Deed.LOGIN: "They signed in; the document is the user.",
        Deed.LOGOUT: "They signed out, or ended another session; the document is the user.",
    },
)


@strawberry.type(
    description="What somebody did to one document. Never changed, never removed. Only administrators may read it."
)
class AuditEntry(Node):
    """What somebody did to one document."""

    at: Timestamp = strawberry.field(description="When.")
    handle: str = strawberry.field(
        description="The handle of whoever did it, as it was then; empty for a stranger who was not signed in yet."
    )
    api_key_id: strawberry.ID | None = strawberry.field(description="The API key that was used; null without one.")
    address: str = strawberry.field(description="The address of the client; `local` for the command line.")
    request_id: str = strawberry.field(description="The `x-request-id` of the response, or of the socket.")
    action: str = strawberry.field(description="The name of the mutation, `POST /uploads`, or the command.")
    deed: Deed = strawberry.field(description="What was done.")
    collection: str = strawberry.field(description="The name of the document's collection.")
    document_id: strawberry.ID = strawberry.field(description="The document, which `node` gives if it is still there.")
    fields: list[str] = strawberry.field(description="What an update changed: names of fields, never values.")
    user_id: strawberry.Private[str | None] = None

    user = related(
        "user", "user_id", User, "Who did it; null for a stranger who was not signed in yet and for the command line."
    )

    @classmethod
    def from_document(cls, entry: models.AuditEntry) -> Self:
        return cls(
            id=global_id("audit", entry.id),
            at=entry.at,
            handle=entry.handle,
            api_key_id=global_id("key", entry.key_id) if entry.key_id else None,
            address=entry.address,
            request_id=entry.request_id,
            action=entry.action,
            deed=entry.deed,
            collection=entry.collection,
            document_id=global_id(PREFIX_OF_COLLECTION.get(entry.collection, entry.collection), entry.document_id),
            fields=[to_camel_case(name) for name in entry.fields],
            user_id=entry.user_id,
        )


@strawberry.input(description="Which entries of the audit log: those to which all that is given applies.")
class AuditEntryFilter:
    """Which entries of the audit log."""

    search: str | None = optional("Words that are all in the handle or the action.")
    ids: list[strawberry.ID] | None = optional("One of these entries.")
    user_id: strawberry.ID | None = optional("Done by this user.")
    api_key_id: strawberry.ID | None = optional("Done with this API key.")
    action: str | None = optional("Done by this mutation, endpoint or command; the whole name.")
    deed: Deed | None = optional("What was done.")
    collection: str | None = optional("Done to a document of this collection.")
    document_id: strawberry.ID | None = optional("Done to this document.")
    address: str | None = optional("Done from this address.")
    request_id: str | None = optional("Done by this request.")
    at_after: Timestamp | None = optional("At this moment or later.")
    at_before: Timestamp | None = optional("Before this moment.")

    def where(self) -> Filter:
        return And(
            containing(self.search, "handle", "action"),
            with_ids("id", "audit", self.ids),
            with_id("user_id", "user", self.user_id),
            with_id("key_id", "key", self.api_key_id),
            equal("action", self.action),
            equal("deed", self.deed),
            equal("collection", self.collection),
            _of_document(self.document_id),
            equal("address", self.address),
            equal("request_id", self.request_id),
            since("at", self.at_after),
            before("at", self.at_before),
        )


def _of_document(id: str | None) -> Filter:
    id = given(id)
    if id is None:
        return EVERYTHING
    prefix, _, stored = id.partition("_")
    collection = COLLECTION_OF_PREFIX.get(prefix)
    return And(Eq("collection", collection), Eq("document_id", stored)) if collection else NOTHING


class AuditEntryOrderField(StrEnum):
    """By what entries of the audit log are ordered."""

    AT = "at"


described(
    AuditEntryOrderField,
    "By what entries of the audit log are ordered.",
    {AuditEntryOrderField.AT: "When it was done."},
)


@strawberry.input(description="One key of an ordering of entries of the audit log; ties are broken by id.")
class AuditEntryOrder(Ordering):
    """One key of an ordering of entries of the audit log."""

    field: AuditEntryOrderField = strawberry.field(description="By what to order.")
