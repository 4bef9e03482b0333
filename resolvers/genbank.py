"""GenBank at the root of the API."""

from typing import Annotated

import strawberry

from schema.arguments import described
from schema.context import Info
from schema.genbank import GenBankRecord

Accession = Annotated[str, described("An accession, with or without its version: `NC_001929`, `AY123456.1`.")]


@strawberry.type
class GenBankQuery:
    """GenBank."""

    @strawberry.field(
        description="What GenBank has under an accession, asked for at NCBI now. The error is `NOT_FOUND` when that "
        "has none, `UPSTREAM_UNAVAILABLE` when it does not answer. For everybody who is signed in."
    )
    async def genbank(self, info: Info, accession: Accession) -> GenBankRecord | None:
        return GenBankRecord.of(await info.context.db.genbank.get(info.context.viewer, accession))
