"""What was changed in OTUs, by whom, and how it was before."""

from enum import StrEnum

from msgspec import UnsetType

from virtool_gql.models.documents import Document, Kept, Timestamp
from virtool_gql.query import Order


class Verb(StrEnum):
    """What was done to an OTU. The first four, and `create`, are how it came to be."""

    CREATE = "create"
    CLONE = "clone"
    IMPORT = "import"
    REMOTE = "remote"
    UPDATE = "update"
    EDIT = "edit"
    REMOVE = "remove"
    ADD_ISOLATE = "add_isolate"
    EDIT_ISOLATE = "edit_isolate"
    SET_AS_DEFAULT = "set_as_default"
    REMOVE_ISOLATE = "remove_isolate"
    CREATE_SEQUENCE = "create_sequence"
    EDIT_SEQUENCE = "edit_sequence"
    REMOVE_SEQUENCE = "remove_sequence"


BIRTHS = frozenset({Verb.CREATE, Verb.CLONE, Verb.IMPORT, Verb.REMOTE})
"""How an OTU can come to be. Their diff is the whole OTU as it was then; it is reckoned and never stored."""


class HistoryEntry(Document, frozen=True, kw_only=True):
    """One change of one OTU; its id is `<OTU id>_<place>`, or `<OTU id>_removed`.

    `place` orders the changes of one OTU, without end: for all but the removal it is the revision that the change made.
    `otu_revision` is that revision, None for the removal. `otu_name` is the name before the change, if there was one.
    `index_id` and `index_number` are those of the index that the change was first built into, None while it is unbuilt.
    `diff` is, as JSON text, what dictdiffer gives between the joined OTU before and after; the whole joined OTU for a
    removal; None for a birth, and where `diff_file` names the file that it lies in. It is UNSET where it was not read.
    """

    kept = Kept(
        "history",
        in_reference=True,
        unannounced=frozenset({"diff", "diff_file"}),
        apart=frozenset({"diff"}),
        indexes=(
            (Order("otu_id"), Order("place", descending=True)),
            (Order("reference_id"), Order("created_at", descending=True)),
            (Order("created_at", descending=True),),
            (Order("index_id"), Order("reference_id")),
        ),
    )

    otu_id: str
    otu_name: str
    otu_revision: int | None
    place: int
    reference_id: str
    verb: Verb
    description: str
    index_id: str | None = None
    index_number: int | None = None
    user_id: str
    created_at: Timestamp
    diff: str | UnsetType | None = None
    diff_file: str | None = None
