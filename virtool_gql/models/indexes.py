"""Builds of references, against which reads are aligned."""

from msgspec import UnsetType, field

from virtool_gql.models.documents import Document, Kept, Timestamp
from virtool_gql.query import Order


class Index(Document, frozen=True, kw_only=True):
    """One build of a reference.

    `number` counts the builds of one reference from 0; people see it as the version. `manifest` says which revision of
    each OTU is in it, and `otu_count` of how many; it is UNSET where it was not read. `change_count` and
    `modified_otu_count` count the changes that were first built into it, and their OTUs: neither ever changes.
    `building_key` is the id of the reference until the build has ended, so that no two are made of one reference at
    once. The `latest` is the newest one of its reference that is ready.
    """

    kept = Kept(
        "indexes",
        in_reference=True,
        unannounced=frozenset({"building_key", "creation_key", "manifest"}),
        apart=frozenset({"manifest"}),
        unique=(("reference_id", "number"), ("building_key",), ("creation_key",)),
        indexes=(
            (Order("reference_id"), Order("number", descending=True)),
            (Order("created_at", descending=True),),
        ),
    )

    reference_id: str
    number: int
    building_key: str | None = None
    creation_key: str | None = None
    manifest: dict[str, int] | UnsetType = field(default_factory=dict)
    otu_count: int = 0
    change_count: int = 0
    modified_otu_count: int = 0
    ready: bool = False
    latest: bool = False
    has_files: bool = False
    has_json: bool = False
    job_id: str | None = None
    user_id: str
    created_at: Timestamp
