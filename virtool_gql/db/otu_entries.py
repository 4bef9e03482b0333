"""Entries of the history: how they are made and read, with the diffs that are too large for a document."""

from virtool_gql.db.instance import Instance
from virtool_gql.models.documents import Timestamp
from virtool_gql.models.history import HistoryEntry, Verb
from virtool_gql.models.joined import JoinedOTU
from virtool_gql.stores.documents import Documents


async def new_entry(  # noqa: PLR0913 - all that an entry tells of
    instance: Instance,
    before: JoinedOTU | None,
    after: JoinedOTU | None,
    *,
    verb: Verb,
    description: str,
    place: int,
    reference_id: str,
    user_id: str,
    at: Timestamp,
) -> HistoryEntry:
    """Make the entry of a change, to be inserted with it. A diff that is too large for a document lies in a file."""
    raise NotImplementedError


async def at_version(store: Documents, instance: Instance, otu_id: str, revision: int) -> JoinedOTU | None:
    """Give an OTU, removed or not, as it was at a revision; None when there is no such OTU or revision."""
    raise NotImplementedError
