"""Who did what to which document."""

from collections.abc import Iterable
from enum import StrEnum
from typing import Self

from virtool_gql.actors import Actor
from virtool_gql.models.documents import Document, Kept, NewId, Timestamp
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
    changed, without its values. The id is twice as long as others: there will be millions.
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

    @classmethod
    def of(  # noqa: PLR0913 - all that is told of a deed
        cls,
        actor: Actor,
        deed: Deed,
        collection: str,
        document_id: str,
        fields: Iterable[str] = (),
        *,
        at: Timestamp,
        new_id: NewId,
    ) -> Self:
        """Tell what somebody did."""
        return cls(
            id=new_id() + new_id(),
            at=at,
            user_id=actor.user_id,
            handle=actor.handle,
            key_id=actor.key_id,
            address=actor.address,
            request_id=actor.request_id,
            action=actor.action,
            deed=deed,
            collection=collection,
            document_id=document_id,
            fields=tuple(fields),
        )
