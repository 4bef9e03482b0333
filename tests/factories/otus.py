"""OTUs with isolates and sequences."""

from collections.abc import Sequence as Several
from typing import Any

from virtool_gql.db.database import Database
from virtool_gql.db.otu_writes import Stored, newborn, stored
from virtool_gql.models.history import Verb
from virtool_gql.models.joined import JoinedIsolate, JoinedOTU, JoinedSequence
from virtool_gql.models.otus import Molecule, Segment

BASES = "ACGTRYSWKMBDHVN"
RNA_A = Segment(name="RNA A", molecule=Molecule.SS_RNA_PLUS)
RNA_B = Segment(name="RNA B", molecule=Molecule.SS_RNA_PLUS, required=False)


def joined_sequence(id: str = "sequence", **values: Any) -> JoinedSequence:
    made: dict[str, Any] = {"accession": f"NC_{id}", "definition": "A virus, complete genome", "sequence": BASES}
    return JoinedSequence(id=id, **made | values)


def joined_isolate(id: str = "iso", sequences: Several[JoinedSequence] = (), **values: Any) -> JoinedIsolate:
    made: dict[str, Any] = {"source_type": "isolate", "source_name": id.upper()}
    return JoinedIsolate(id=id, sequences=tuple(sequences), **made | values)


def joined_otu(id: str = "otu", isolates: Several[JoinedIsolate] = (), **values: Any) -> JoinedOTU:
    made: dict[str, Any] = {"name": f"Virus {id}", "version": 0}
    return JoinedOTU(id=id, isolates=tuple(isolates), **made | values)


def full_otu(id: str, isolates: int = 2, sequences: int = 1, **values: Any) -> JoinedOTU:
    """Give an OTU that is verified; the ids of its isolates and sequences begin with its own."""
    made = [
        joined_isolate(
            f"{id}i{number}",
            [joined_sequence(f"{id}i{number}s{each}") for each in range(sequences)],
            default=not number,
        )
        for number in range(isolates)
    ]
    return joined_otu(id, made, **values)


async def stored_otu(  # noqa: PLR0913 - whatever a test is about
    db: Database,
    reference_id: str,
    otu: JoinedOTU | None = None,
    *,
    verb: Verb = Verb.CREATE,
    user_id: str = "owner",
    imported: bool = False,
    **values: Any,
) -> Stored:
    """Insert an OTU, verified unless one is given, with its sequences and the entry of its birth."""
    otu = otu or full_otu(db.instance.new_id(), **values)
    document, sequences, entry = newborn(
        otu, reference_id, verb=verb, user_id=user_id, at=db.instance.clock(), imported=imported
    )
    async with db.store.transaction() as transaction:
        await transaction.insert(document)
        await transaction.insert(*sequences)
        await transaction.insert(entry)
    made = await stored(db.store, otu.id)
    assert made is not None
    return made
