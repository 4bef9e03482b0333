"""Sequencing reads from one plant, and what is known of them."""

from enum import StrEnum

import msgspec
from msgspec import UnsetType

from virtool_gql.models.documents import Document, Kept, Timestamp
from virtool_gql.query import Order


class LibraryType(StrEnum):
    """How the sequencing library was made."""

    NORMAL = "normal"
    SRNA = "srna"
    AMPLICON = "amplicon"
    OTHER = "other"


class Quality(msgspec.Struct, frozen=True, kw_only=True):
    """The quality of a sample's reads, of both files together.

    `bases` has a row per position: mean, median, lower and upper quartile, 10th and 90th percentile of the phred
    qualities. `composition` has a row per position: G, A, T, C in percent. `sequences[q]` counts the reads whose mean
    quality is q. `gc` is in percent, `length` the shortest and the longest read.
    """

    count: int
    encoding: str
    length: tuple[int, int]
    gc: float
    bases: tuple[tuple[float, ...], ...]
    composition: tuple[tuple[float, ...], ...]
    sequences: tuple[int, ...]


class Reads(msgspec.Struct, frozen=True, kw_only=True):
    """One FASTQ file of a sample; `name` is `reads_1.fq.gz` or `reads_2.fq.gz`, `size` is in bytes."""

    name: str
    size: int
    file_id: str
    file_name: str


class Sample(Document, frozen=True, kw_only=True):
    """Sequencing reads from one plant.

    `unique_key` is the name as it is compared while names must be unique, else None. `creation_key` is the creator's
    idempotency key. `file_ids` are the uploads that the sample is made from. `quality` is UNSET where it was not read.
    """

    kept = Kept(
        "samples",
        unannounced=frozenset({"creation_key", "quality"}),
        apart=frozenset({"quality"}),
        unique=(("unique_key",), ("creation_key",)),
        indexes=(
            (Order("created_at", descending=True),),
            (Order("name"),),
            (Order("user_id"),),
        ),
    )

    name: str
    unique_key: str | None
    creation_key: str | None = None
    host: str = ""
    isolate: str = ""
    locale: str = ""
    notes: str = ""
    library_type: LibraryType = LibraryType.NORMAL
    label_ids: tuple[str, ...] = ()
    subtraction_ids: tuple[str, ...] = ()
    user_id: str
    group_id: str | None = None
    group_read: bool = True
    group_write: bool = False
    all_read: bool = True
    all_write: bool = False
    file_ids: tuple[str, ...] = ()
    paired: bool = False
    ready: bool = False
    quality: Quality | UnsetType | None = None
    reads: tuple[Reads, ...] = ()
    job_id: str | None = None
    created_at: Timestamp
    updated_at: Timestamp
