"""Records of GenBank."""

from typing import Self

import strawberry

from virtool_gql.db.genbank import Record


@strawberry.type(description="What GenBank has under an accession.")
class GenBankRecord:
    """What GenBank has under an accession."""

    accession: str = strawberry.field(description="The accession with its version, like `NC_001929.1`.")
    definition: str = strawberry.field(description="What it is a sequence of.")
    sequence: str = strawberry.field(description="The bases, in capitals.")
    host: str = strawberry.field(description="What it was found in; empty when the record does not say.")

    @classmethod
    def of(cls, record: Record) -> Self:
        return cls(accession=record.accession, definition=record.definition, sequence=record.sequence, host=record.host)
