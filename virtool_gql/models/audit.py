"""Who did what to which document."""

from enum import StrEnum

from virtool_gql.models.documents import Document, Kept, Timestamp
from virtool_gql.query import Order


class Deed(StrEnum):
    """What somebody did to a document. Signing in and out is done to one's user."""

    INSERT = "insert"
    UPDATE = "update"
    DELETE = "delete"
    LOGIN = "login"
    LOGOUT = "logout"


class AuditEntry(Document, frozen=True, kw_only=True):
    """One deed; never changed and never removed.

    `action` is the name of the mutation, the endpoint or the command. `handle` is the doer's, as it was then;
    `user_id` is None for an operator at the command line and for a stranger. `fields` names what a replacement
    changed, without its values.
    """

    kept = Kept(
        "audit",
        indexes=(
            (Order("at", descending=True),),
            (Order("user_id"), Order("at", descending=True)),
            (Order("document_id"), Order("at", descending=True)),
        ),
    )

    at: Timestamp
    user_id: str | None
    handle: str
    key_id: str | None = None
    address: str
    request_id: str
    action: str
    deed: Deed
    collection: str
    document_id: str
    fields: tuple[str, ...] = ()
