"""Labels that people put on samples."""

from virtool_gql.models.documents import Document, Kept, Timestamp
from virtool_gql.query import Order

DEFAULT_COLOR = "#A0AEC0"


class Label(Document, frozen=True, kw_only=True):
    """A label; samples hold the ids of theirs. `color` is `#RRGGBB` in capitals."""

    kept = Kept(
        "labels",
        in_rows=True,
        unannounced=frozenset({"creation_key"}),
        unique=(("name_key",), ("creation_key",)),
        indexes=((Order("name_key"),), (Order("created_at", descending=True),)),
    )

    name: str
    name_key: str
    creation_key: str | None = None
    color: str = DEFAULT_COLOR
    description: str = ""
    user_id: str
    created_at: Timestamp
