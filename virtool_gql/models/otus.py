"""Operational taxonomic units: viruses, their isolates, and the sequences of these.

An OTU holds its isolates; sequences are documents of their own. The isolates say which sequences are theirs, and in
which order.
"""

from enum import StrEnum

import msgspec
from msgspec import UnsetType

from virtool_gql.models.documents import Document, Kept, Timestamp
from virtool_gql.query import Order


class Molecule(StrEnum):
    """What a segment of a genome is made of."""

    SS_DNA = "ssDNA"
    DS_DNA = "dsDNA"
    SS_RNA = "ssRNA"
    SS_RNA_PLUS = "ssRNA+"
    SS_RNA_MINUS = "ssRNA-"
    DS_RNA = "dsRNA"


class Segment(msgspec.Struct, frozen=True, kw_only=True):
    """A segment of the genome of an OTU; `molecule` is None where nobody has said it."""

    name: str
    molecule: Molecule | None = None
    required: bool = True


class Isolate(msgspec.Struct, frozen=True, kw_only=True):
    """One isolate of an OTU; its id is unique within the OTU. `creation_key` is its creator's idempotency key."""

    id: str
    creation_key: str | None = None
    source_type: str = ""
    source_name: str = ""
    default: bool = False
    sequence_ids: tuple[str, ...] = ()


class OTU(Document, frozen=True, kw_only=True):
    """An operational taxonomic unit.

    `revision` is the version that people see: 0 when it is created, and from then on the number of its latest change in
    the history. No number is given twice: `last_revision` is the highest that ever was, also when it was reverted.
    `built_revision` is the one in the latest finished index. `modified` tells whether it has unbuilt changes.
    `empty_sequence_ids` are its sequences without bases, which only an import can bring. `name_key` is the name as
    names are compared, `abbreviation_key` the abbreviation unless it is empty. `remote_id` is its id where it came
    from.
    """

    kept = Kept(
        "otus",
        in_reference=True,
        unannounced=frozenset({"creation_key"}),
        unique=(("reference_id", "name_key"), ("reference_id", "abbreviation_key"), ("creation_key",)),
        indexes=(
            (Order("reference_id"), Order("name_key")),
            (Order("reference_id"), Order("created_at", descending=True)),
            (Order("name_key"),),
            (Order("reference_id"), Order("remote_id")),
        ),
    )

    reference_id: str
    name: str
    name_key: str
    creation_key: str | None = None
    abbreviation: str = ""
    abbreviation_key: str | None = None
    schema: tuple[Segment, ...] = ()
    isolates: tuple[Isolate, ...] = ()
    empty_sequence_ids: tuple[str, ...] = ()
    revision: int = 0
    last_revision: int = 0
    built_revision: int | None = None
    modified: bool = True
    verified: bool = False
    imported: bool = False
    remote_id: str | None = None
    user_id: str
    created_at: Timestamp
    updated_at: Timestamp


class Sequence(Document, frozen=True, kw_only=True):
    """A sequence of an isolate; `length` is in bases, which are `sequence`: IUPAC codes in capitals.

    `sequence` is UNSET where it was not read.
    """

    kept = Kept(
        "sequences",
        in_reference=True,
        unannounced=frozenset({"creation_key", "sequence"}),
        apart=frozenset({"sequence"}),
        unique=(("creation_key",),),
        indexes=((Order("otu_id"),), (Order("reference_id"), Order("accession"))),
    )

    reference_id: str
    otu_id: str
    isolate_id: str
    creation_key: str | None = None
    accession: str
    definition: str
    host: str | None = ""
    segment: str | None = None
    target: str | None = None
    length: int
    sequence: str | UnsetType = ""
    remote_id: str | None = None
