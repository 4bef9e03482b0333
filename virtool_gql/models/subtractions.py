"""Genomes whose reads are taken out of a sample's before they are analysed: those of hosts."""

import msgspec

from virtool_gql.models.documents import Document, Kept, Timestamp
from virtool_gql.query import Order


class NucleotideComposition(msgspec.Struct, frozen=True, kw_only=True):
    """How much of a genome is which nucleotide, each from 0 to 1."""

    a: float
    t: float
    g: float
    c: float
    n: float


class Subtraction(Document, frozen=True, kw_only=True):
    """A genome to subtract. `count` is the number of its sequences.

    One that is `deleted` is kept for the names that old analyses show; it can be found by its id and used no more.
    """

    kept = Kept(
        "subtractions",
        unannounced=frozenset({"creation_key"}),
        unique=(("creation_key",),),
        indexes=((Order("name"),), (Order("created_at", descending=True),)),
    )

    name: str
    creation_key: str | None = None
    nickname: str = ""
    file_id: str | None = None
    file_name: str = ""
    user_id: str
    job_id: str | None = None
    count: int | None = None
    gc: NucleotideComposition | None = None
    ready: bool = False
    deleted: bool = False
    created_at: Timestamp
