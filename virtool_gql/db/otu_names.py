"""The names and abbreviations of OTUs, which no two of a reference share."""

from collections.abc import Iterator
from contextlib import contextmanager

from virtool_gql.db.names import name_key
from virtool_gql.errors import Conflict, DuplicateValue, StaleDocument
from virtool_gql.models.otus import OTU
from virtool_gql.query import And, Eq, Filter, Not, Or, Page
from virtool_gql.stores.documents import Documents

KEYS = frozenset({"name_key", "abbreviation_key"})


async def check_names(
    store: Documents, reference_id: str, name: str, abbreviation: str, *, besides: str | None = None
) -> None:
    """Raise Conflict when another OTU of the reference has the name, whatever the case of its letters, or both.

    Abbreviations are compared letter by letter, unless they are empty.
    """
    key = name_key(name)
    same: list[Filter] = [Eq("name_key", key)]
    if abbreviation:
        same.append(Eq("abbreviation_key", abbreviation))
    others = Not(Eq("id", besides)) if besides else And()
    found = await store.find(OTU, And(Eq("reference_id", reference_id), Or(*same), others), page=Page(first=2))
    named = any(otu.name_key == key for otu in found.documents)
    abbreviated = bool(abbreviation) and any(otu.abbreviation_key == abbreviation for otu in found.documents)
    if named and abbreviated:
        raise Conflict("Name and abbreviation already exist.", path=["name"])
    if named:
        raise Conflict("Name already exists.", path=["name"])
    if abbreviated:
        raise Conflict("Abbreviation already exists.", path=["abbreviation"])


@contextmanager
def taken_meanwhile() -> Iterator[None]:
    """Have whoever writes a name that was free try again when it is taken: the next check says by what."""
    try:
        yield
    except DuplicateValue as error:
        if KEYS.isdisjoint(error.path):
            raise
        raise StaleDocument(error.message) from error
