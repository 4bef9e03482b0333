"""What people upload."""

from enum import StrEnum

from virtool_gql.models.documents import Document, Kept, Timestamp
from virtool_gql.query import Order


class FileType(StrEnum):
    """What an uploaded file is for."""

    READS = "reads"
    REFERENCE = "reference"
    SUBTRACTION = "subtraction"
    HMM = "hmm"


class File(Document, frozen=True, kw_only=True):
    """An uploaded file; its bytes lie under its id, never under its name.

    `user_id` is None for a file that the watch directory brought. `reserved_by` is the id of the sample or reference
    that is made from it. `source_key` says of a file in the watch directory that this is it: no two rows are made of
    one.
    """

    kept = Kept(
        "files",
        unannounced=frozenset({"source_key"}),
        in_rows=True,
        unique=(("source_key",),),
        indexes=(
            (Order("created_at", descending=True),),
            (Order("name"),),
            (Order("size"),),
            (Order("reserved_by"),),
            (Order("expires_at"),),
        ),
    )

    name: str
    type: FileType
    user_id: str | None
    size: int | None = None
    ready: bool = False
    reserved_by: str | None = None
    created_at: Timestamp
    uploaded_at: Timestamp | None = None
    expires_at: Timestamp | None = None
    source_key: str | None = None
