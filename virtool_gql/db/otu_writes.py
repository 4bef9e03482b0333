"""How an OTU is written: its document, its sequences and the entry of the history, in one transaction."""

from virtool_gql.db.instance import Instance
from virtool_gql.models.documents import Timestamp
from virtool_gql.models.history import HistoryEntry, Verb
from virtool_gql.models.joined import JoinedOTU
from virtool_gql.models.otus import OTU, Sequence
from virtool_gql.stores.documents import Documents


class Stored:
    """An OTU with its sequences as they were read, and the joined OTU that they are."""

    otu: OTU
    sequences: dict[str, Sequence]
    joined: JoinedOTU


async def stored(documents: Documents, otu_id: str) -> Stored | None:
    """Read an OTU with all of its sequences, whole."""
    raise NotImplementedError


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
) -> OTU | None:
    """Replace an OTU by what it is to be (None removes it), with the entry of the history; give it as it is now.

    `after.version` does not count: the change is given the next number. Raises StaleDocument when somebody else was
    faster, DuplicateValue when a name is taken.
    """
    raise NotImplementedError


def newborn(
    otu: JoinedOTU, reference_id: str, *, verb: Verb, user_id: str, at: Timestamp, imported: bool = False
) -> tuple[OTU, list[Sequence], HistoryEntry]:
    """Make the documents of an OTU that comes to be, at revision 0, with its sequences and the entry of its birth."""
    raise NotImplementedError
